import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noMeter, silentLog, systemClock, TimerWheel } from '@postrider/domain'
import { createAuthenticator, openDirectory } from '@postrider/store/directory'
import { openMemoryStore } from '@postrider/store/memory'
import { createTransport } from '@postrider/transport'
import { clientFrontend, defaultFrontend, smtpService } from '../index.ts'
import { FakeConnection } from './harness.ts'

const HOST = 'mail.example.com'

/** The real transport behind the real sessions. */
async function program() {
  const hashCost = { memory: 8, passes: 1 }
  const directory = openDirectory({ file: ':memory:', hashCost })
  await directory.addDomain('example.com', 'Authoritative')
  const store = openMemoryStore()
  const add = async (name: string) => {
    const entry = await directory.addMailbox({ address: `${name}@example.com`, password: `${name} pass` })
    await store.create(entry.mailbox, { language: 'en', quota: undefined, database: entry.database })
    return entry
  }
  const bob = await add('bob')
  const alice = await add('alice')
  const transport = createTransport({ service: store, directory, settings: { fqdn: HOST } })
  const authenticator = createAuthenticator({ directory, hashCost })
  const wheel = new TimerWheel()
  const services = { directory, authenticator, clock: systemClock, wheel, log: silentLog, meter: noMeter }
  const service = smtpService({ ...services, intake: transport.intake })
  const inbox = async (entry: typeof bob) => {
    const folder = (await store.folders(entry.mailbox)).find((one) => one.role === 'inbox')!
    const rows = await store.scan(entry.mailbox, { folder: folder.id, columns: ['mid'] })
    const items = await store.get(entry.mailbox, { by: { mids: [...rows.mid] as never[] }, columns: ['original'] })
    return Promise.all(
      items.map(async (item) => Buffer.from(await store.blob(entry.mailbox, item.original!)).toString()),
    )
  }
  const connect = async (kind: 'mx' | 'submission') => {
    const connection = new FakeConnection(kind === 'submission', '192.0.2.7')
    service.accept(connection, [kind === 'mx' ? defaultFrontend(HOST) : clientFrontend(HOST)])
    await connection.reply()
    await connection.talk('EHLO client.example')
    return connection
  }
  return { store, directory, bob, alice, transport, inbox, connect }
}

test('MX to mailbox: when the client reads 250 the message can be read', async () => {
  const p = await program()
  const client = await p.connect('mx')
  const text = 'From: a@x.example\r\nSubject: hi\r\n\r\nbody\r\n'
  await client.talk('MAIL FROM:<a@x.example>', 'RCPT TO:<bob@example.com>', 'RCPT TO:<alice@example.com>', 'DATA')
  client.send(`${text}.\r\n`)
  assert.match(await client.reply(), /^250 2\.6\.0/)
  for (const entry of [p.bob, p.alice]) {
    const [stored] = await p.inbox(entry)
    assert.ok(stored!.startsWith('Return-Path: <a@x.example>\r\nReceived: from client.example ([192.0.2.7])'))
    assert.ok(stored!.endsWith(text))
  }
})

test('R29: a submission goes to colleagues at once and to the rest of the world by the queue', async () => {
  const p = await program()
  const client = await p.connect('submission')
  await client.talk(`AUTH PLAIN ${Buffer.from('\0bob@example.com\0bob pass').toString('base64')}`)
  await client.talk('MAIL FROM:<bob@example.com>', 'RCPT TO:<alice@example.com>', 'RCPT TO:<x@remote.example>', 'DATA')
  client.send('Subject: hi\r\nBcc: secret@remote.example\r\n\r\nbody\r\n.\r\n')
  assert.match(await client.reply(), /^250 2\.6\.0/)
  const [stored] = await p.inbox(p.alice)
  assert.match(stored!, /with ESMTPSA id/)
  assert.doesNotMatch(stored!, /secret/)
  const rows = await p.store.queueList({ limit: 10 })
  assert.deepEqual(
    rows.map((row) => [row.mailbox, row.from, row.destination]),
    [[p.bob.mailbox, 'bob@example.com', 'remote.example']],
  )
})
