import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inflateSync } from 'node:zlib'
import { prepareMessage } from '@postrider/wire/mime'
import { picture } from './picture.ts'
import { type DemoOptions, demoSource } from './source.ts'

const options: DemoOptions = {
  address: 'ada@example.com',
  displayName: 'Ada',
  language: 'en',
  seed: 7,
  count: 120,
  until: Date.UTC(2026, 10, 21, 12),
}
interface Read {
  readonly folder: string
  readonly flags: number
  readonly received: number
  readonly bytes: Buffer
}
async function all(changed: Partial<DemoOptions> = {}): Promise<Read[]> {
  const out: Read[] = []
  for (const folder of await demoSource({ ...options, ...changed }).folders())
    for await (const mail of folder.mails(() => false))
      out.push({
        folder: folder.path.join('/') || 'Inbox',
        flags: mail.flags,
        received: mail.received ?? 0,
        bytes: Buffer.from(await mail.read()),
      })
  return out
}

test('the same seed makes the same bytes, another seed other ones', async () => {
  const [first, second, other] = [await all(), await all(), await all({ seed: 8 })]
  assert.deepEqual(first, second)
  assert.notDeepEqual(
    first.map(({ bytes }) => bytes),
    other.map(({ bytes }) => bytes),
  )
})

test('a year: folders, conversations, pictures, files, newsletters, several languages, nothing from the future', async () => {
  const mails = await all({ count: 400 })
  const folders = new Set(mails.map(({ folder }) => folder))
  for (const name of ['Inbox', 'Sent', 'Drafts', 'Archive', 'Junk', 'Projects', 'Receipts'])
    assert.ok(folders.has(name), name)
  const text = mails.map(({ bytes }) => bytes.toString('utf8')).join('\n')
  for (const word of ['image/png', 'application/pdf', 'List-Unsubscribe:', 'text/calendar', 'FlightReservation'])
    assert.ok(text.includes(word), word)
  const prepared = mails.map(({ bytes }) => prepareMessage(bytes).summary)
  assert.ok(prepared.filter(({ inReplyTo }) => inReplyTo !== undefined).length > 40)
  assert.ok(prepared.every(({ from }) => from.length === 1))
  const subjects = prepared.map(({ subject }) => subject).join()
  for (const word of [/Protokoll/, /Compte rendu|Déjeuner|Photos de l/, /[\u3040-\u30ff]|[\u0600-\u06ff]/])
    assert.match(subjects, word)
  assert.ok(
    mails.every(
      ({ received }) =>
        received <= options.until && received > options.until - 366 * 86_400_000 && Number.isInteger(received),
    ),
  )
})

test('a conversation’s answers name what they answer, and stand in the order of time', async () => {
  const mails = (await all()).map(({ bytes, received }) => ({ received, ...prepareMessage(bytes).summary }))
  const byId = new Map(mails.map((one) => [one.messageId ?? '', one]))
  for (const one of mails) {
    if (one.inReplyTo === undefined) continue
    const before = byId.get(one.inReplyTo)
    assert.ok(before !== undefined && before.received <= one.received, one.messageId ?? '')
  }
})

test('a picture is a PNG that can be unpacked', () => {
  const png = Buffer.from(picture(3))
  assert.equal(png.subarray(1, 4).toString(), 'PNG')
  const at = png.indexOf('IDAT')
  assert.equal(inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4))).length, 270 * (480 * 3 + 1))
  assert.ok(png.length < 300_000, String(png.length))
})
