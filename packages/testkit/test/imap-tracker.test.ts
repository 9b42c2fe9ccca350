import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { ImapClient } from '../src/imap/index.ts'
import { TestServer } from '../src/server/index.ts'
import { type Extension, Tracker } from '../src/tracker/index.ts'

const PASSWORD = 'tracker-password'
const ROUNDS = 40
const MAILBOXES = ['A', 'B'] as const

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

type Pick = (below: number) => number

const message = (text: string): Buffer => Buffer.from(`Subject: ${text}\r\nFrom: t@t.example\r\n\r\n${text}\r\n`)

async function act(tracker: Tracker, pick: Pick): Promise<void> {
  const n = Math.max(1, tracker.count)
  const [a, b] = [1 + pick(n), 1 + pick(n)]
  const set = ['1:*', '*', `${a}`, `${a}:${b}`, `${a},${b}`][pick(5)] ?? '1'
  const mailbox = MAILBOXES[pick(MAILBOXES.length)] ?? 'A'
  const flags = ['\\Seen', '\\Deleted', '\\Flagged', '$Work', '\\Deleted \\Seen'][pick(5)]
  const kind = ['FLAGS', '+FLAGS', '-FLAGS', '+FLAGS.SILENT', '-FLAGS.SILENT'][pick(5)]
  const mail = message(`random ${pick(1000)}`)
  const commands = [
    `STORE ${set} ${kind} (${flags})`,
    `UID STORE ${set} ${kind} (${flags})`,
    `FETCH ${set} (UID FLAGS)`,
    `UID FETCH ${set} (FLAGS BODY.PEEK[TEXT]<0.1>)`,
    'EXPUNGE',
    `UID EXPUNGE ${set}`,
    'NOOP',
    'SEARCH DELETED',
    'UID SEARCH ALL',
    `COPY ${a} ${mailbox}`,
    `MOVE ${a} ${mailbox}`,
    `UID COPY ${a}:${b} ${mailbox}`,
    `UID MOVE ${set} ${mailbox}`,
    `STATUS ${mailbox} (MESSAGES)`,
  ]
  const chosen = pick(commands.length + 6)
  if (chosen < commands.length) await tracker.run(commands[chosen] ?? 'NOOP')
  else if (chosen < commands.length + 3) await tracker.run(`APPEND ${mailbox} {${mail.length}}`, mail)
  else if (chosen === commands.length + 3) await tracker.idle(20)
  else if (chosen === commands.length + 4) await tracker.open(mailbox)
  else {
    tracker.drop()
    await tracker.open(mailbox)
  }
}

let server: TestServer
before(async () => {
  server = await TestServer.start()
})
after(() => server[Symbol.asyncDispose]())

for (const seed of [1, 7, 42, 2026]) {
  test(`five sessions with random commands agree with each other and with a fresh one, seed ${seed} (RFC 9051 §5.2, §7.5.1, RFC 7162)`, async () => {
    const address = `tracker${seed}@example.com`
    await server.addUser(address, PASSWORD)
    const login = (): Promise<ImapClient> => ImapClient.login(server.port('imaps'), address, PASSWORD)
    const first = await login()
    for (const mailbox of MAILBOXES) {
      await first.command(`CREATE ${mailbox}`)
      for (let i = 0; i < 8; i++) await first.append(mailbox, message(`start ${i}`))
    }
    first.close()
    const extensions: Extension[] = ['', 'CONDSTORE', 'QRESYNC', 'QRESYNC', 'IMAP4rev2']
    const trackers = extensions.map((extension, i) => new Tracker(`${i} ${extension}`, extension, login))
    try {
      // A generator each, so that what one does hangs on the seed and on what it was told only.
      const picks = trackers.map((_, i) => random(seed * 100 + i))
      for (const [i, tracker] of trackers.entries()) await tracker.open(MAILBOXES[i % 2] ?? 'A')
      await Promise.all(
        trackers.map(async (tracker, i) => {
          for (let round = 0; round < ROUNDS; round++) await act(tracker, picks[i] as Pick)
        }),
      )
      for (const mailbox of MAILBOXES) {
        // Those with a cache come back with it, the others look afresh; a session that stayed says NOOP.
        for (const tracker of trackers) await tracker.open(mailbox, true)
        await trackers[0]?.run('STORE 1 +FLAGS (\\Answered)')
        for (const tracker of trackers) await tracker.run('NOOP')
        const fresh = new Tracker('fresh', '', login)
        await fresh.open(mailbox)
        for (const tracker of trackers) assert.deepEqual(tracker.picture, fresh.picture, tracker.name)
        fresh.close()
      }
    } finally {
      for (const tracker of trackers) tracker.close()
    }
  })
}
