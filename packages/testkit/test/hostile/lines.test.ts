/**
 * Line protocols against clients that send too much, too deep or nothing that makes sense (reliability.md P2, P4, P14): each hears the
 * protocol's own error or is cut off, and nobody else notices.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { constants, deflateRawSync } from 'node:zlib'
import { Arena, MALLORY, Raw } from '../../src/hostile/index.ts'
import { sleep } from '../../src/process/index.ts'
import type { ListenerName } from '../../src/server/index.ts'

const MB = 1024 * 1024
const LOGIN_SECONDS = 5
let arena: Arena

before(async () => {
  const short = { connectionsPerUser: 50, preAuthenticatedTimeout: `${LOGIN_SECONDS}s` }
  arena = await Arena.open({ config: { imap: short, pop3: short } })
})
after(() => arena.close())

const plainLogin = Buffer.from(`\0${MALLORY.address}\0${MALLORY.password}`).toString('base64')

/** How a session of each listener comes to where commands are taken. */
const openings: Readonly<Partial<Record<ListenerName, readonly [tls: boolean, greeting: RegExp]>>> = {
  imaps: [true, /^\* OK .*\r\n/],
  imap: [false, /^\* OK .*\r\n/],
  pop3s: [true, /^\+OK .*\r\n/],
  pop3: [false, /^\+OK .*\r\n/],
  smtp: [false, /^220 .*\r\n/],
  submission: [false, /^220 .*\r\n/],
  submissions: [true, /^220 .*\r\n/],
}
const logins: Readonly<Partial<Record<ListenerName, readonly (readonly [string, RegExp])[]>>> = {
  imaps: [
    [`l LOGIN "${MALLORY.address}" "${MALLORY.password}"\r\n`, /^l OK .*\r\n/m],
    ['s SELECT INBOX\r\n', /^s OK .*\r\n/m],
  ],
  pop3s: [
    [`USER ${MALLORY.address}\r\n`, /^\+OK.*\r\n/],
    [`PASS ${MALLORY.password}\r\n`, /^\+OK.*\r\n/],
  ],
  smtp: [['EHLO evil.example\r\n', /^250 .*\r\n/m]],
  submissions: [
    ['EHLO evil.example\r\n', /^250 .*\r\n/m],
    [`AUTH PLAIN ${plainLogin}\r\n`, /^235 .*\r\n/m],
  ],
}

async function session(listener: ListenerName, login = true): Promise<Raw> {
  const [tls, greeting] = openings[listener]!
  const raw = await Raw.connect(arena.server.port(listener), { tls })
  await raw.until(greeting)
  if (login) for (const [line, answer] of logins[listener] ?? []) await raw.ask(line, answer)
  return raw
}

interface Blow {
  readonly name: string
  readonly listener: ListenerName
  readonly login?: boolean
  readonly send: string
  /** What is answered; or the connection may just be closed when `cut`. */
  readonly answer: RegExp
  readonly cut?: boolean
  /** Asked afterwards on the same connection. */
  readonly lives?: readonly [string, RegExp]
}

const imapLives = ['z NOOP\r\n', /^z OK/m] as const
const popLives = ['NOOP\r\n', /^\+OK/m] as const
const smtpLives = ['NOOP\r\n', /^250/m] as const
const k = (text: string, thousands: number): string => text.repeat(thousands * 1_000)

