import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { decodeOof, OOF_STATE } from '@postrider/domain'
import type { Args, JmapClient, JmapError } from '@postrider/testkit/jmap'
import { Room } from './room.ts'

const fails = (type: string) => (error: unknown) => (error as JmapError).type === type

async function draft(client: JmapClient, more: object = {}): Promise<string> {
  const { created, notCreated } = await client.call('Email/set', {
    create: {
      d: {
        mailboxIds: { F4: true },
        keywords: { $draft: true },
        from: [{ name: null, email: 'alice@example.com' }],
        to: [{ name: null, email: 'bob@example.com' }],
        bcc: [{ name: null, email: 'carol@example.net' }],
        subject: 'Hi',
        bodyValues: { t: { value: 'Text' } },
        textBody: [{ partId: 't', type: 'text/plain' }],
        ...more,
      },
    },
  })
  assert.equal(notCreated, null)
  return created.d.id
}
const identity = async (client: JmapClient): Promise<string> => (await client.call('Identity/get')).list[0].id
const held = (seconds: number) => ({
  mailFrom: { email: 'alice@example.com', parameters: { HOLDFOR: String(seconds) } },
  rcptTo: [{ email: 'bob@example.com', parameters: null }],
})

test('RFC 8621 §7.5: a mail leaves without its Bcc, moves to Sent by onSuccessUpdateEmail', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const emailId = await draft(client)
  const answers = await client.request([
    [
      'EmailSubmission/set',
      {
        accountId: 'A1',
        create: { s: { identityId: await identity(client), emailId } },
        onSuccessUpdateEmail: { '#s': { mailboxIds: { F5: true }, 'keywords/$draft': null } },
      },
      'c',
    ],
  ])
  assert.deepEqual(
    answers.map(([name, , id]) => [name, id]),
    [
      ['EmailSubmission/set', 'c'],
      ['Email/set', 'c'],
    ],
  )
  const [[, submitted]] = answers as [[string, Args, string]]
  const { id, undoStatus, envelope } = submitted.created.s
  assert.equal(undoStatus, 'final')
  assert.deepEqual(
    envelope.rcptTo.map((one: Args) => one.email),
    ['bob@example.com', 'carol@example.net'],
  )
  const [sent] = room.sent
  assert.deepEqual(
    [sent?.from, sent?.recipients.map((one) => one.address)],
    ['alice@example.com', ['bob@example.com', 'carol@example.net']],
  )
  const text = Buffer.from(sent?.message ?? []).toString()
  assert.match(text, /^Subject: Hi\r$/m)
  assert.doesNotMatch(text, /bcc|carol/i)
  const { list } = await client.call('Email/get', { ids: [emailId], properties: ['mailboxIds', 'keywords'] })
  assert.deepEqual(list, [{ id: emailId, mailboxIds: { F5: true }, keywords: {} }])
  const got = await client.call('EmailSubmission/get', { ids: [id] })
  assert.equal(got.list[0].deliveryStatus['bob@example.com'].delivered, 'queued')
})

test('RFC 8621 §7.5: what may not leave, and why', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const identityId = await identity(client)
  const send = async (emailId: string, more: object = {}) => {
    const { notCreated } = await client.call('EmailSubmission/set', { create: { s: { identityId, emailId, ...more } } })
    return notCreated?.s.type
  }
  assert.equal(await send('M999'), 'invalidProperties')
  assert.equal(await send(await draft(client), { identityId: 'Dnone' }), 'invalidProperties')
  assert.equal(await send(await draft(client, { from: [{ name: null, email: 'bob@example.com' }] })), 'forbiddenFrom')
  assert.equal(await send(await draft(client, { from: null })), 'invalidEmail')
  assert.equal(await send(await draft(client, { to: null, bcc: null })), 'noRecipients')
  const emailId = await draft(client)
  const rcptTo = [{ email: 'bob@example.com' }]
  assert.equal(
    await send(emailId, { envelope: { mailFrom: { email: 'bob@example.com' }, rcptTo } }),
    'forbiddenMailFrom',
  )
  assert.equal(
    await send(emailId, { envelope: { mailFrom: { email: 'alice@example.com' }, rcptTo: [{ email: 'no address' }] } }),
    'invalidRecipients',
  )
  assert.equal(
    await send(emailId, { envelope: { mailFrom: { email: 'alice@example.com', parameters: { X: null } }, rcptTo } }),
    'invalidProperties',
  )
  room.refusals.push({ ok: false, reason: 'tooManyRecipients', detail: '' })
  assert.equal(await send(emailId), 'tooManyRecipients')
  assert.equal(room.sent.length, 0)
  assert.equal((await client.call('EmailSubmission/get')).list.length, 0, 'what was refused leaves nothing')
})

