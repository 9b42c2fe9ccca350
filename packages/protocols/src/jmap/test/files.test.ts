import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { events } from '@postrider/testkit/jmap'
import { measureBase64 } from '../mail/message.ts'
import { mail, Room } from './room.ts'

test('RFC 8620 §6: upload and download, by ranges, never to be run by a browser', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const { blobId, type, size } = await client.upload('<script>alert(1)</script>', 'text/html')
  assert.deepEqual([type, size], ['text/html', 25])
  const whole = await client.download(blobId, { name: 'a "b"\r\n.html', type: 'text/html' })
  assert.equal(whole.body.toString(), '<script>alert(1)</script>')
  assert.equal(whole.headers['x-content-type-options'], 'nosniff')
  assert.match(String(whole.headers['content-security-policy']), /sandbox/)
  assert.match(String(whole.headers['content-disposition']), /^attachment; /)
  assert.equal(whole.headers['content-type'], 'text/html')
  const part = await client.download(blobId, { headers: { range: 'bytes=1-6' } })
  assert.deepEqual([part.status, part.body.toString(), part.headers['content-range']], [206, 'script', 'bytes 1-6/25'])
  assert.equal((await client.download(blobId, { headers: { range: 'bytes=25-' } })).status, 416)
  assert.equal(
    (await client.download(blobId, { headers: { 'if-none-match': String(whole.headers.etag) } })).status,
    304,
  )
  assert.equal((await client.download(blobId, { type: 'a\r\nb' })).headers['content-type'], 'text/html')
  for (const bad of ['Unone', 'B1-000000000000', 'B99999999999999999999', '..', 'constructor'])
    assert.equal((await client.download(bad)).status, 404)
  assert.equal(
    (await (await room.client('bob')).http('GET', `/jmap/download/A2/${blobId}/x`)).status,
    404,
    'nobody else’s upload',
  )
  assert.equal((await client.http('POST', '/jmap/upload/A2/', 'x')).status, 404)
  const empty = await client.upload('')
  assert.equal((await client.download(empty.blobId)).body.length, 0)
})

test('a file that came by mail is no script, style or page inside of a page; its name reads as it ends', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const { blobId } = await client.upload('alert(1)', 'text/javascript')
  for (const dest of ['script', 'worker', 'serviceworker', 'style', 'iframe', 'object', 'embed', 'xslt', 'manifest'])
    assert.equal((await client.download(blobId, { headers: { 'sec-fetch-dest': dest } })).status, 403, dest)
  for (const dest of ['image', 'document', 'empty', 'video'])
    assert.equal((await client.download(blobId, { headers: { 'sec-fetch-dest': dest } })).status, 200, dest)
  const { headers } = await client.download(blobId, { name: 'bill\u202efdp.exe' })
  assert.equal(headers['content-disposition'], 'attachment; filename=billfdp.exe')
})

test('RFC 9404: Blob/upload puts pieces together, Blob/get reads and digests, Blob/lookup finds the mail', async () => {
  await using room = await Room.open()
  const { id, thread } = await room.deliver(mail('One'))
  const client = await room.client()
  const { created, notCreated } = await client.call('Blob/upload', {
    create: {
      a: { data: [{ 'data:asText': 'Hello ' }, { 'data:asBase64': 'd29ybGQ=' }], type: 'text/plain' },
      b: { data: [{ blobId: '#a', offset: 6, length: 3 }] },
      c: { data: [{ blobId: '#a', offset: 6, length: 30 }] },
      d: { data: [{ 'data:asText': 'x', blobId: '#a' }] },
    },
  })
  assert.deepEqual(
    [created.a.size, created.b.size, notCreated.c.type, notCreated.d.type],
    [11, 3, 'invalidProperties', 'invalidProperties'],
  )
  const { list } = await client.call('Blob/get', {
    ids: [created.a.id],
    properties: ['data', 'size', 'digest:sha-256'],
    offset: 6,
    length: 9,
  })
  assert.deepEqual(list[0], {
    id: created.a.id,
    isTruncated: true,
    'data:asText': 'world',
    'digest:sha-256': createHash('sha256').update('world').digest('base64'),
    size: 11,
  })
  const { blobId } = (await client.call('Email/get', { ids: [id], properties: ['blobId'] })).list[0]
  const found = await client.call('Blob/lookup', { typeNames: ['Email', 'Thread', 'Mailbox'], ids: [blobId, 'Bnone'] })
  assert.deepEqual(found.list, [{ id: blobId, matchedIds: { Email: [id], Thread: [thread], Mailbox: ['F3'] } }])
  assert.deepEqual(found.notFound, ['Bnone'])
})

