import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeOof, encodeOof, OOF_STATE, oofDefault, oofReplyAt } from '@postrider/domain'
import type { Phone, Reply } from '@postrider/testkit/activesync'
import { type Child, child, children, type Element, el, has, text } from '@postrider/wire/wbxml'
import { defaultPolicy } from '../policy/policy.ts'
import { type DeviceRecord, loadDevice, saveDevice } from '../state/device.ts'
import { recoveryOf } from '../state/recovery.ts'
import { crowd } from './mails.ts'
import { installationSecret, Room } from './room.ts'

const settings = (phone: Phone, ...properties: Child[]): Promise<Reply> =>
  phone.call({ command: 'Settings', body: el('Settings:Settings', ...properties) })
const outer = (reply: Reply) => text(reply.document, 'Settings:Status')

const oof = async (phone: Phone, ...content: Child[]): Promise<Element | undefined> =>
  child((await settings(phone, el('Settings:Oof', ...content))).document, 'Settings:Oof')
const get = (bodyType = 'Text') => el('Settings:Get', el('Settings:BodyType', bodyType))
const set = (...content: Child[]) => el('Settings:Set', ...content)
const state = (value: number | string) => el('Settings:OofState', value)
const times = (start: string, end: string) => [el('Settings:StartTime', start), el('Settings:EndTime', end)]
const message = (
  audience: 'Internal' | 'ExternalKnown' | 'ExternalUnknown',
  enabled: number | string,
  reply?: string,
  bodyType?: string,
) =>
  el(
    'Settings:OofMessage',
    el(`Settings:AppliesTo${audience}`),
    el('Settings:Enabled', enabled),
    reply !== undefined && el('Settings:ReplyMessage', reply),
    bodyType !== undefined && el('Settings:BodyType', bodyType),
  )
const from = '2026-11-21T08:00:00.000Z'
const to = '2026-11-28T08:00:00.000Z'

/** What a Get says: state, times, and of each audience whether it is on and what it is told. */
function shown(element: Element | undefined) {
  const got = child(element, 'Settings:Get')
  return {
    status: text(element, 'Settings:Status'),
    state: text(got, 'Settings:OofState'),
    times: [text(got, 'Settings:StartTime'), text(got, 'Settings:EndTime')],
    messages: children(got, 'Settings:OofMessage').map((one) => [
      ['Internal', 'ExternalKnown', 'ExternalUnknown'].find((audience) =>
        has(one, `Settings:AppliesTo${audience}` as 'Settings:AppliesToInternal'),
      ),
      text(one, 'Settings:Enabled'),
      text(one, 'Settings:ReplyMessage'),
      text(one, 'Settings:BodyType'),
    ]),
  }
}

for (const version of ['12.1', '14.1', '16.1'] as const) {
  test(`${version}: out of office, written and read, and what the delivery reads`, async () => {
    await using room = await Room.open()
    const phone = await room.ready({ version })
    assert.deepEqual(shown(await oof(phone, get())), {
      status: '1',
      state: '0',
      times: [undefined, undefined],
      messages: [
        ['Internal', '0', undefined, undefined],
        ['ExternalKnown', '0', undefined, undefined],
        ['ExternalUnknown', '0', undefined, undefined],
      ],
    })
    const written = await oof(
      phone,
      set(
        state(2),
        ...times(from, to),
        message('Internal', 1, '<p>Away &amp; gone</p>', 'HTML'),
        message('ExternalKnown', 1, 'Away', 'Text'),
        message('ExternalUnknown', 0),
      ),
    )
    assert.equal(text(written, 'Settings:Status'), '1')
    assert.ok(!has(written, 'Settings:Get'))
    assert.deepEqual(shown(await oof(phone, get('Text'))), {
      status: '1',
      state: '2',
      times: [from, to],
      messages: [
        ['Internal', '1', 'Away & gone', 'Text'],
        ['ExternalKnown', '1', 'Away', 'Text'],
        ['ExternalUnknown', '0', undefined, undefined],
      ],
    })
    assert.match(shown(await oof(phone, get('HTML'))).messages[1]?.[2] ?? '', /<html>.*Away/s)
    const [entry] = await room.mailbox.state(OOF_STATE.client, OOF_STATE.key)
    const record = decodeOof(entry?.value)
    assert.equal(oofReplyAt(record, 'internal', Date.parse(from))?.message, '<p>Away &amp; gone</p>')
    assert.equal(oofReplyAt(record, 'externalUnknown', Date.parse(from)), undefined)
    assert.equal(oofReplyAt(record, 'internal', Date.parse(to)), undefined)
  })
}