test('RFC 8621 §7, RFC 4865: a held mail can be called back, or leaves at its time, also when its draft is gone and the program started anew', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const identityId = await identity(client)
  const emailId = await draft(client)
  const { state } = await client.call('EmailSubmission/get')
  const made = await client.call('EmailSubmission/set', {
    create: { a: { identityId, emailId, envelope: held(60) }, b: { identityId, emailId, envelope: held(1) } },
  })
  const [a, b] = [made.created.a, made.created.b]
  assert.deepEqual([a.undoStatus, b.undoStatus], ['pending', 'pending'])
  assert.equal((await client.call('EmailSubmission/set', { destroy: [a.id] })).notDestroyed[a.id].type, 'forbidden')
  const undone = await client.call('EmailSubmission/set', { update: { [a.id]: { undoStatus: 'canceled' } } })
  assert.deepEqual({ ...undone.updated }, { [a.id]: null })
  await client.call('Email/set', { destroy: [emailId] })
  await room.restart()
  assert.equal(room.sent.length, 0)
  for (let i = 0; i < 100 && room.sent.length === 0; i++) await sleep(50)
  assert.equal(room.sent.length, 1)
  assert.match(Buffer.from(room.sent[0]?.message ?? []).toString(), /^Subject: Hi\r$/m)
  const { list } = await client.call('EmailSubmission/get', { ids: [a.id, b.id], properties: ['undoStatus'] })
  assert.deepEqual(
    list.map((one: Args) => one.undoStatus),
    ['canceled', 'final'],
  )
  assert.equal(
    (await client.call('EmailSubmission/set', { update: { [b.id]: { undoStatus: 'canceled' } } })).notUpdated[b.id]
      .type,
    'cannotUnsend',
  )
  const changes = await client.call('EmailSubmission/changes', { sinceState: state })
  assert.deepEqual([...changes.created].sort(), [a.id, b.id].sort())
  const pages = await client.call('EmailSubmission/changes', { sinceState: state, maxChanges: 1 })
  assert.equal(pages.hasMoreChanges, true)
  assert.deepEqual((await client.call('EmailSubmission/query', { filter: { undoStatus: 'canceled' } })).ids, [a.id])
  await room.restart()
  await sleep(100)
  assert.equal(room.sent.length, 1, 'once')
  assert.deepEqual([...(await (await room.mailbox()).state('jmap-outbox'))], [], 'no copies are left')
})

test('RFC 8621 §6: every address is an identity; signatures are kept, others may be added', async () => {
  await using room = await Room.open([{ aliases: ['al@example.com'] }])
  const client = await room.client()
  const first = await client.call('Identity/get')
  assert.deepEqual(
    first.list.map((one: Args) => [one.email, one.mayDelete]),
    [
      ['alice@example.com', false],
      ['al@example.com', false],
    ],
  )
  const id = first.list[1].id
  const set = await client.call('Identity/set', {
    update: { [id]: { textSignature: '-- \nAl' }, [first.list[0].id]: { email: 'x@example.com' } },
    create: { mine: { name: 'Me', email: 'alice@example.com' }, no: { email: 'bob@example.com' } },
    destroy: [id],
  })
  assert.deepEqual(
    [set.notCreated.no.type, set.notUpdated[first.list[0].id].type, set.notDestroyed[id].type],
    ['forbiddenFrom', 'invalidProperties', 'forbidden'],
  )
  const changes = await client.call('Identity/changes', { sinceState: first.state })
  assert.deepEqual([changes.created, changes.updated], [[set.created.mine.id], [id]])
  assert.equal(
    (await client.call('Identity/get', { ids: [id], properties: ['textSignature'] })).list[0].textSignature,
    '-- \nAl',
  )
  assert.deepEqual((await client.call('Identity/set', { destroy: [set.created.mine.id] })).destroyed, [
    set.created.mine.id,
  ])
  await assert.rejects(client.call('Identity/set', { ifInState: first.state }), fails('stateMismatch'))
})

