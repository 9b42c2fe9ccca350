import assert from 'node:assert/strict'
import { test } from 'node:test'
import { child, children, type Element, el, has, isElement, text } from '@postrider/wire/wbxml'
import type { Call, Phone, Reply } from '@postrider/testkit/activesync'
import { until } from '@postrider/testkit/process'
import { commands } from '../commands/index.ts'
import { type MailboxEntry, mailboxId } from '@postrider/domain'
import { defaultPolicy, type DeviceRecord, listDevices, loadDevice, removeDevice, saveDevice } from '../index.ts'
import type { AccessLevel } from '../policy/quarantine.ts'
import { easVersions } from '../version.ts'
import { Room } from './room.ts'

/** The status of an answer: the first Status in the body, or the HTTP status where the body has none. */
function said(reply: Reply): number {
  const find = (element: Element): number | undefined => {
    for (const part of element.children) {
      if (!isElement(part)) continue
      const inner = part.tag.endsWith(':Status') ? Number(part.children[0]) : find(part)
      if (inner !== undefined) return inner
    }
    return undefined
  }
  return (reply.document === undefined ? undefined : find(reply.document)) ?? reply.http
}

const folderSync: Call = {
  command: 'FolderSync',
  body: el('FolderHierarchy:FolderSync', el('FolderHierarchy:SyncKey', '0')),
}

for (const version of easVersions) {
  test(`${version}: two phases, the policy of the version, the final key (MS-ASPROV_R650, R662)`, async () => {
    await using room = await Room.open()
    const phone = room.phone({ version })
    const [first, second] = await phone.provision()
    const policy = child(child(first!.document, 'Provision:Policies'), 'Provision:Policy')
    const document = child(child(policy, 'Provision:Data'), 'Provision:EASProvisionDoc')
    assert.equal(children(document).length, Object.keys(defaultPolicy).length + 2)
    assert.equal(text(first!.document, 'Provision:Status'), '1')
    const acknowledged = child(child(second!.document, 'Provision:Policies'), 'Provision:Policy')
    assert.equal(text(acknowledged, 'Provision:Status'), '1')
    assert.ok(!has(acknowledged, 'Provision:Data'), 'MS-ASPROV_R601')
    assert.notEqual(text(policy, 'Provision:PolicyKey'), text(acknowledged, 'Provision:PolicyKey'))
    assert.equal(said(await phone.folderSync()), 1)
  })

  test(`${version}: no data without the final key (P18)`, async () => {
    await using room = await Room.open()
    const phone = room.phone({ version })
    const [first, second] = await phone.provision()
    const keyIn = (reply: Reply | undefined): number =>
      Number(text(child(child(reply?.document, 'Provision:Policies'), 'Provision:Policy'), 'Provision:PolicyKey'))
    const other = room.phone({ version })
    await other.provision()
    const body = version === '12.1'
    const expected: [string, number | undefined, number][] = [
      ['no key', undefined, body ? 449 : 142],
      ['key 0', 0, body ? 449 : 142],
      ['temporary key', keyIn(first), body ? 449 : 144],
      ['another key', 12345, body ? 449 : 144],
      ["another device's key", other.policyKey, body ? 449 : 144],
    ]
    assert.equal(phone.policyKey, keyIn(second))
    for (const command of commands) {
      if (command.name === 'Provision' || command.first > version) continue
      if (command.last !== undefined && command.last < version) continue
      for (const [what, policyKey, status] of expected) {
        // A Ping need not carry the key at all (MS-ASPROV_R757).
        if (command.name === 'Ping' && policyKey === undefined) continue
        const mime = command.body === 'mime' && version === '12.1'
        const document = command.root === undefined || mime ? undefined : el(command.root)
        const reply = await phone.call({ command: command.name, policyKey, body: document })
        assert.equal(said(reply), status, `${command.name} with ${what}`)
      }
    }
  })
}

