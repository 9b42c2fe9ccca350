import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DomainError, Flag } from '@postrider/domain'
import { MAIL, MINUTE, world } from './world.ts'

const noSave = { save: undefined, once: undefined }

test('mail from outside lies in the Inbox before it is accepted, with Return-Path and Received, else byte for byte', async () => {
  const w = await world()
  assert.deepEqual(await w.send('a@outside.example', ['bob@example.com']), { outcome: 'accepted' })
  const [text] = await w.text(w.bob.mailbox)
  assert.ok(text!.endsWith(MAIL))
  const added = text!.slice(0, -MAIL.length)
  const received =
    'from client.example ([192.0.2.7]) by mail.example.com (Postrider) with ESMTP id x1 for <bob@example.com>'
  assert.equal(
    added.replace(/\r\n /g, ' ').replace(/;.*/s, ''),
    `Return-Path: <a@outside.example>\r\nReceived: ${received}`,
  )
  assert.deepEqual(await w.queue(), [])
})

test('aliases, groups and doubles: each mailbox gets it once, one stored original a database', async () => {
  const w = await world()
  await w.directory.updateMailbox(w.alice.account, { aliases: ['al@example.com'] })
  await w.directory.addGroup({
    address: 'team@example.com',
    members: ['bob@example.com', 'al@example.com', 'x@remote.example'],
  })
  await w.send('a@outside.example', ['team@example.com', 'bob@example.com', 'alice@example.com', 'carol@example.com'])
  for (const entry of [w.bob, w.alice, w.carol]) assert.equal((await w.items(entry.mailbox)).length, 1)
  const rows = await w.queue()
  assert.deepEqual(
    rows.map((row) => [row.destination, row.recipients.map((one) => one.address), row.from]),
    [['remote.example', ['x@remote.example'], 'a@outside.example']],
  )
  const refs = new Map<string, Set<string>>()
  for (const entry of [w.bob, w.alice, w.carol]) {
    const [item] = await w.items(entry.mailbox)
    refs.set(entry.database, (refs.get(entry.database) ?? new Set()).add(item!.original!))
  }
  for (const set of refs.values()) assert.equal(set.size, 1)
})

test('a failure after the first mailbox is queued, never answered 4xx; the retry delivers exactly once', async () => {
  const w = await world()
  const apply = w.store.apply.bind(w.store)
  let broken = true
  w.store.apply = async (mailbox, operations) => {
    if (broken && mailbox === w.alice.mailbox) throw new DomainError('unavailable')
    return apply(mailbox, operations)
  }
  const all = ['bob@example.com', 'alice@example.com', 'carol@example.com']
  assert.deepEqual(await w.send('a@outside.example', all), { outcome: 'accepted' })
  assert.deepEqual(
    (await w.queue()).map((row) => row.recipients.map((one) => one.address)),
    [['alice@example.com']],
  )
  broken = false
  w.clock.advance(6 * MINUTE)
  await w.run()
  for (const entry of [w.bob, w.alice, w.carol]) assert.equal((await w.items(entry.mailbox)).length, 1)
  assert.deepEqual(await w.queue(), [])
})

test('D1: a crash between a delivery and the end of its row gives no second copy', async () => {
  const w = await world()
  const apply = w.store.apply.bind(w.store)
  let crashed = false
  w.store.apply = async (mailbox, operations) => {
    if (operations.some((one) => one.op === 'queueChange') && !crashed) {
      crashed = true
      throw new DomainError('unavailable')
    }
    return apply(mailbox, operations)
  }
  await w.send('a@outside.example', ['bob@example.com', 'alice@example.com'])
  assert.equal((await w.queue()).length, 1)
  w.clock.advance(2 * MINUTE)
  await w.run()
  assert.equal((await w.items(w.alice.mailbox)).length, 1)
  assert.equal((await w.items(w.bob.mailbox)).length, 1)
  assert.deepEqual(await w.queue(), [])
})

