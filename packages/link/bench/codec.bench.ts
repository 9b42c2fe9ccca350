/** What the frame codec costs: a delivery of 4 KB and an opening of a folder of 10,000, both ways. `node packages/link/bench/codec.bench.ts` */
import { allColumns, mailItem } from '@postrider/domain'
import { decodeFrame } from '../src/codec/decode.ts'
import { encodeFrame } from '../src/codec/encode.ts'

const headers = [
  'From: Alice Example <alice@example.com>',
  'To: Bob Example <bob@example.com>, Carol <carol@example.com>',
  'Subject: A mail of four kilobytes for the benchmark',
  'Date: Sat, 21 Nov 2026 10:00:00 +0000',
  'Message-ID: <bench-1@example.com>',
  'Content-Type: text/plain; charset=utf-8',
]
const body = 'The quick brown fox jumps over the lazy dog, again and again.\r\n'.repeat(60)
const bytes = Buffer.from(`${headers.join('\r\n')}\r\n\r\n${body}`).subarray(0, 4_096)
const deliver = [1, [{ op: 'add', folder: 3, item: mailItem(bytes, { received: Date.now() }) }]]

const rows = 10_000
const packed: Record<string, unknown> = { count: rows, keywordSets: [[], ['a']] }
for (const column of allColumns) packed[column] = Float64Array.from({ length: rows }, (_, i) => i)

function measure(name: string, value: unknown, runs: number): void {
  let size = 0
  const once = (): void => {
    const frame = encodeFrame(1, 1, value)
    size = frame.length
    decodeFrame(frame)
  }
  for (let i = 0; i < runs; i++) once()
  const start = performance.now()
  for (let i = 0; i < runs; i++) once()
  const µs = ((performance.now() - start) / runs) * 1_000
  console.log(`${name.padEnd(40)} ${µs.toFixed(1).padStart(8)} µs  ${size} bytes`)
}

measure('deliver 4 KB, both ways', deliver, 50_000)
measure('scan of 10,000 rows, 13 columns', packed, 500)
