/**
 * The way into TLS (reliability.md P7), handshakes that never end, sessions opened and dropped by the thousand, and one address that
 * takes all it can get (P1, D5).
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Arena, MALLORY, Raw } from '../../src/hostile/index.ts'
import { sleep, until } from '../../src/process/index.ts'
import type { ListenerName } from '../../src/server/index.ts'

const PER_ADDRESS = 300
/** Somebody else than the witnesses, to a server that counts by address. */
const ATTACKER = '127.0.0.66'
const all = ['https', 'imaps', 'imap', 'pop3s', 'pop3', 'smtp', 'submission', 'submissions'] as const
const overTls: readonly ListenerName[] = ['https', 'imaps', 'pop3s', 'submissions']

let arena: Arena
before(async () => {
  arena = await Arena.open({ config: { limits: { connectionsPerAddress: PER_ADDRESS } } })
})
after(() => arena.close())

interface Upgrade {
  readonly listener: ListenerName
  readonly before: readonly (readonly [string, RegExp])[]
  readonly start: string
  readonly ready: RegExp
  /** Commands that need TLS, pipelined before it. */
  readonly injected: string
  /** What would answer one of the injected commands. */
  readonly answered: RegExp
  /** A command afterwards, and its answer, when nothing of what was said before counts any more. */
  readonly afterwards: readonly [string, RegExp]
}

const login = Buffer.from(`\0${MALLORY.address}\0${MALLORY.password}`).toString('base64')
const upgrades: readonly Upgrade[] = [
  {
    listener: 'imap',
    before: [],
    start: 'a STARTTLS\r\n',
    ready: /^a OK.*\r\n/m,
    injected: `b NOOP\r\nc LOGIN "${MALLORY.address}" "${MALLORY.password}"\r\n`,
    answered: /^[bc] /m,
    afterwards: ['d SELECT INBOX\r\n', /^d BAD.*\r\n/m],
  },
  {
    listener: 'pop3',
    before: [[`USER ${MALLORY.address}\r\n`, /.*\r\n/]],
    start: 'STLS\r\n',
    ready: /^\+OK.*\r\n/m,
    injected: `USER ${MALLORY.address}\r\nPASS ${MALLORY.password}\r\n`,
    answered: /^(\+OK|-ERR)/m,
    afterwards: [`PASS ${MALLORY.password}\r\n`, /^-ERR.*\r\n/m],
  },
  ...(['smtp', 'submission'] as const).map(
    (listener): Upgrade => ({
      listener,
      before: [['EHLO before.example\r\n', /^250 .*\r\n/m]],
      start: 'STARTTLS\r\n',
      ready: /^220.*\r\n/m,
      injected: `EHLO evil.example\r\nAUTH PLAIN ${login}\r\nMAIL FROM:<${MALLORY.address}>\r\n`,
      answered: /^\d\d\d/m,
      afterwards: [`MAIL FROM:<${MALLORY.address}>\r\n`, /^503.*\r\n/m],
    }),
  ),
]

const greet = (raw: Raw): Promise<string> => raw.until(/\r\n/)

for (const upgrade of upgrades)
  test(`P7: ${upgrade.listener} forgets what was pipelined behind ${upgrade.start.trim()}, and what was said before`, () =>
    arena.attack(async () => {
      for (const cut of [false, true]) {
        using raw = await Raw.connect(arena.server.port(upgrade.listener))
        await greet(raw)
        for (const step of upgrade.before) await raw.ask(...step)
        // In the same segment, and in one that follows before the answer can have been read.
        if (cut) raw.send(upgrade.start)
        await raw.ask(`${cut ? '' : upgrade.start}${upgrade.injected}`, upgrade.ready)
        assert.doesNotMatch(raw.text, upgrade.answered, 'answered in the clear')
        // A client whose injected bytes stand before its hello may be refused; then nothing was obeyed either.
        const secured = await raw.startTls().then(
          () => true,
          () => false,
        )
        if (!secured) continue
        await sleep(200)
        assert.equal(raw.text, '', 'answered inside TLS')
        await raw.ask(...upgrade.afterwards)
      }
    }))

