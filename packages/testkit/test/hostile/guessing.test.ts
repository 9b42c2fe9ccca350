/**
 * Guessing passwords (reliability.md P16, P17): one budget for all protocols, nobody locked out by somebody else's guesses, and no answer
 * that tells whether a user exists.
 */
import assert from 'node:assert/strict'
import { request } from 'node:https'
import { after, before, test } from 'node:test'
import { Arena, MALLORY, Raw } from '../../src/hostile/index.ts'
import { sleep } from '../../src/process/index.ts'

let arena: Arena
before(async () => {
  arena = await Arena.open()
})
after(() => arena.close())

interface Answer {
  readonly ok: boolean
  /** Everything the client sees of the answer, and nothing that changes from one to the next. */
  readonly text: string
}
type LogIn = (user: string, password: string, from: string) => Promise<Answer>

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function http(path: string): LogIn {
  return (user, password, from) => {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const asked = request(
      {
        host: '127.0.0.1',
        port: arena.server.port('https'),
        localAddress: from,
        path,
        method: path.includes('ActiveSync') ? 'OPTIONS' : 'POST',
        agent: false,
        rejectUnauthorized: false,
        headers: { Authorization: `Basic ${base64(`${user}:${password}`)}` },
      },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          body += part
        })
        response.on('end', () => {
          const { date: _, ...headers } = response.headers
          resolve({
            ok: response.statusCode !== 401 && response.statusCode !== 503,
            text: `${response.statusCode} ${JSON.stringify(headers)} ${body}`,
          })
        })
      },
    )
    asked.on('error', reject)
    asked.end()
    return promise
  }
}

/** A line protocol over TLS: what to say, one line after the other, each with its answer; the last one counts. */
function lines(
  listener: 'imaps' | 'pop3s' | 'submissions',
  talk: (user: string, password: string) => readonly (readonly [string, RegExp])[],
): LogIn {
  return async (user, password, from) => {
    using raw = await Raw.connect(arena.server.port(listener), { tls: true, from })
    await raw.until(/\r\n/)
    let text = ''
    for (const [line, answer] of talk(user, password)) text = await raw.ask(line, answer, 20_000)
    return { ok: /^(a OK|\+OK|235)/m.test(text), text }
  }
}

const tagged = /^a .*\r\n/m
const pop = /^(?:\+OK|-ERR).*\r\n/
const smtp = /^\d\d\d .*\r\n/m
const plain = (user: string, password: string): string => base64(`\0${user}\0${password}`)

const ways: readonly (readonly [string, LogIn])[] = [
  ['ActiveSync', http('/Microsoft-Server-ActiveSync')],
  ['Autodiscover', http('/autodiscover/autodiscover.xml')],
  ['IMAP LOGIN', lines('imaps', (user, password) => [[`a LOGIN "${user}" "${password}"\r\n`, tagged]])],
  ['IMAP PLAIN', lines('imaps', (user, password) => [[`a AUTHENTICATE PLAIN ${plain(user, password)}\r\n`, tagged]])],
  [
    'POP3 USER',
    lines('pop3s', (user, password) => [
      [`USER ${user}\r\n`, pop],
      [`PASS ${password}\r\n`, pop],
    ]),
  ],
  ['POP3 PLAIN', lines('pop3s', (user, password) => [[`AUTH PLAIN ${plain(user, password)}\r\n`, pop]])],
  [
    'SMTP PLAIN',
    lines('submissions', (user, password) => [
      ['EHLO client.example\r\n', smtp],
      [`AUTH PLAIN ${plain(user, password)}\r\n`, smtp],
    ]),
  ],
  [
    'SMTP LOGIN',
    lines('submissions', (user, password) => [
      ['EHLO client.example\r\n', smtp],
      ['AUTH LOGIN\r\n', /^334 .*\r\n/],
      [`${base64(user)}\r\n`, /^334 .*\r\n/],
      [`${base64(password)}\r\n`, smtp],
    ]),
  ],
]

/** Names that must all look alike: wrong password, no such user, no such domain, names that never log in (R39, R40). */
const names = [
  MALLORY.address,
  'nobody@example.com',
  'nobody@elsewhere.example',
  'administrator@example.com',
  'anonymous',
  'guest',
]