test('RFC 8621 §8: the vacation response is the out-of-office answer all clients see', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const before = await client.call('VacationResponse/get')
  assert.deepEqual(before.list[0], {
    id: 'singleton',
    isEnabled: false,
    fromDate: null,
    toDate: null,
    subject: null,
    textBody: null,
    htmlBody: null,
  })
  const answer = await client.call('VacationResponse/set', {
    update: { singleton: { isEnabled: true, fromDate: '2026-12-20T00:00:00Z', textBody: 'Away' } },
    create: { x: {} },
    destroy: ['singleton'],
  })
  assert.deepEqual([answer.notCreated.x.type, answer.notDestroyed.singleton.type], ['singleton', 'singleton'])
  const [entry] = await (await room.mailbox()).state(OOF_STATE.client, OOF_STATE.key)
  const oof = decodeOof(entry?.value)
  assert.deepEqual(
    [oof.state, oof.replies.externalUnknown],
    ['scheduled', { enabled: true, bodyType: 'text', message: 'Away' }],
  )
  const after = (await client.call('VacationResponse/get', { ids: ['singleton'] })).list[0]
  assert.deepEqual(
    [after.isEnabled, after.fromDate, after.toDate, after.textBody],
    [true, '2026-12-20T00:00:00Z', null, 'Away'],
  )
  const worded = await client.call('VacationResponse/set', { update: { singleton: { subject: 'I am away' } } })
  assert.deepEqual(worded.updated, { singleton: null })
  assert.equal((await client.call('VacationResponse/get')).list[0].subject, 'I am away')
  const refused = await client.call('VacationResponse/set', { update: { singleton: { subject: 'x'.repeat(999) } } })
  assert.equal(refused.notUpdated.singleton.type, 'invalidProperties')
  await client.call('VacationResponse/set', { update: { singleton: { isEnabled: false } } })
  assert.equal((await client.call('VacationResponse/get')).list[0].textBody, 'Away')
})

test('RFC 8621 §8: text and HTML of the vacation response are kept beside one another, each as it was written', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const set = (patch: object) => client.call('VacationResponse/set', { update: { singleton: patch } })
  const bodies = async () => {
    const [now] = (await client.call('VacationResponse/get')).list
    return [now.textBody, now.htmlBody]
  }
  const both = { isEnabled: true, textBody: 'Away, plainly', htmlBody: '<p>Away</p>' }
  assert.deepEqual((await set(both)).updated, { singleton: null })
  assert.deepEqual(await bodies(), ['Away, plainly', '<p>Away</p>'])
  await set({ textBody: 'Otherwise' })
  assert.deepEqual(await bodies(), ['Otherwise', '<p>Away</p>'])
  const { inside } = (await client.call('AutomaticReplies/get')).list[0]
  assert.deepEqual([inside.bodyType, inside.message], ['html', '<p>Away</p>'])
  await client.call('AutomaticReplies/set', { update: { singleton: { subject: 'Out' } } })
  assert.deepEqual(await bodies(), ['Otherwise', '<p>Away</p>'], 'settings that leave the message leave its text')
  await set({ textBody: null })
  assert.deepEqual(await bodies(), [null, '<p>Away</p>'])
  await set({ textBody: 'Text', htmlBody: null })
  assert.deepEqual(await bodies(), ['Text', null])
  const long = await set({ textBody: 'x'.repeat(128 * 1024 + 1), htmlBody: '<p>Away</p>' })
  assert.deepEqual(long.notUpdated.singleton.properties, ['textBody'])
})
