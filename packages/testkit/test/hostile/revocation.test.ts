/**
 * Access is withdrawn everywhere: a disabled user, a new password or a lost app password ends what is open in every protocol, and no new
 * log-in succeeds (reliability.md §II.3 "access revoked everywhere"; R28).
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { el, text } from '@postrider/wire/wbxml'
import { Phone } from '../../src/activesync/index.ts'
import { Arena, Raw } from '../../src/hostile/index.ts'
import { ImapClient } from '../../src/imap/index.ts'
import { Pop3Client } from '../../src/pop3/index.ts'

/** The promise is a minute; the program does it at once, and a loaded machine has some seconds. */
const ENDED_MS = 10_000
const INBOX = 2

let arena: Arena
before(async () => {
  arena = await Arena.open()
})
after(() => arena.close())

interface Live {
  readonly name: string
  /** Resolves when the server has ended it. */
  ended(): Promise<unknown>
  close(): void
}

const plain = (user: string, password: string): string => Buffer.from(`\0${user}\0${password}`).toString('base64')

async function raw(
  name: string,
  listener: 'imaps' | 'pop3s' | 'submissions',
  lines: readonly (readonly [string, RegExp])[],
): Promise<Live> {
  const socket = await Raw.connect(arena.server.port(listener), { tls: true })
  await socket.until(/\r\n/)
  for (const [line, answer] of lines) await socket.ask(line, answer)
  return { name, ended: () => socket.ended(ENDED_MS), close: () => socket.destroy() }
}

function held(name: string, start: (signal: AbortSignal) => Promise<unknown>): Live {
  const abort = new AbortController()
  let over = false
  const work = start(abort.signal).then(
    () => {
      over = true
    },
    () => {
      over = true
    },
  )
  return {
    name,
    async ended() {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, ENDED_MS)
      await Promise.race([work, promise])
      clearTimeout(timer)
      if (!over) throw new Error(`${name} is still held`)
    },
    close: () => abort.abort(),
  }
}

/** One session of every kind, all at rest. `protocols` are those the password opens. */
async function everywhere(user: string, password: string, protocols: readonly string[]): Promise<Live[]> {
  const login = [`l LOGIN "${user}" "${password}"\r\n`, /^l OK.*\r\n/m] as const
  const select = ['s SELECT INBOX\r\n', /^s OK.*\r\n/m] as const
  const pop = /^(?:\+OK|-ERR).*\r\n/
  const all: Live[] = []
  if (protocols.includes('imap')) {
    all.push(await raw('IMAP authenticated', 'imaps', [login]))
    all.push(await raw('IMAP selected', 'imaps', [login, select]))
    all.push(await raw('IMAP IDLE', 'imaps', [login, select, ['i IDLE\r\n', /^\+.*\r\n/m]]))
    all.push(
      await raw('IMAP amidst APPEND', 'imaps', [login, ['a APPEND INBOX {1000}\r\n', /^\+.*\r\n/m]]),
      await raw('IMAP compressed', 'imaps', [login, ['c COMPRESS DEFLATE\r\n', /^c OK.*\r\n/m]]),
    )
  }
  if (protocols.includes('pop3'))
    all.push(
      await raw('POP3', 'pop3s', [
        [`USER ${user}\r\n`, pop],
        [`PASS ${password}\r\n`, /^\+OK.*\r\n/],
      ]),
    )
  if (protocols.includes('smtp')) {
    const hello = ['EHLO client.example\r\n', /^250 .*\r\n/m] as const
    const auth = [`AUTH PLAIN ${plain(user, password)}\r\n`, /^235.*\r\n/m] as const
    all.push(await raw('submission', 'submissions', [hello, auth]))
    all.push(
      await raw('submission amidst DATA', 'submissions', [
        hello,
        auth,
        [`MAIL FROM:<${user}>\r\nRCPT TO:<${user}>\r\nDATA\r\n`, /^354.*\r\n/m],
      ]),
    )
  }
  if (protocols.includes('activesync'))
    for (const kind of ['Ping', 'Sync'] as const) {
      const phone = await phoneOf(user, password, `HELD${kind}`)
      const inbox = phone.folderOfType(INBOX)
      all.push(
        held(`held ${kind}`, (signal) =>
          kind === 'Ping'
            ? phone.ping(900, [inbox], signal)
            : phone.syncMany([{ collectionId: inbox }], { heartbeatSeconds: 900, signal }),
        ),
      )
    }
  return all
}

async function phoneOf(user: string, password: string, deviceId: string): Promise<Phone> {
  const phone = new Phone({ port: arena.server.port('https'), tls: true, user, password, deviceId })
  await phone.provision()
  const { http } = await phone.folderSync()
  if (http !== 200) throw new Error(`HTTP ${http}`)
  await phone.syncAll(phone.folderOfType(INBOX))
  return phone
}