for (const [index, [name, logIn]] of ways.entries())
  test(`P17: ${name} answers the same to a wrong password and to a user there is none of`, () =>
    arena.attack(async () => {
      const answers = await Promise.all(
        names.map((user, i) => logIn(user, `wrong ${name}`, `127.0.${10 + index}.${1 + i}`)),
      )
      for (const [i, answer] of answers.entries()) {
        assert.equal(answer.ok, false, names[i])
        assert.equal(answer.text, answers[0]!.text, names[i])
      }
    }))

test('P17: the user exists or not, the time is the same', () =>
  arena.attack(async () => {
    const imap = ways[2]![1]
    const times = new Map<string, number[]>([
      [MALLORY.address, []],
      ['nobody@example.com', []],
    ])
    for (let i = 0; i < 12; i++)
      for (const [user, list] of times) {
        const began = performance.now()
        await imap(user, `guess ${i}`, `127.0.${30 + i}.${user.startsWith('n') ? 1 : 2}`)
        list.push(performance.now() - began)
      }
    const [known = 0, unknown = 0] = [...times.values()].map((list) => list.sort((a, b) => a - b)[6]!)
    // The machine has other things to do; what would give a name away is a hash more or less.
    assert.ok(known < unknown * 2 && unknown < known * 2, `known ${known} ms, unknown ${unknown} ms`)
  }))

test(
  'P16: guesses spread over all protocols share one budget; the owner elsewhere is not locked out',
  { timeout: 60_000 },
  () =>
    arena.attack(async () => {
      const guesser = '127.0.0.99'
      // Ten are free (authentication.attempts), and every protocol has its part in them; the answer to the last one is put off.
      const last = 9
      const guess = (i: number): Promise<Answer> => ways[i % ways.length]![1](MALLORY.address, `guess ${i}`, guesser)
      for (let i = 0; i < last; i++) assert.equal((await guess(i)).ok, false)
      const late = guess(last)
      await sleep(300)
      const refused = await Promise.all(ways.map(([, logIn]) => logIn(MALLORY.address, MALLORY.password, guesser)))
      for (const [i, answer] of refused.entries())
        assert.equal(answer.ok, false, `${ways[i]![0]} lets the guesser go on: ${answer.text}`)
      assert.equal((await late).ok, false)
      const elsewhere = await Promise.all(
        ways.map(([, logIn]) => logIn(MALLORY.address, MALLORY.password, '127.0.0.98')),
      )
      for (const [i, answer] of elsewhere.entries()) assert.ok(answer.ok, `${ways[i]![0]}: ${answer.text}`)
    }),
)

test('P16: broken SASL ends no other log-in, whatever it is broken with', () =>
  arena.attack(async () => {
    const broken = [
      '=',
      '====',
      '!!!!',
      base64('\0'),
      base64('\0\0'),
      base64('a\0b\0c\0d'),
      base64('\xff\0\xff\0x'),
      'A'.repeat(9_000),
      '*',
    ]
    for (const text of broken) {
      for (const [listener, before, line] of [
        ['imaps', undefined, `a AUTHENTICATE PLAIN ${text}\r\n`],
        ['pop3s', undefined, `AUTH PLAIN ${text}\r\n`],
        ['submissions', 'EHLO x.example\r\n', `AUTH PLAIN ${text}\r\n`],
      ] as const) {
        using raw = await Raw.connect(arena.server.port(listener), { tls: true, from: '127.0.77.1' })
        await raw.until(/\r\n/)
        if (before !== undefined) await raw.ask(before, smtp)
        raw.send(line)
        await raw.endedOr(/^(a (BAD|NO)|-ERR|[45]\d\d)/m, 20_000)
      }
    }
    for (const [name, logIn] of ways) assert.ok((await logIn(MALLORY.address, MALLORY.password, '127.0.0.97')).ok, name)
  }))

test('P16: hundreds of guesses at once leave the witnesses their log-ins', () =>
  arena.attack(async () => {
    const guesses = Array.from({ length: 400 }, (_, i) =>
      ways[i % ways.length]![1](`user${i % 50}@example.com`, `guess ${i}`, `127.0.${100 + (i % 100)}.1`).catch(
        () => undefined,
      ),
    )
    const [, imap] = ways[2]!
    assert.ok((await imap(MALLORY.address, MALLORY.password, '127.0.0.98')).ok)
    await Promise.all(guesses)
  }))