test('P21: a full mailbox refuses alone; among others it becomes a report, and the others get the mail', async () => {
  const w = await world()
  const full = await w.add('full', { quota: 1 })
  assert.deepEqual(await w.send('a@outside.example', ['full@example.com']), { outcome: 'overQuota' })
  assert.equal(await w.transport.intake.hasRoom(full, 0), false)
  assert.equal(await w.transport.intake.hasRoom(w.bob, 1000), true)
  assert.deepEqual(await w.send('alice@example.com', ['full@example.com', 'bob@example.com']), { outcome: 'accepted' })
  assert.equal((await w.items(w.bob.mailbox)).length, 1)
  await w.run()
  const [report] = await w.text(w.alice.mailbox)
  assert.match(report!, /Status: 5\.2\.2/)
  assert.match(report!, /Final-Recipient: rfc822; full@example\.com/)
})

test('D4: a full disk is told as such, at MAIL too, and forgotten by itself', async () => {
  const w = await world()
  const apply = w.store.apply.bind(w.store)
  w.store.apply = async () => {
    throw new DomainError('diskFull')
  }
  assert.deepEqual(await w.send('a@outside.example', ['bob@example.com']), { outcome: 'diskFull' })
  assert.equal(w.transport.intake.condition(), 'diskFull')
  w.store.apply = apply
  w.clock.advance(10_000)
  assert.equal(w.transport.intake.condition(), 'ready')
  assert.deepEqual(await w.send('a@outside.example', ['bob@example.com']), { outcome: 'accepted' })
})

test('relayed mail waits in the system mailbox; unknown recipients are nobody', async () => {
  const w = await world()
  await w.send('scan@printer.example', ['x@remote.example', 'y@other.example'])
  const rows = await w.queue()
  assert.deepEqual(
    rows.map((row) => [row.mailbox, row.destination]),
    [
      [w.system.mailbox, 'remote.example'],
      [w.system.mailbox, 'other.example'],
    ],
  )
  assert.equal(rows[0]!.original, rows[1]!.original)
  assert.deepEqual(await w.send('a@outside.example', ['nobody@example.com']), { outcome: 'unknownRecipient' })
})

test('submission: missing fields are added, Bcc goes, the rest stays', async () => {
  const w = await world()
  const mail =
    'To: alice@example.com\r\nBcc: carol@example.com,\r\n hidden@remote.example\r\nSubject: x\r\n\r\nbody\r\n'
  await w.send('bob@example.com', ['alice@example.com', 'carol@example.com'], mail, { as: w.bob })
  const [text] = await w.text(w.alice.mailbox)
  assert.doesNotMatch(text!, /Bcc|hidden/i)
  assert.match(text!, /\r\nDate: .*\r\nMessage-ID: <[^>]+@example\.com>\r\nFrom: bob <bob@example\.com>\r\n/)
  assert.ok(text!.endsWith('To: alice@example.com\r\nSubject: x\r\n\r\nbody\r\n'))
  assert.doesNotMatch(text!, /for\s+</)
})

test('submission: Bcc is found behind any number of other fields', async () => {
  const w = await world()
  const mail = `From: bob@example.com\r\n${'a:b\r\n'.repeat(6000)}Bcc: secret@remote.example\r\n\r\nx\r\n`
  await w.send('bob@example.com', ['alice@example.com'], mail, { as: w.bob })
  assert.doesNotMatch((await w.text(w.alice.mailbox))[0]!, /secret/)
})

test('a message without any header is a body, not a header', async () => {
  const w = await world()
  await w.send('a@outside.example', ['bob@example.com'], 'just text\r\n')
  const [text] = await w.text(w.bob.mailbox)
  assert.match(text!, /\r\n\r\njust text\r\n$/)
})