/** Names of the protocols that still let this password in. */
async function stillOpen(user: string, password: string): Promise<string[]> {
  const tries: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['IMAP', () => ImapClient.login(arena.server.port('imaps'), user, password).then((client) => client.close())],
    ['POP3', () => Pop3Client.login(arena.server.port('pop3s'), user, password).then((client) => client.quit())],
    [
      'submission',
      async () => {
        using socket = await Raw.connect(arena.server.port('submissions'), { tls: true })
        await socket.until(/\r\n/)
        await socket.ask('EHLO client.example\r\n', /^250 .*\r\n/m)
        const answer = await socket.ask(`AUTH PLAIN ${plain(user, password)}\r\n`, /^\d\d\d .*\r\n/m)
        if (!answer.startsWith('235')) throw new Error(answer)
      },
    ],
    [
      'ActiveSync',
      async () => {
        const phone = new Phone({ port: arena.server.port('https'), tls: true, user, password, deviceId: 'AGAIN' })
        const reply = await phone.call({ command: 'FolderSync', body: el('FolderHierarchy:FolderSync') })
        if (reply.http === 401) throw new Error('HTTP 401')
        // Known, but not for ActiveSync: 126, MS-ASCMD_R4869.
        if (text(reply.document, 'FolderHierarchy:Status') === '126') throw new Error('status 126')
      },
    ],
  ]
  const open = await Promise.all(
    tries.map(([name, attempt]) =>
      attempt().then(
        () => name,
        () => undefined,
      ),
    ),
  )
  return open.filter((name) => name !== undefined)
}

async function command(args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await arena.server.command(args, input)
  assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`)
  return stdout
}

async function allEnd(lives: readonly Live[], withdraw: () => Promise<unknown>): Promise<void> {
  try {
    await withdraw()
    for (const live of lives)
      await live.ended().catch((error: unknown) => assert.fail(`${live.name}: ${String(error)}`))
  } finally {
    for (const live of lives) live.close()
  }
}

const protocols = ['imap', 'pop3', 'smtp', 'activesync'] as const

test('a disabled user is out of every protocol at once, and comes in again when enabled', () =>
  arena.attack(async () => {
    const user = 'leaver@example.com'
    await arena.server.addUser(user, 'leaver-password')
    const lives = await everywhere(user, 'leaver-password', protocols)
    await allEnd(lives, () => command(['user', 'set', user, '--disable']))
    assert.deepEqual(await stillOpen(user, 'leaver-password'), [])
    await command(['user', 'set', user, '--enable'])
    assert.deepEqual(await stillOpen(user, 'leaver-password'), ['IMAP', 'POP3', 'submission', 'ActiveSync'])
  }))

test('a new password ends what the old one opened, not what an app password did', () =>
  arena.attack(async () => {
    const user = 'changer@example.com'
    await arena.server.addUser(user, 'changer-password')
    const made = JSON.parse(await command(['user', 'app-password', 'add', user, 'tablet', '--json'])) as {
      readonly id: string
      readonly password: string
    }
    const lives = await everywhere(user, 'changer-password', protocols)
    const apps = await everywhere(user, made.password, protocols)
    try {
      await allEnd(lives, () => command(['user', 'password', user, '--password-stdin'], 'another-password\n'))
      assert.deepEqual(await stillOpen(user, 'changer-password'), [])
      assert.deepEqual(await stillOpen(user, 'another-password'), ['IMAP', 'POP3', 'submission', 'ActiveSync'])
    } catch (error) {
      for (const live of apps) live.close()
      throw error
    }
    await allEnd(apps, () => command(['user', 'app-password', 'remove', user, made.id]))
    assert.deepEqual(await stillOpen(user, made.password), [])
  }))

test('R28: a protocol switched off ends its sessions and no others', () =>
  arena.attack(async () => {
    const user = 'switched@example.com'
    await arena.server.addUser(user, 'switched-password')
    for (const one of protocols) {
      const lives = await everywhere(user, 'switched-password', [one])
      await allEnd(lives, () => command(['user', 'set', user, '--off', one]))
    }
    assert.deepEqual(await stillOpen(user, 'switched-password'), [])
  }))

test('a removed user is out of every protocol at once', () =>
  arena.attack(async () => {
    const user = 'gone@example.com'
    await arena.server.addUser(user, 'gone-password')
    const lives = await everywhere(user, 'gone-password', protocols)
    await allEnd(lives, () => command(['user', 'remove', user, '--yes']))
    assert.deepEqual(await stillOpen(user, 'gone-password'), [])
  }))