test('a strict policy: no key is 141, a partial acknowledgement 139, an external one 145', async () => {
  await using room = await Room.open({ settings: { allowNonProvisionableDevices: false } })
  const phone = room.phone()
  assert.equal(said(await phone.call({ ...folderSync, policyKey: undefined })), 141)
  assert.equal(said((await phone.provision(2))[1]!), 139)
  assert.equal(said((await phone.provision(4))[1]!), 145)
  assert.equal(said(await phone.call({ ...folderSync, policyKey: phone.policyKey })), 142)
  await phone.provision(1)
  assert.equal(said(await phone.folderSync()), 1)
})

test('a policy that changed is 143 until it is taken anew', async () => {
  let policy = defaultPolicy as typeof defaultPolicy & Record<string, unknown>
  await using room = await Room.open({ settings: { policy: () => policy } })
  const phone = await room.ready()
  policy = { ...defaultPolicy, AllowCamera: false as true }
  assert.equal(said(await phone.call(folderSync)), 143)
  const [first] = await phone.provision()
  const document = child(
    child(child(child(first!.document, 'Provision:Policies'), 'Provision:Policy'), 'Provision:Data'),
    'Provision:EASProvisionDoc',
  )
  assert.equal(text(document, 'Provision:AllowCamera'), '0')
  assert.equal(said(await phone.folderSync('0')), 1)
})

test('an acknowledgement with the wrong key is Policy status 5 (MS-ASPROV_R658), an unknown type 3', async () => {
  await using room = await Room.open()
  const phone = room.phone()
  await phone.provision()
  const acknowledge = (type: string, ...more: Element[]) =>
    phone.call({
      command: 'Provision',
      body: el(
        'Provision:Provision',
        el('Provision:Policies', el('Provision:Policy', el('Provision:PolicyType', type), ...more)),
      ),
    })
  const statusOf = (reply: Reply) =>
    text(child(child(reply.document, 'Provision:Policies'), 'Provision:Policy'), 'Provision:Status')
  const wrong = await acknowledge(
    'MS-EAS-Provisioning-WBXML',
    el('Provision:PolicyKey', 4711),
    el('Provision:Status', 1),
  )
  assert.equal(statusOf(wrong), '5')
  assert.equal(statusOf(await acknowledge('Nonsense')), '3')
})

test('the answer to the acknowledgement is lost: the same final key again', async () => {
  await using room = await Room.open()
  const phone = room.phone()
  phone.loseReplies(2)
  await phone.provision()
  assert.equal(said(await phone.folderSync()), 1)
})

test('14.1 and newer without DeviceInformation is 165; what it says is kept', async () => {
  await using room = await Room.open()
  const phone = room.phone({ version: '14.1' })
  const policies = el(
    'Provision:Policies',
    el('Provision:Policy', el('Provision:PolicyType', 'MS-EAS-Provisioning-WBXML')),
  )
  const reply = await phone.call({ command: 'Provision', body: el('Provision:Provision', policies) })
  assert.equal(said(reply), 165)
  await phone.provision()
  const [device] = await listDevices(room.mailbox)
  assert.equal(device?.information?.model, 'Phone One')
})

test('the device cap: 177, HTTP 403 in 12.1; known devices go on', async () => {
  await using room = await Room.open({ settings: { maxDevices: 1 } })
  const phone = await room.ready()
  const [second] = await room.phone().provision()
  assert.equal(said(second!), 177)
  const [third] = await room.phone({ version: '12.1' }).provision()
  assert.equal(third!.http, 403)
  assert.equal(said(await phone.folderSync()), 1)
})

async function order(room: Room, phone: Phone, wipe: 'none' | 'device' | 'account'): Promise<void> {
  const device = await loadDevice(room.mailbox, phone.settings.deviceId!)
  assert.ok(device)
  await saveDevice(room.mailbox, device, { wipe, wiped: undefined })
}

