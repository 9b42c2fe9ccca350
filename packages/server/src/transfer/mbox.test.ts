import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Flag } from '@postrider/domain'
import { temporaryFolder } from '@postrider/testkit/process'
import fc from 'fast-check'
import { withCrlf, withLf } from './line-ends.ts'
import { fromLine, fromLineDate, type Quoting, quote, unquote } from './mbox-lines.ts'
import { isMbox, mboxBase, readMbox } from './mbox-read.ts'
import { readStatus, writeStatus } from './mbox-status.ts'

async function read(text: string | Buffer, quoting?: Quoting) {
  using folder = temporaryFolder('mbox')
  const file = join(folder.path, 'mbox')
  writeFileSync(file, text)
  const mails: {
    text: string
    flags: number
    keywords: readonly string[]
    received: number | undefined
    uid: number | undefined
  }[] = []
  for await (const mail of readMbox(file, quoting)) {
    const { flags, keywords, received, uid } = mail
    mails.push({ text: Buffer.from(await mail.read()).toString('latin1'), flags, keywords, received, uid })
  }
  return { mails, texts: mails.map((one) => one.text), isMbox: isMbox(file), base: mboxBase(file) }
}
const line = 'From bob@example.org Thu Nov 21 14:30:45 2024'

test('From lines of many programs are read, sentences that begin with From are not', () => {
  const at = Date.UTC(2024, 10, 21, 14, 30, 45)
  assert.equal(fromLineDate(line), at)
  assert.equal(fromLineDate('From bob@example.org Thu Nov 21 15:30:45 2024 +0100'), at)
  assert.equal(fromLineDate('From bob@example.org  Thu Nov 21 14:30:45 UTC 2024'), at)
  assert.equal(fromLineDate('From - Thu Nov 21 14:30:45 2024'), at)
  assert.equal(fromLineDate('From MAILER-DAEMON Thu Nov  1 14:30:45 2024'), Date.UTC(2024, 10, 1, 14, 30, 45))
  assert.equal(fromLineDate('From "a b"@example.org Thu, 21 Nov 2024 14:30:45 +0000'), at)
  assert.equal(fromLineDate(fromLine('bob@example.org', at)), at)
  for (const no of ['From here on', 'From Monday to Friday 10:00', 'From bob Thu Nov 41 14:30:45 2024', '>From x', ''])
    assert.equal(fromLineDate(no), undefined, no)
})

test('mboxrd: quoted lines get back one sign, messages are cut at From lines only, the last may lack its empty line', async () => {
  const text = `${line}\nSubject: one\n\n>From here\n>>From there\nFrom me to you\n\n${line}\nSubject: two\n\nbody`
  const { texts, isMbox } = await read(text)
  assert.ok(isMbox)
  assert.deepEqual(texts, [
    'Subject: one\r\n\r\nFrom here\r\n>From there\r\nFrom me to you\r\n',
    'Subject: two\r\n\r\nbody',
  ])
  const o = await read(text, 'o')
  assert.match(o.texts[0] ?? '', /\r\nFrom here\r\n>>From there\r\n/)
})

test('mboxcl2: a Content-Length that leads to the next message counts, one that lies does not', async () => {
  const body = `${line}\nSubject: not a message\n>From x\n`
  const cl = (length: number): string =>
    `${line}\nSubject: one\nContent-Length: ${length}\n\n${body}\n${line}\nSubject: two\n\n\n`
  assert.deepEqual((await read(cl(body.length))).texts, [
    withCrlfText(`Subject: one\n\n${body}`),
    'Subject: two\r\n\r\n',
  ])
  assert.equal((await read(cl(body.length + 3))).texts.length, 3)
  assert.equal((await read(cl(999_999))).texts.length, 3)
})
const withCrlfText = (text: string): string => Buffer.from(withCrlf(Buffer.from(text))).toString('latin1')

