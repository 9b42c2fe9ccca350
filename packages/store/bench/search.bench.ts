/**
 * Searches over one folder of 10,000 mails (4 KB, words as frequent as in natural language, junk headers with random tokens), through the searching
 * thread. Prints how long indexing took behind the deliveries, the size of the search database, and each search cold and warm. Usage:
 * node packages/store/bench/search.bench.ts [mails]
 */
import { randomBytes } from 'node:crypto'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { MailboxId, SearchQuery } from '@postrider/domain'
import { mailItem } from '@postrider/domain'
import { benchStore, ms } from './subject.ts'

const [mails = 10_000] = process.argv.slice(2).map(Number)
const VOCABULARY = 60_000
const words = Array.from({ length: VOCABULARY }, (_, i) => {
  let n = i + 1
  let word = ''
  for (let k = 0; k < 3 + ((i * 7919) % 7); k++) {
    word += 'etaoinshrdlucmfwypvbgkjqxz'[(Math.imul(n * (k + 3), 2654435761) >>> 7) % 26]
    n = (Math.imul(n, 1103515245) + 12345) >>> 0
  }
  return word
})
/** Zipf: the n-th word is about n times rarer than the first. */
const word = (): string => words[Math.min(VOCABULARY - 1, Math.floor(VOCABULARY ** Math.random()) - 1)] as string
const text = (n: number): string =>
  Array.from({ length: n }, (_, i) => word() + (i % 12 === 11 ? '\r\n' : '')).join(' ')

function mail(n: number): Uint8Array {
  const id = randomBytes(16).toString('hex')
  return Buffer.from(
    `Received: from mx${n % 50}.example.com (mx${n % 50}.example.com [192.0.2.${n % 255}]) by mail.example.org id ${id.slice(0, 12)}\r\n` +
      `DKIM-Signature: v=1; a=rsa-sha256; d=example.com; bh=${randomBytes(32).toString('base64')}; b=${randomBytes(128).toString('base64')}\r\n` +
      `Message-ID: <${id}@example.com>\r\nDate: Mon, 5 Jan 2026 10:00:00 +0000\r\nSubject: ${text(4)}\r\n` +
      `From: Person ${n % 500} <person${n % 500}@example.com>\r\nTo: User <user@example.org>\r\n\r\n` +
      `${text(450)}${n === Math.floor(mails / 2) ? ' xyzzyneedle here' : ''}\r\n`,
  )
}

const { store, folder, inbox, close } = await benchStore(1)
const mailbox = 1 as MailboxId
for (let n = 0; n < mails; n += 100) {
  const items = Array.from({ length: 100 }, (_, i) => mailItem(mail(n + i), { received: 1_760_000_000_000 + n + i }))
  await store.apply(
    mailbox,
    items.map((item) => ({ op: 'add', folder: inbox, item }) as const),
  )
}
const delivered = performance.now()
const find = (query: SearchQuery) =>
  store.search(mailbox, { folders: [inbox], query, order: 'uid', offset: 0, limit: 100 })
const substring = (field: 'text' | 'subject' | 'from', value: string): SearchQuery => ({
  kind: 'text',
  field,
  value,
  match: 'substring',
})
await find(substring('text', 'warm up'))
console.log(`${mails} mails indexed ${ms(performance.now() - delivered)} behind the last delivery`)
const path = join(folder, 'mailboxes/db1/search.sqlite')
console.log(`search database ${((statSync(path).size + statSync(`${path}-wal`).size) / 1e6).toFixed(1)} MB`)
const rare = 'xyzzyneedle'
const searches: readonly (readonly [string, SearchQuery])[] = [
  ['TEXT, a rare word', substring('text', rare)],
  ['TEXT, in a rare word', substring('text', 'zzyneed')],
  ['TEXT, absent', substring('text', 'qqqzzzqqq')],
  ['TEXT, a common word', substring('text', words[3] as string)],
  ['TEXT, one letter', substring('text', 'e')],
  ['TEXT, two words', substring('text', `${rare} here`)],
  ['SUBJECT', substring('subject', words[500] as string)],
  ['FROM', substring('from', 'person77@')],
  ['words', { kind: 'text', field: 'text', value: `${words[500]} ${words[900]} xyz`, match: 'words' }],
  ['HEADER', { kind: 'header', name: 'Message-ID', value: 'abcd' }],
  ['UNSEEN', { kind: 'flags', set: 0, clear: 1 }],
]
for (const [name, query] of searches) {
  const times: number[] = []
  let total = 0
  for (let i = 0; i < 4; i++) {
    const began = performance.now()
    total = (await find(query)).total
    times.push(performance.now() - began)
  }
  console.log(`${name.padEnd(22)} ${String(total).padStart(6)} hits  ${times.map(ms).join('  ')}`)
}
await close()