test('what a Set does not name stays; without a schedule times are not kept (MS-ASCMD_R3535, R7544)', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  await oof(phone, set(state(2), ...times(from, to), message('Internal', 1, 'Away', 'Text')))
  assert.equal(text(await oof(phone, set(state(1), ...times(from, to))), 'Settings:Status'), '1')
  const after = shown(await oof(phone, get()))
  assert.deepEqual([after.state, after.times], ['1', [undefined, undefined]])
  assert.equal(after.messages[0]?.[2], 'Away')
  await oof(phone, set(message('Internal', 0)))
  assert.deepEqual(shown(await oof(phone, get())).messages[0], ['Internal', '0', 'Away', 'Text'])
})

test('a phone that sends back what it was shown takes no form of the message away', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const both = { enabled: true, bodyType: 'html', message: '<p>Away</p>', text: 'Plainly\naway' } as const
  const before = { ...oofDefault, state: 'enabled', replies: { ...oofDefault.replies, internal: both } } as const
  await room.mailbox.apply([{ op: 'putState', ...OOF_STATE, value: encodeOof(before) }])
  const internal = async () => {
    const [entry] = await room.mailbox.state(OOF_STATE.client, OOF_STATE.key)
    return decodeOof(entry?.value).replies.internal
  }
  assert.equal(shown(await oof(phone, get('Text'))).messages[0]?.[2], 'Plainly\r\naway')
  await oof(phone, set(message('Internal', 0, 'Plainly\r\naway', 'Text')))
  assert.deepEqual(await internal(), { ...both, enabled: false })
  await oof(phone, set(message('Internal', 1, 'Otherwise', 'Text')))
  assert.deepEqual(await internal(), { enabled: true, bodyType: 'text', message: 'Otherwise' })
})

test('an Oof that is not right changes nothing', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const table: [string, string, Child[]][] = [
    ['MS-ASCMD_R2272: a start alone', '2', [set(state(2), el('Settings:StartTime', from))]],
    ['MS-ASCMD_R5681: an end alone', '2', [set(state(2), el('Settings:EndTime', to))]],
    ['a schedule without times', '2', [set(state(2))]],
    ['the end before the start', '6', [set(state(2), ...times(to, from))]],
    ['a time that is none', '5', [set(state(2), ...times('x', to))]],
    ['a state there is not', '5', [set(state(3))]],
    ['MS-ASCMD_R816: a message without its form', '2', [set(state(1), message('Internal', 1, 'x'))]],
    ['a form there is not', '5', [set(state(1), message('Internal', 1, 'x', 'RTF'))]],
    ['Enabled that is no boolean', '5', [set(state(1), message('Internal', 'x'))]],
    ['a message too long', '5', [set(state(1), message('Internal', 1, 'x'.repeat(128 * 1024 + 1), 'Text'))]],
    ['MS-ASCMD_R3517: nobody named', '5', [set(el('Settings:OofMessage', el('Settings:Enabled', 1)))]],
    ['one audience twice', '6', [set(message('Internal', 1), message('Internal', 0))]],
    ['neither Get nor Set', '2', []],
    ['both', '2', [get(), set(state(1))]],
    ['a Get without its form', '2', [el('Settings:Get')]],
  ]
  for (const [what, status, content] of table) {
    assert.equal(text(await oof(phone, ...content), 'Settings:Status'), status, what)
  }
  assert.equal((await room.mailbox.state(OOF_STATE.client)).length, 0)
})

test('UserInformation: addresses alone up to 14.0, in an account from 14.1 on (MS-ASCMD_R6672, R729)', async () => {
  await using room = await Room.open({ directory: crowd })
  const read = async (version: '12.1' | '14.0' | '14.1' | '16.1') => {
    const reply = await settings(await room.ready({ version }), el('Settings:UserInformation', el('Settings:Get')))
    const got = child(child(reply.document, 'Settings:UserInformation'), 'Settings:Get')
    const account = child(child(got, 'Settings:Accounts'), 'Settings:Account')
    const addresses = child(account ?? got, 'Settings:EmailAddresses')
    return {
      name: text(account, 'Settings:UserDisplayName'),
      id: text(account, 'Settings:AccountId'),
      addresses: children(addresses, 'Settings:SMTPAddress').map((one) => one.children[0]),
      primary: text(addresses, 'Settings:PrimarySmtpAddress'),
    }
  }
  const addresses = ['alice@example.com', 'ally@example.com']
  for (const version of ['12.1', '14.0'] as const) {
    assert.deepEqual(await read(version), { name: undefined, id: undefined, addresses, primary: undefined })
  }
  for (const version of ['14.1', '16.1'] as const) {
    assert.deepEqual(await read(version), {
      name: 'Alice Example',
      id: undefined,
      addresses,
      primary: 'alice@example.com',
    })
  }
})