for (const version of ['12.1', '14.1', '16.1'] as const) {
  test(`${version}: a wipe order stands before everything until it is acknowledged (P19)`, async () => {
    await using room = await Room.open()
    const phone = await room.ready({ version })
    const bystander = await room.ready({ version })
    await order(room, phone, 'device')
    assert.equal(said(await phone.call(folderSync)), version === '12.1' ? 449 : 140)
    const noKey = await phone.call({ ...folderSync, policyKey: undefined })
    assert.equal(said(noKey), version === '12.1' ? 403 : 140, 'MS-ASCMD_R7561')
    // Another name, another version: the order is of the device.
    const disguised = room.phone({ ...phone.settings, userAgent: 'Other/2', deviceType: 'Other', version: '16.1' })
    assert.equal(said(await disguised.call(folderSync)), 140)
    const [told] = await phone.provision()
    assert.ok(has(told!.document, 'Provision:RemoteWipe'))
    assert.ok(!has(told!.document, 'Provision:Policies'), 'no policy under a wipe')
    const report = (status: number) =>
      phone.call({
        command: 'Provision',
        body: el('Provision:Provision', el('Provision:RemoteWipe', el('Provision:Status', status))),
      })
    const failed = await report(2)
    assert.equal(text(failed.document, 'Provision:Status'), '2', 'MS-ASPROV_R665')
    assert.ok(has(failed.document, 'Provision:RemoteWipe'), 'MS-ASPROV_R701')
    const done = await report(1)
    assert.equal(text(done.document, 'Provision:Status'), '1', 'MS-ASPROV_R664')
    assert.equal(
      said(await phone.call(folderSync)),
      version === '12.1' ? 403 : 129,
      'blocked until the order is taken back',
    )
    assert.equal(said(await bystander.folderSync()), 1)
    await order(room, phone, 'none')
    await phone.provision()
    assert.equal(said(await phone.folderSync('0')), 1)
  })
}

for (const version of ['12.1', '16.1'] as const) {
  test(`${version}: an order ends what the device waits for, and its next request hears of it`, async () => {
    await using room = await Room.open()
    const orders = [
      [{ wipe: 'device', wiped: undefined, access: undefined }, version === '12.1' ? 449 : 140],
      [{ wipe: 'none', wiped: undefined, access: 'blocked' }, version === '12.1' ? 403 : 129],
    ] as const
    for (const [order, status] of orders) {
      const phone = await room.ready({ version })
      const inbox = phone.folderOfType(2)
      await phone.syncAll(inbox)
      const bystander = await room.ready({ version })
      await bystander.syncAll(inbox)
      const device = await loadDevice(room.mailbox, phone.settings.deviceId!)
      assert.ok(device)
      const waits = [
        () => phone.ping(480, [inbox]).then((rung) => rung.status),
        () => phone.sync(inbox, { waitMinutes: 8 }).then((synced) => synced.document),
      ]
      for (const [index, wait] of waits.entries()) {
        const held = room.eas.held
        const ended = wait()
        while (room.eas.held === held) await new Promise((resolve) => setTimeout(resolve, 10))
        const others = bystander.ping(480, [inbox])
        while (room.eas.held === held + 1) await new Promise((resolve) => setTimeout(resolve, 10))
        await room.eas.order(room.mailbox, device, order)
        assert.equal(await ended, index === 0 ? 1 : undefined)
        assert.equal(said(await phone.call(folderSync)), status)
        assert.equal(room.eas.held, held + 1, 'other devices wait on')
        await room.eas.order(room.mailbox, device, { wipe: 'none', wiped: undefined, access: undefined })
        await room.deliver('new')
        assert.equal((await others).status, 2)
        await bystander.syncAll(inbox)
        await phone.syncAll(inbox)
      }
    }
  })
}

test('16.1: an account-only wipe is told as such; older versions get the whole wipe', async () => {
  await using room = await Room.open()
  for (const [version, tag] of [
    ['16.1', 'Provision:AccountOnlyRemoteWipe'],
    ['14.1', 'Provision:RemoteWipe'],
  ] as const) {
    const phone = await room.ready({ version })
    await order(room, phone, 'account')
    const [told] = await phone.provision()
    assert.ok(has(told!.document, tag), version)
  }
})

test('a wipe order outlives the partnership: the device that comes back is told', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  await order(room, phone, 'device')
  await room.write(...removeDevice(phone.settings.deviceId!))
  assert.deepEqual(await listDevices(room.mailbox), [])
  assert.equal(said(await phone.call(folderSync)), 140)
  const [told] = await phone.provision()
  assert.ok(has(told!.document, 'Provision:RemoteWipe'))
})