test('submit: Sent copy, queue rows and the caller’s operations are one commit', async () => {
  const w = await world()
  const message = Buffer.from(MAIL)
  const copy = Buffer.from(MAIL.replace('Subject', 'Bcc: carol@example.com\r\nSubject'))
  const result = await w.transport.submit({
    principal: w.principal(w.bob),
    from: 'bob@example.com',
    recipients: [{ address: 'alice@example.com' }, { address: 'x@remote.example' }, { address: 'carol@example.com' }],
    message,
    save: { folder: 'sentitems', message: copy },
    once: { key: 'c1', keepMs: 1000 },
    also: [{ op: 'putState', client: 'eas', key: 'k', value: Buffer.from('v') }],
  })
  assert.ok(result.ok && result.saved !== undefined && result.also.length === 1 && result.also[0]!.op === 'putState')
  await w.transport.settled()
  const [sent] = await w.text(w.bob.mailbox, 'sentitems')
  assert.equal(sent, copy.toString())
  assert.equal((await w.items(w.bob.mailbox, 'sentitems'))[0]!.flags, Flag.seen)
  for (const entry of [w.alice, w.carol]) assert.doesNotMatch((await w.text(entry.mailbox))[0]!, /Bcc/)
  assert.equal((await w.store.state(w.bob.mailbox, 'eas'))[0]!.key, 'k')
  assert.deepEqual(
    (await w.queue()).map((row) => row.destination),
    ['remote.example'],
  )
})

test('D11: the same once key sends once, even when its operations could not be done again', async () => {
  const w = await world()
  const folder = (await w.store.folders(w.bob.mailbox)).find((one) => one.role === 'drafts')!.id
  const submission = {
    principal: w.principal(w.bob),
    from: 'bob@example.com',
    recipients: [{ address: 'alice@example.com' }],
    message: Buffer.from(MAIL),
    save: undefined,
    once: { key: 'client-1', keepMs: 100_000 },
  }
  assert.ok((await w.transport.submit(submission)).ok)
  const again = await w.transport.submit({ ...submission, also: [{ op: 'deleteFolder', folder, recursive: true }] })
  assert.ok(!again.ok && again.reason === 'duplicate')
  await w.transport.settled()
  assert.equal((await w.items(w.alice.mailbox)).length, 1)
})

test('submit: refusals name what is wrong, and nothing happens', async () => {
  const w = await world()
  const base = { principal: w.principal(w.bob), from: 'bob@example.com', message: Buffer.from(MAIL), ...noSave }
  const reason = async (change: object) => {
    const result = await w.transport.submit({ ...base, recipients: [{ address: 'alice@example.com' }], ...change })
    return result.ok ? 'ok' : result.reason
  }
  assert.equal(await reason({ recipients: [] }), 'noRecipient')
  assert.equal(await reason({ recipients: [{ address: 'not an address' }] }), 'recipientInvalid')
  assert.equal(await reason({ from: 'alice@example.com' }), 'senderRefused')
  assert.equal(await reason({ message: Buffer.alloc(40 * 1024 * 1024) }), 'tooLarge')
  assert.equal(
    await reason({ recipients: Array.from({ length: 501 }, (_, i) => ({ address: `a${i}@x.example` })) }),
    'tooManyRecipients',
  )
  const mid = 999_999 as never
  assert.equal(await reason({ also: [{ op: 'update', mid }] }), 'sourceGone')
  w.store.apply = async () => {
    throw new DomainError('diskFull')
  }
  assert.equal(await reason({}), 'later')
  assert.deepEqual(await w.queue(), [])
  assert.equal((await w.items(w.alice.mailbox)).length, 0)
})

test('submit to a name that is nobody: sent, and reported back', async () => {
  const w = await world()
  const result = await w.transport.submit({
    principal: w.principal(w.bob),
    from: 'bob@example.com',
    recipients: [{ address: 'alice@example.com' }, { address: 'nobody@example.com' }],
    message: Buffer.from(MAIL),
    ...noSave,
  })
  assert.ok(result.ok)
  await w.transport.settled()
  await w.run()
  assert.equal((await w.items(w.alice.mailbox)).length, 1)
  const [report] = await w.text(w.bob.mailbox)
  assert.match(report!, /Status: 5\.1\.1/)
  assert.match(report!, /Subject: Undeliverable: hello/)
})