test('DeviceInformation is kept with the partnership; without Set it is an error', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const told = await settings(
    phone,
    el('Settings:DeviceInformation', set(el('Settings:Model', 'M1'), el('Settings:IMEI', 'any form'))),
  )
  assert.equal(text(child(told.document, 'Settings:DeviceInformation'), 'Settings:Status'), '1')
  const device = await loadDevice(room.mailbox, 'PHONE0001')
  assert.deepEqual([device?.information?.model, device?.information?.imei], ['M1', 'any form'])
  const wrong = await settings(phone, el('Settings:DeviceInformation'))
  assert.equal(text(child(wrong.document, 'Settings:DeviceInformation'), 'Settings:Status'), '2')
})

test('DevicePassword: as the policy says (MS-ASCMD_R4402, R4400, R2184)', async () => {
  const password = (value: string) => el('Settings:DevicePassword', set(el('Settings:Password', value)))
  const status = async (phone: Phone, property: Element) =>
    text(child((await settings(phone, property)).document, 'Settings:DevicePassword'), 'Settings:Status')
  {
    await using room = await Room.open()
    assert.equal(await status(await room.ready(), password('1234')), '7')
  }
  await using room = await Room.open({
    settings: { policy: () => ({ ...defaultPolicy, PasswordRecoveryEnabled: true }) },
  })
  const phone = await room.ready()
  assert.equal(await status(phone, password('1234')), '1')
  const stored = async () => (await loadDevice(room.mailbox, 'PHONE0001')) as DeviceRecord
  assert.equal(recoveryOf(installationSecret, room.mailbox.mailbox, await stored()), '1234')
  assert.doesNotMatch(JSON.stringify(await stored()), /1234"/, 'nobody reads it from the database')
  assert.equal(recoveryOf(Buffer.alloc(32, 2), room.mailbox.mailbox, await stored()), undefined)
  assert.equal(await status(phone, password('x'.repeat(256))), '5')
  assert.equal(await status(phone, el('Settings:DevicePassword')), '2')
  assert.equal(await status(phone, password('')), '1')
  assert.equal(recoveryOf(installationSecret, room.mailbox.mailbox, await stored()), undefined)
  // What an older release kept is shown, and goes with the next change.
  await saveDevice(room.mailbox, await stored(), { recoveryPassword: 'old' })
  assert.equal(recoveryOf(installationSecret, room.mailbox.mailbox, await stored()), 'old')
  assert.equal(await status(phone, password('new')), '1')
  assert.equal(recoveryOf(installationSecret, room.mailbox.mailbox, await stored()), 'new')
  assert.equal((await stored()).recoveryPassword, undefined)
})

test('no rights management: no templates', async () => {
  await using room = await Room.open()
  const reply = await settings(await room.ready(), el('Settings:RightsManagementInformation', el('Settings:Get')))
  const property = child(reply.document, 'Settings:RightsManagementInformation')
  assert.equal(text(property, 'Settings:Status'), '1')
  assert.ok(has(child(property, 'Settings:Get'), 'RightsManagement:RightsManagementTemplates'))
})

test('MS-ASCMD_R480, R483: answers in the order of the request; what is no request is 2', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const user = el('Settings:UserInformation', el('Settings:Get'))
  const oofGet = el('Settings:Oof', get())
  for (const order of [
    [user, oofGet],
    [oofGet, user],
  ]) {
    const reply = await settings(phone, ...order)
    assert.equal(outer(reply), '1')
    assert.deepEqual(
      children(reply.document)
        .slice(1)
        .map(({ tag }) => tag),
      order.map(({ tag }) => tag),
    )
    for (const property of children(reply.document).slice(1)) {
      assert.equal((property.children[0] as Element).tag, 'Settings:Status', 'MS-ASCMD_R486')
    }
  }
  assert.equal(outer(await settings(phone)), '2')
  assert.equal(outer(await settings(phone, el('Settings:Model', 'x'))), '2')
  assert.equal(outer(await settings(phone, user, user)), '2')
})
