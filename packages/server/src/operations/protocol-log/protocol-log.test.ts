import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { imapTranscript } from './imap.ts'
import { pop3Transcript } from './pop3.ts'
import { smtpTranscript } from './smtp.ts'
import type { Transcript } from './transcript.ts'

/** Plays `C: …` and `S: …` lines; `step` cuts the bytes. What is logged comes back with its direction. */
function play(transcript: Transcript, script: string, step = 10_000): string[] {
  const logged: string[] = []
  for (const line of script.trim().split('\n')) {
    const [who, text] = [line[0], line.slice(3)]
    const bytes = Buffer.from(`${text.replaceAll('¶', '\r\n')}\r\n`, 'latin1')
    for (let at = 0; at < bytes.length; at += step) {
      const chunk = bytes.subarray(at, at + step)
      const lines = who === 'C' ? transcript.received(chunk) : transcript.sent(chunk)
      logged.push(...lines.map((one) => `${who}: ${one}`))
    }
  }
  return logged
}

const imap = `
S: * OK ready
C: a LOGIN bob hunter2
S: a OK logged in
C: b AUTHENTICATE PLAIN
S: + 
C: AGJvYgBodW50ZXIy
S: b OK fine
C: c LOGIN {3}¶bob {7}¶hunter2
S: + go on
S: c OK yes
C: d SELECT "My Folder"
S: * 3 EXISTS
S: d OK [READ-WRITE] done
C: e UID FETCH 1:* (BODY[])
S: * 1 FETCH (BODY[] {31}¶d OK hunter2¶* BYE hunter2¶e OK¶)
S: e OK fetched
C: f UID SEARCH TEXT hunter2
S: * SEARCH 1
S: f OK
C: g APPEND INBOX {9+}¶g LOGIN hunter2
S: g OK appended
C: h IDLE
S: + idling
C: DONE
S: h OK
C: i COMPRESS DEFLATE
S: i OK
C: j LOGIN bob hunter2
`
const imapLog = [
  'S: * OK ready',
  'C: a LOGIN',
  'S: a OK logged in',
  'C: b AUTHENTICATE',
  'S: b OK fine',
  'C: c LOGIN',
  'S: c OK yes',
  'C: d SELECT "My Folder"',
  'S: d OK [READ-WRITE] done',
  'C: e UID FETCH',
  'S: e OK fetched',
  'C: f UID SEARCH',
  'S: f OK',
  'C: g APPEND',
  'S: g OK appended',
  'C: h IDLE',
  'C: DONE',
  'S: h OK',
  'C: i COMPRESS',
  'S: i OK',
]

const pop = `
S: +OK ready
C: USER bob
S: +OK
C: PASS hunter2
S: +OK in
C: AUTH PLAIN
S: + 
C: AGJvYgBodW50ZXIy
S: -ERR no
C: LIST
S: +OK¶1 100¶.
C: RETR 1
S: +OK here¶+OK hunter2¶-ERR hunter2¶.
C: QUIT
S: +OK bye
`
const popLog = [
  'S: +OK ready',
  'C: USER bob',
  'S: +OK',
  'C: PASS',
  'S: +OK in',
  'C: AUTH',
  'S: -ERR no',
  'C: LIST',
  'S: +OK',
  'C: RETR 1',
  'S: +OK here',
  'C: QUIT',
  'S: +OK bye',
]

const smtp = `
S: 220 hello
C: EHLO x
S: 250-x¶250 AUTH PLAIN LOGIN
C: AUTH LOGIN Ym9i
S: 334 UGFzc3dvcmQ6
C: aHVudGVyMg==
S: 235 in
C: AUTH PLAIN AGJvYgBodW50ZXIy
S: 235 in
C: MAIL FROM:<a@b.c>
S: 250 ok
C: DATA
S: 354 go
C: Subject: hunter2¶QUIT hunter2¶.
S: 250 queued
C: BDAT 14 LAST¶QUIT hunter2¶
S: 250 queued
C: QUIT
S: 221 bye
`
const smtpLog = [
  'S: 220 hello',
  'C: EHLO x',
  'S: 250-x',
  'S: 250 AUTH PLAIN LOGIN',
  'C: AUTH LOGIN',
  'S: 235 in',
  'C: AUTH PLAIN',
  'S: 235 in',
  'C: MAIL FROM:<a@b.c>',
  'S: 250 ok',
  'C: DATA',
  'S: 354 go',
  'S: 250 queued',
  'C: BDAT 14 LAST',
  'S: 250 queued',
  'C: QUIT',
  'S: 221 bye',
]

for (const [name, make, script, expected] of [
  ['IMAP', imapTranscript, imap, imapLog],
  ['POP3', pop3Transcript, pop, popLog],
  ['SMTP', smtpTranscript, smtp, smtpLog],
] as const)
  test(`${name}: commands and answers, no passwords, no contents, however the bytes are cut`, () => {
    for (const step of [10_000, 1, 3]) {
      const logged = play(make(), script, step)
      assert.deepEqual(logged, expected, String(step))
      assert.ok(!logged.join().includes('hunter2'))
    }
  })

test('any bytes are looked at without an error', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), fc.uint8Array({ maxLength: 60 }))), (chunks) => {
      for (const transcript of [imapTranscript(), pop3Transcript(), smtpTranscript()])
        for (const [client, bytes] of chunks)
          (client ? transcript.received(bytes) : transcript.sent(bytes)).every((line) => line.length < 1_100)
    }),
  )
})