test('P7: no AUTH, LOGIN, USER or MAIL for users outside TLS', () =>
  arena.attack(async () => {
    const asked = [
      ['imap', `a LOGIN "${MALLORY.address}" "${MALLORY.password}"\r\n`, /^a NO \[PRIVACYREQUIRED\]/m],
      ['imap', `a AUTHENTICATE PLAIN ${login}\r\n`, /^a NO/m],
      ['pop3', `USER ${MALLORY.address}\r\nPASS ${MALLORY.password}\r\n`, /-ERR.*\r\n-ERR/],
      ['pop3', `AUTH PLAIN ${login}\r\n`, /-ERR/],
      ['submission', `EHLO x.example\r\nAUTH PLAIN ${login}\r\n`, /^5(30|38|04|02)/m],
      ['submission', `EHLO x.example\r\nMAIL FROM:<${MALLORY.address}>\r\n`, /^530/m],
      ['smtp', `EHLO x.example\r\nAUTH PLAIN ${login}\r\n`, /^5\d\d/m],
    ] as const
    for (const [listener, lines, refusal] of asked) {
      using raw = await Raw.connect(arena.server.port(listener))
      await greet(raw)
      await raw.ask(lines, refusal)
    }
  }))

test('bytes that are no TLS, half a hello, an alert, plain HTTP: that connection ends, no other', () =>
  arena.attack(async () => {
    const wrong = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(100_000),
      Buffer.from('15030100020228', 'hex'),
      Buffer.concat([Buffer.from('160301ffff', 'hex'), Buffer.alloc(70_000, 0xff)]),
      Buffer.from('80ff01030100', 'hex'),
      Buffer.from('16030100a5010000a10303', 'hex'),
    ]
    for (const listener of overTls)
      for (const bytes of wrong) {
        using raw = await Raw.connect(arena.server.port(listener))
        raw.send(bytes)
        raw.end()
        await raw.ended()
      }
  }))

test('D5: handshakes begun and left there, as many as one address may have; the others still come in', () =>
  arena.attack(async () => {
    const raws: Raw[] = []
    try {
      for (let i = 0; i < 2 * PER_ADDRESS; i++) {
        const raw = await Raw.connect(arena.server.port(overTls[i % overTls.length]!), { from: ATTACKER })
        raw.send(Buffer.from('160301', 'hex'))
        raws.push(raw)
      }
      const open = (): number => raws.filter((raw) => !raw.closed).length
      await until('those over the limit are closed', () => open() <= PER_ADDRESS)
      assert.equal(open(), PER_ADDRESS)
      for (const listener of all) {
        using late = await Raw.connect(arena.server.port(listener), { from: ATTACKER })
        await late.ended()
        if (!overTls.includes(listener))
          assert.match(late.text, /^(\* BYE|-ERR|421) .*\r\n$/, `${listener} says why it closes`)
        using other = await Raw.connect(arena.server.port(listener), { tls: overTls.includes(listener) })
        if (listener !== 'https') await greet(other)
      }
    } finally {
      for (const raw of raws) raw.destroy()
    }
    await until('its places are free again', async () => {
      using raw = await Raw.connect(arena.server.port('smtp'), { from: ATTACKER })
      return await raw.until(/^220/).catch(() => false as const)
    })
  }))

test('D5: thousands of sessions opened and dropped at every moment of their life', () =>
  arena.attack(async () => {
    const firsts: Readonly<Partial<Record<ListenerName, string>>> = {
      https: 'POST /Microsoft-Server-ActiveSync HTTP/1.1\r\nContent-Length: 1000\r\n',
      imap: 'a STARTTLS\r\n',
      pop3: 'STLS\r\n',
      smtp: 'EHLO x\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<mallory@example.com>\r\nDATA\r\nSubject: half\r\n',
      submission: 'EHLO x\r\nSTARTTLS\r\n',
    }
    const one = async (i: number): Promise<void> => {
      const listener = all[i % all.length]!
      const from = `127.0.1.${1 + (i % 250)}`
      const tls = overTls.includes(listener) && i % 3 === 0
      const raw = await Raw.connect(arena.server.port(listener), { tls, from }).catch(() => undefined)
      if (raw === undefined) return
      const first = firsts[listener]
      if (first !== undefined && i % 2 === 0) raw.send(first)
      if (i % 5 === 0) await sleep(5)
      if (i % 7 === 0) raw.end()
      else raw.destroy()
    }
    const workers = Array.from({ length: 32 }, async (_, worker) => {
      for (let i = worker; i < 4_000; i += 32) await one(i)
    })
    await Promise.all(workers)
  }))