test('RFC 9425: the quota is the mailbox’s, and none where there is none', async () => {
  await using room = await Room.open([{ quota: 1_000_000 }])
  await room.deliver(mail('One'))
  const { list, state } = await (await room.client()).call('Quota/get')
  assert.deepEqual([list[0].hardLimit, list[0].resourceType, list[0].used > 100], [1_000_000, 'octets', true])
  await room.deliver(mail('Two'))
  const changes = await (await room.client()).call('Quota/changes', { sinceState: state })
  assert.deepEqual([changes.updated, changes.updatedProperties], [['storage'], ['used']])
  assert.deepEqual((await (await room.client('bob')).call('Quota/get')).list, [])
})

test('RFC 8620 §7.3: the event source tells of what IMAP does, closes after a state, goes on from Last-Event-ID', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const open = (query: string, headers = {}) => client.open('GET', `/jmap/events?${query}`, '', headers)
  const response = await open('types=Email,EmailDelivery&closeafter=no&ping=0')
  assert.equal(response.headers['content-type'], 'text/event-stream')
  const stream = events(response)
  await new Promise((resolve) => setTimeout(resolve, 50))
  const { folder, mid } = await room.deliver(mail('One'))
  const first = (await stream.next()).value
  assert.ok(first !== undefined)
  assert.deepEqual([first.event, Object.keys(first.data.changed.A1)], ['state', ['Email', 'EmailDelivery']])
  const { state } = await client.call('Email/get', { ids: [] })
  assert.equal(first.data.changed.A1.Email, state)
  await room.apply({ op: 'flag', folder, items: { mids: [mid] }, set: 1 })
  const second = (await stream.next()).value
  assert.deepEqual(Object.keys(second?.data.changed.A1), ['Email'], 'nothing was delivered')
  response.destroy()
  const missed = await open('types=*&closeafter=state&ping=0', { 'last-event-id': first.id })
  const told = []
  for await (const one of events(missed)) told.push(one)
  assert.equal(told.length, 1, 'one state, then the end')
  assert.equal(told[0]?.data.changed.A1.Mailbox, second?.data.changed.A1.Email)
  assert.equal((await open('closeafter=never')).statusCode, 400)
  const pings = await open('types=*&closeafter=no&ping=1')
  const ping = (await events(pings).next()).value
  assert.deepEqual([ping?.event, ping?.data.interval], ['ping', 1], 'a wished interval under 30 s is kept')
  pings.destroy()
})

test('RFC 8621 §4.1.4: the size of a base64 part told from its edges is the decoded size', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4_000 }),
      fc.constantFrom(60, 72, 76),
      fc.constantFrom('\n', '\r\n'),
      fc.nat(2),
      (size, width, end, blank) => {
        const lines =
          Buffer.alloc(size, 7)
            .toString('base64')
            .match(new RegExp(`.{1,${width}}`, 'g')) ?? []
        const text = Buffer.from(lines.join(end) + end.repeat(blank))
        const measured = measureBase64(text.subarray(0, 512), text.subarray(-512), text.length)
        assert.ok(measured === undefined || measured === size, `${measured} is not ${size}`)
        if (size > 700 && size % ((width / 4) * 3) !== 0) assert.equal(measured, size)
      },
    ),
    { numRuns: 300 },
  )
})