test('an order given while a request is on its way is not written over', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const before = await loadDevice(room.mailbox, phone.settings.deviceId!)
  assert.ok(before)
  await order(room, phone, 'device')
  await saveDevice(room.mailbox, before, { lastSeen: 1 })
  assert.equal((await loadDevice(room.mailbox, phone.settings.deviceId!))?.wipe, 'device')
})

test('what is on its way when a device is removed does not bring it back, nor leave states of it', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const id = phone.settings.deviceId!
  const before = await loadDevice(room.mailbox, id)
  assert.ok(before)
  const inbox = phone.folderOfType(2)
  await phone.syncAll(inbox)
  const waiting = phone.ping(60, [inbox])
  await until('the Ping waits', () => room.eas.held === 1, 60_000)
  await room.write(...removeDevice(id))
  const parent = await room.folder('msgfolderroot')
  await room.write({ op: 'createFolder', parent: parent.id, name: 'New', class: 'IPF.Note' })
  assert.equal((await waiting).status, 7)
  await saveDevice(room.mailbox, before, { policyKey: 7 })
  assert.deepEqual(await listDevices(room.mailbox), [])
  assert.deepEqual(await room.mailbox.state(`activesync/${id}`, ''), [])
  // It comes back as any other does.
  await phone.provision()
  assert.deepEqual(
    (await listDevices(room.mailbox)).map((one) => one.id),
    [id],
  )
})

test('a blocked device is 129, HTTP 403 in 12.1', async () => {
  await using room = await Room.open()
  for (const [version, status] of [
    ['12.1', 403],
    ['16.1', 129],
  ] as const) {
    const phone = await room.ready({ version })
    const device = await loadDevice(room.mailbox, phone.settings.deviceId!)
    await saveDevice(room.mailbox, device!, { access: 'blocked' })
    assert.equal(said(await phone.call(folderSync)), status)
  }
})

test('a new device in quarantine: 129, its user and the administrators are told once; one that is let in goes on', async () => {
  const settings: { defaultAccessLevel: AccessLevel } = { defaultAccessLevel: 'allow' }
  const boss = (base: MailboxEntry): MailboxEntry => ({
    ...base,
    mailbox: mailboxId(base.mailbox + 1),
    address: 'boss@example.com',
    language: 'fr',
    isAdministrator: true,
  })
  await using room = await Room.open({
    settings,
    directory: (base) => ({
      ...base,
      mailboxes: () => [...base.mailboxes()].flatMap((one) => [one, boss(one)]),
    }),
  })
  const known = await room.ready()
  settings.defaultAccessLevel = 'quarantine'
  const port = await room.twin()
  const phone = room.phone({ port })
  phone.loseReplies(2)
  await phone.provision()
  assert.equal(said(await phone.folderSync()), 129)
  assert.deepEqual(
    room.sent.map(({ from, recipients }) => [from, recipients[0]?.address]),
    [
      ['', 'alice@example.com'],
      ['', 'boss@example.com'],
    ],
  )
  const [user, administrator] = room.sent.map(({ message }) => Buffer.from(message).toString())
  const { deviceId = '' } = phone.settings
  assert.match(user ?? '', /Phone One, PhoneOS 1\.0 \(Phone, Phone\/1\.0\)/)
  assert.match(administrator ?? '', new RegExp(`postrider device allow alice@example\\.com ${deviceId}`))
  assert.match(administrator ?? '', /Auto-Submitted: auto-generated/)
  const device = await loadDevice(room.mailbox, deviceId)
  assert.equal(device?.access, 'quarantined')
  await saveDevice(room.mailbox, device as DeviceRecord, { access: 'allowed' })
  assert.equal(said(await phone.folderSync()), 1)
  // Who had a partnership before keeps it, also when it takes the policy anew.
  const again = room.phone({ port, deviceId: known.settings.deviceId })
  await again.provision()
  assert.equal(said(await again.folderSync()), 1)
  assert.equal(room.sent.length, 2)
})

test('new devices are shut out where the organisation says so', async () => {
  await using room = await Room.open({ settings: { defaultAccessLevel: 'block' } })
  const phone = room.phone()
  await phone.provision()
  assert.equal(said(await phone.folderSync()), 129)
  assert.equal(room.sent.length, 0)
})