const blows: readonly Blow[] = [
  // IMAP before login.
  { name: 'a line without end', listener: 'imaps', login: false, send: k('A', 4_000), answer: /BAD|BYE/, cut: true },
  {
    name: 'a quoted string of 1 MB',
    listener: 'imaps',
    login: false,
    send: `a LOGIN "${k('u', 1_000)}" x\r\n`,
    answer: /BAD|BYE/,
  },
  {
    name: 'a literal of 4 GB',
    listener: 'imaps',
    login: false,
    send: 'a LOGIN {4294967296}\r\n',
    answer: /^a (BAD|NO)/m,
    lives: imapLives,
  },
  {
    name: 'a literal of 4 GB that does not wait',
    listener: 'imaps',
    login: false,
    send: 'a LOGIN {4294967296+}\r\n',
    answer: /BAD|BYE/,
  },
  {
    name: 'a literal of 10^40 bytes',
    listener: 'imaps',
    login: false,
    send: `a LOGIN {1${'0'.repeat(40)}}\r\n`,
    answer: /^a BAD/m,
    lives: imapLives,
  },
  {
    name: 'NUL and bytes that are no text',
    listener: 'imaps',
    login: false,
    send: 'a LOGIN "\0" "\xff\xfe"\r\n\0\0\0\0\r\n',
    answer: /BAD/,
    lives: imapLives,
  },
  { name: 'a browser', listener: 'imaps', login: false, send: 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', answer: /BAD/ },
  { name: 'bare LF lines', listener: 'imap', login: false, send: 'a NOOP\nb NOOP\nc NOOP\n', answer: /BAD|OK/ },
  // IMAP after login.
  {
    name: '10^5 parentheses',
    listener: 'imaps',
    send: `a SEARCH ${k('(', 100)}\r\n`,
    answer: /^a BAD/m,
    lives: imapLives,
  },
  {
    name: '10^5 NOT',
    listener: 'imaps',
    send: `a SEARCH ${k('NOT ', 100)}ALL\r\n`,
    answer: /^a (BAD|NO)/m,
    lives: imapLives,
  },
  {
    name: '10^5 OR',
    listener: 'imaps',
    send: `a SEARCH ${k('OR ALL ', 100)}ALL\r\n`,
    answer: /^a (BAD|NO)/m,
    lives: imapLives,
  },
  {
    name: '10^5 header names',
    listener: 'imaps',
    send: `a FETCH 1 (BODY[HEADER.FIELDS (${k('x ', 100)}x)])\r\n`,
    answer: /^a /m,
    lives: imapLives,
  },
  {
    name: '10^5 ranges',
    listener: 'imaps',
    send: `a FETCH ${k('1,', 100)}1 FLAGS\r\n`,
    answer: /^a /m,
    lives: imapLives,
  },
  {
    name: 'ranges over everything, overlapping',
    listener: 'imaps',
    send: `a UID FETCH ${k('1:4294967295,', 10)}1 FLAGS\r\n`,
    answer: /^a /m,
    lives: imapLives,
  },
  {
    name: 'numbers of 10^5 digits',
    listener: 'imaps',
    send: `a FETCH ${k('9', 100)} FLAGS\r\n`,
    answer: /^a BAD/m,
    lives: imapLives,
  },
  {
    name: '10^4 keywords',
    listener: 'imaps',
    send: `a STORE 1 +FLAGS (${Array.from({ length: 10_000 }, (_, i) => `kw${i}`).join(' ')})\r\n`,
    answer: /^a /m,
    lives: imapLives,
  },
  {
    name: 'a pattern that backtracks',
    listener: 'imaps',
    send: `a LIST "" "${k('*%a', 1)}"\r\n`,
    answer: /^a (OK|BAD|NO)/m,
    lives: imapLives,
  },
  {
    name: 'a pattern of the longest kind',
    listener: 'imaps',
    send: `a LIST "" "${'*a'.repeat(200)}b"\r\n`,
    answer: /^a (OK|BAD|NO)/m,
    lives: imapLives,
  },
  {
    name: 'a folder 10^4 deep',
    listener: 'imaps',
    send: `a CREATE "${k('a/', 10)}a"\r\n`,
    answer: /^a (BAD|NO)/m,
    lives: imapLives,
  },
  {
    name: 'a folder with the names of traps',
    listener: 'imaps',
    send: 'a CREATE __proto__\r\nb CREATE constructor\r\nc CREATE toString\r\nd STATUS __proto__ (MESSAGES UIDNEXT)\r\n',
    answer: /^d OK/m,
    lives: imapLives,
  },
  {
    name: 'traps as header names',
    listener: 'imaps',
    send: 'a SEARCH HEADER __proto__ x\r\nb FETCH 1 BODY[HEADER.FIELDS (__proto__ constructor)]\r\nc ID ("__proto__" "x" "constructor" "y")\r\n',
    answer: /^c /m,
    lives: imapLives,
  },
  {
    name: 'a message of 4 GB',
    listener: 'imaps',
    send: 'a APPEND INBOX {4294967296}\r\n',
    answer: /^a (NO|BAD)/m,
    lives: imapLives,
  },
  {
    name: 'a message of 4 GB that does not wait',
    listener: 'imaps',
    send: 'a APPEND INBOX {4294967296+}\r\n',
    answer: /^a (NO|BAD)/m,
  },
  {
    name: 'a section 10^5 deep',
    listener: 'imaps',
    send: `a FETCH 1 BODY[${k('1.', 100)}1]\r\n`,
    answer: /^a /m,
    lives: imapLives,
  },
  {
    name: 'a partial beyond all numbers',
    listener: 'imaps',
    send: 'a FETCH 1 BODY[]<4294967295.4294967295>\r\nb FETCH 1 BODY[]<99999999999999999999.1>\r\n',
    answer: /^b BAD/m,
    lives: imapLives,
  },
  {
    name: 'sort by 10^5 keys',
    listener: 'imaps',
    send: `a SORT (${k('SUBJECT ', 100)}DATE) UTF-8 ALL\r\n`,
    answer: /^a /m,
    lives: imapLives,
  },
  { name: 'a line without end after login', listener: 'imaps', send: k('A', 20_000), answer: /BAD|BYE/, cut: true },
  {
    name: 'IDLE and then anything but DONE, without end',
    listener: 'imaps',
    send: `a IDLE\r\n${k('x', 4_000)}`,
    answer: /BAD|BYE/,
    cut: true,
  },
  // POP3.
  { name: 'a line without end', listener: 'pop3s', login: false, send: k('A', 4_000), answer: /-ERR/, cut: true },
  { name: 'NUL', listener: 'pop3s', login: false, send: 'USER a\0b\r\nPASS \0\r\n', answer: /-ERR/ },
  { name: 'a browser', listener: 'pop3', login: false, send: 'POST / HTTP/1.1\r\n\r\n', answer: /-ERR/ },
  {
    name: 'numbers beyond all',
    listener: 'pop3s',
    send: `LIST 4294967297\r\nRETR ${'9'.repeat(300)}\r\nTOP 1 99999999999999999999\r\nDELE -1\r\nRETR 1e3\r\nUIDL 0x1\r\n`,
    answer: /(?:-ERR.*\r\n){6}/,
    lives: popLives,
  },
  {
    name: 'a SASL line of 1 MB',
    listener: 'pop3s',
    login: false,
    send: `AUTH PLAIN\r\n${k('A', 1_000)}\r\n`,
    answer: /-ERR/,
    cut: true,
  },
  {
    name: 'base64 that is none',
    listener: 'pop3s',
    login: false,
    send: 'AUTH PLAIN !!!!\r\n',
    answer: /-ERR/,
    lives: ['CAPA\r\n', /^\+OK/m],
  },
  // SMTP.
  { name: 'a line without end', listener: 'smtp', login: false, send: k('A', 4_000), answer: /^5\d\d/m, cut: true },
  { name: 'NUL', listener: 'smtp', send: 'MAIL FROM:<a\0b@evil.example>\r\n', answer: /^5\d\d/m, lives: smtpLives },
  {
    name: 'a size beyond all',
    listener: 'smtp',
    send: `MAIL FROM:<a@evil.example> SIZE=99999999999\r\n`,
    answer: /^552 5\.3\.4/m,
    lives: smtpLives,
  },
  {
    name: 'a size of 10^5 digits',
    listener: 'smtp',
    send: `MAIL FROM:<a@evil.example> SIZE=${k('9', 1)}\r\n`,
    answer: /^5\d\d/m,
    lives: smtpLives,
  },
  {
    name: 'a chunk of 4 GB',
    listener: 'smtp',
    send: `MAIL FROM:<a@evil.example>\r\nRCPT TO:<${MALLORY.address}>\r\nBDAT 4294967296 LAST\r\n`,
    answer: /^5\d\d/m,
    cut: true,
  },
  {
    name: 'a chunk of less than nothing',
    listener: 'smtp',
    send: 'MAIL FROM:<a@evil.example>\r\nBDAT -1 LAST\r\n',
    answer: /^5\d\d/m,
  },
  {
    name: 'traps as parameters',
    listener: 'smtp',
    send: 'MAIL FROM:<a@evil.example> __proto__=1 constructor=2\r\n',
    answer: /^5\d\d/m,
    lives: smtpLives,
  },
  {
    name: 'traps as commands',
    listener: 'smtp',
    send: '__proto__\r\nconstructor\r\ntoString\r\n',
    answer: /(?:^5\d\d.*\r\n){3}/m,
    lives: smtpLives,
  },
  {
    name: 'more than 200 recipients',
    listener: 'submissions',
    send: `MAIL FROM:<${MALLORY.address}>\r\n${Array.from({ length: 1_000 }, (_, i) => `RCPT TO:<u${i}@outside.example>\r\n`).join('')}`,
    answer: /^452 .*\r\n/m,
    lives: smtpLives,
  },
  {
    name: 'a route of 10^4 hops',
    listener: 'smtp',
    send: `MAIL FROM:<${'@h.example,'.repeat(1_000)}:a@evil.example>\r\n`,
    answer: /^5\d\d/m,
  },
  {
    name: 'a browser',
    listener: 'submission',
    login: false,
    send: 'POST / HTTP/1.1\r\nHost: x\r\n\r\nEHLO x\r\n',
    answer: /^5\d\d/m,
    cut: true,
  },
  {
    name: 'a SASL line of 1 MB',
    listener: 'submissions',
    login: false,
    send: `EHLO x\r\nAUTH PLAIN\r\n${k('A', 1_000)}\r\n`,
    answer: /^5\d\d/m,
    cut: true,
  },
]

for (const listener of ['imap', 'pop3', 'smtp'] as const)
  test(`P2, P14: ${listener} refuses what is too much`, async (t) => {
    for (const blow of blows.filter(
      (one) => one.listener.startsWith(listener.slice(0, 3)) || (listener === 'smtp' && one.listener.startsWith('sub')),
    ))
      await t.test(`${blow.listener}: ${blow.name}`, () =>
        arena.attack(async () => {
          using raw = await session(blow.listener, blow.login)
          raw.send(blow.send)
          const how = await raw.endedOr(blow.answer)
          assert.ok(how === 'answered' || blow.cut, 'cut off without a word')
          if (blow.lives !== undefined) await raw.ask(...blow.lives)
        }),
      )
  })

test('P2: a header of more than 256 KB is 552 or 554, not mail', () =>
  arena.attack(async () => {
    using raw = await session('smtp')
    await raw.ask(`MAIL FROM:<a@evil.example>\r\nRCPT TO:<${MALLORY.address}>\r\nDATA\r\n`, /^354.*\r\n/m)
    await raw.flood(`X-Long: ${'x'.repeat(900)}\r\n`, MB)
    await raw.ask('\r\nbody\r\n.\r\n', /^55[24].*\r\n/m)
    await raw.ask(...smtpLives)
  }))

test('P4: a COMPRESS=DEFLATE bomb ends its own session only', () =>
  arena.attack(async () => {
    const zeros = Buffer.alloc(64 * MB)
    const bomb = deflateRawSync(zeros, { level: 9, finishFlush: constants.Z_SYNC_FLUSH })
    for (const inside of ['', 'a LOGIN {67108864+}\r\n']) {
      using raw = await session('imaps')
      await raw.ask('c COMPRESS DEFLATE\r\n', /^c OK.*\r\n/m)
      if (inside !== '') raw.send(deflateRawSync(Buffer.from(inside), { finishFlush: constants.Z_SYNC_FLUSH }))
      for (let i = 0; i < 20 && !raw.closed; i++) await raw.flood(bomb, bomb.length)
      await raw.ended()
    }
  }))

test('P4: compressed bytes that are none end the session', () =>
  arena.attack(async () => {
    using raw = await session('imaps')
    await raw.ask('c COMPRESS DEFLATE\r\n', /^c OK.*\r\n/m)
    raw.send(Buffer.alloc(100_000, 0xff))
    await raw.ended()
  }))

test('P1, P2: who asks and never reads is not answered into memory', () =>
  arena.attack(async () => {
    using writer = await session('imaps')
    const body = `Subject: big\r\n\r\n${'x'.repeat(76)}\r\n`.padEnd(2 * MB, 'lorem ipsum \r\n')
    await writer.ask(`a APPEND INBOX {${body.length}+}\r\n${body}\r\n`, /^a OK.*\r\n/m, 20_000)
    const never = [
      { listener: 'imaps', line: 'x FETCH 1:* BODY[]\r\n', times: 2_000 },
      { listener: 'imaps', line: 'x NOOP\r\n', times: 200_000 },
      { listener: 'pop3s', line: 'RETR 1\r\n', times: 2_000 },
      { listener: 'pop3s', line: 'CAPA\r\n', times: 200_000 },
      { listener: 'smtp', line: 'EHLO x.example\r\n', times: 200_000 },
      { listener: 'smtp', line: 'HELP\r\n', times: 200_000 },
    ] as const
    const deaf = await Promise.all(
      never.map(async ({ listener, line, times }) => {
        const raw = await session(listener)
        raw.pause()
        await raw.flood(line.repeat(100), line.length * times, 4_000)
        return raw
      }),
    )
    for (const raw of deaf) raw.destroy()
  }))

test('P2: messages announced by many at once reserve no more than there is', () =>
  arena.attack(async () => {
    const size = 36 * MB
    const sessions = await Promise.all(Array.from({ length: 40 }, () => session('imaps')))
    try {
      const answers = await Promise.all(
        sessions.map(async (raw) => {
          raw.send(`a APPEND INBOX {${size}}\r\n`)
          return raw.until(/^(\+|a NO|a BAD).*\r\n/m)
        }),
      )
      const welcome = answers.filter((answer) => answer.startsWith('+')).length
      assert.ok(welcome > 0 && welcome < 40, `${welcome} of 40 may send 36 MB at once`)
      for (const raw of sessions) raw.send('x'.repeat(64 * 1024))
    } finally {
      for (const raw of sessions) raw.destroy()
    }
  }))

test('P1: a byte now and then does not put the end of the time to log in off', () =>
  arena.attack(async () => {
    const listeners = ['imaps', 'imap', 'pop3s', 'pop3'] as const
    const slow = await Promise.all(
      Array.from({ length: 80 }, (_, i) => session(listeners[i % listeners.length]!, false)),
    )
    const end = performance.now() + (LOGIN_SECONDS + 10) * 1_000
    for (let i = 0; slow.some((raw) => !raw.closed) && performance.now() < end; i++) {
      for (const raw of slow) raw.send(i % 7 === 6 ? '\r\n' : 'x')
      await sleep(400)
    }
    assert.equal(slow.filter((raw) => !raw.closed).length, 0)
  }))
