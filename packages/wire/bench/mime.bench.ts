/**
 * What a delivery costs: node packages/wire/bench/mime.bench.ts. Compared: the scan alone, the whole preparation, reading a stored index.
 * Input: a list mail of 4 KB, a mail of 114 KB with alternative, picture and file.
 */
import {
  buildMessage,
  headerFields,
  prepareMessage,
  readMessageIndex,
  rewriteHeaders,
  scanMessage,
  searchText,
  selectFields,
  summarize,
} from '../src/mime/index.ts'

const paragraph =
  'On Monday we looked at the figures again and found that most of them were right, but two were not.\r\n'
const received = Array.from(
  { length: 4 },
  (_, i) =>
    [
      'Received',
      `from mx${i}.example.org (mx${i}.example.org [192.0.2.${i}]) by mail.example.net with ESMTPS id 4Ab${i}; Sat, 21 Nov 2026 10:49:0${i} +0000`,
    ] as const,
)
const people = Array.from({ length: 4 }, (_, i) => ({ name: `Person ${i}`, address: `person${i}@example.org` }))
const common = {
  from: [{ name: 'Jörg Müller', address: 'joerg.mueller@example.org' }],
  to: people,
  subject: 'Re: Grüße aus Köln, and the figures for November',
  references: ['<a1@example.org>', '<a2@example.org>', '<a3@example.org>'],
  inReplyTo: '<a3@example.org>',
}
const small = rewriteHeaders(
  buildMessage({ ...common, headers: [['List-Id', 'Figures <figures.example.org>']], text: paragraph.repeat(22) }),
  { prepend: received },
)
const large = rewriteHeaders(
  buildMessage({
    ...common,
    text: paragraph.repeat(40),
    html: `<html><body>${`<p>${paragraph}</p>`.repeat(40)}</body></html>`,
    attachments: [
      {
        content: new Uint8Array(15_000),
        contentType: 'image/png',
        contentId: 'c1',
        inline: true,
        filename: 'logo.png',
      },
      { content: new Uint8Array(60_000), contentType: 'application/pdf', filename: 'Zahlen für November.pdf' },
    ],
  }),
  { prepend: received },
)

function measure(what: string, run: () => unknown): void {
  for (let i = 0; i < 2000; i++) run()
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 10; round++) {
    const start = performance.now()
    for (let i = 0; i < 1000; i++) run()
    best = Math.min(best, performance.now() - start)
  }
  console.log(`${what.padEnd(44)} ${best.toFixed(1)} µs`)
}

const names = selectFields([
  'From',
  'To',
  'Cc',
  'Subject',
  'Date',
  'Message-ID',
  'References',
  'Content-Type',
  'List-Id',
])
for (const [size, mail] of [
  ['small', small],
  ['large', large],
] as const) {
  const { index } = prepareMessage(mail)
  console.log(`${size}: ${mail.length} bytes, index ${index.length} bytes`)
  measure('scanMessage', () => scanMessage(mail))
  measure('summarize', () => summarize(mail))
  measure('prepareMessage', () => prepareMessage(mail))
  measure('searchText', () => searchText(mail))
  measure('readMessageIndex + ENVELOPE', () => readMessageIndex(index).envelope)
  measure('readMessageIndex + nine header fields', () => headerFields(readMessageIndex(index), names))
  measure('readMessageIndex + parts', () => readMessageIndex(index).parts)
}