test('flags, keywords, UIDs and dates come from Status, X-Status, X-Keywords, X-UID, X-IMAPbase and X-Mozilla-Status', async () => {
  const { mails, base } = await read(
    `${line}\nSubject: a\nStatus: RO\nX-Status: AF\nX-Keywords: Work $Forwarded\nX-UID: 17\nX-IMAPbase: 1234 0000000020\n\nx\n\n` +
      `${line}\nX-Mozilla-Status: 1003\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1   \nSubject: b\n\ny\n\n` +
      `${line}\nX-Mozilla-Status: 0009\nSubject: deleted\n\nz\n\n`,
  )
  assert.deepEqual(base, { validity: 1234, next: 21 })
  assert.deepEqual(
    mails.map(({ flags, keywords, uid, text }) => [flags, keywords, uid, text]),
    [
      [Flag.seen | Flag.answered | Flag.flagged | Flag.forwarded, ['Work'], 17, 'Subject: a\r\n\r\nx\r\n'],
      [Flag.seen | Flag.answered | Flag.forwarded, ['$label1'], undefined, 'Subject: b\r\n\r\ny\r\n'],
    ],
  )
  const uw = `From MAILER-DAEMON Thu Nov 21 14:30:45 2024\nSubject: DON'T DELETE THIS MESSAGE\nX-IMAP: 5 6\n\ndata\n\n${line}\nA: b\n\n\n`
  assert.equal((await read(uw)).texts.length, 1)
})

test('no mails, no headers, no line ends: nothing is lost and nothing throws', async () => {
  assert.deepEqual((await read('')).texts, [])
  assert.deepEqual((await read(`${line}\n\nonly a body\n`)).texts, ['\r\nonly a body\r\n'])
  await assert.rejects(read('Subject: no mbox\n\n'), /does not begin with a From line/)
  const crlf = `${line}\r\nSubject: w\r\n\r\nbody\r\n\r\n${line}\r\nSubject: v\r\n\r\n\r\n`
  assert.deepEqual((await read(crlf)).texts, ['Subject: w\r\n\r\nbody\r\n', 'Subject: v\r\n\r\n'])
})

test('a message that spans many pages of the file is whole', async () => {
  const body = 'From the start of the line on\n'.repeat(100_000)
  const { texts } = await read(`${line}\nSubject: big\n\n${body}\n${line}\nSubject: small\n\n\n`)
  assert.deepEqual(
    texts.map((one) => one.length),
    [`Subject: big\r\n\r\n${body}`.length + 100_000, 18],
  )
})

test('what is written as mboxrd reads back the same, whatever the mail holds', async () => {
  const piece = fc.constantFrom(
    'From ',
    '>',
    '\n',
    'x: y',
    line,
    '\n\n',
    'Status: R\n',
    'X-UID: 3\n',
    'Content-Length: 5\n',
    'a',
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 12 }), { minLength: 1, maxLength: 4 }), async (list) => {
      const mails = list.map((parts) => Buffer.from(withCrlf(Buffer.from(`Subject: s\n${parts.join('')}\n`))))
      const text = mails.map((mail, i) =>
        Buffer.concat([
          Buffer.from(`${line}\n${writeStatus({ flags: i, keywords: ['k'], uid: i + 1 })}`),
          quote(withLf(mail)),
          Buffer.from('\n'),
        ]),
      )
      const back = await read(Buffer.concat(text))
      assert.deepEqual(
        back.texts,
        mails.map((mail) => mail.toString('latin1')),
      )
      assert.deepEqual(
        back.mails.map(({ uid }) => uid),
        mails.map((_, i) => i + 1),
      )
    }),
    { numRuns: 100 },
  )
  assert.deepEqual(Buffer.from(unquote(quote(Buffer.from('From a\n>From b\n')), 'rd')).toString(), 'From a\n>From b\n')
  assert.equal(readStatus('Status: O\nX-Status: \nX-UID: 1\nStatus: R\n').strip.length, 3)
})
