/**
 * D6, flipped bits in every kind of file of the data folder: one bit at a random place, a server on it. Nothing altered is ever served as good:
 * a mail is what was delivered, or an error; mailboxes in other databases live on; `store check` (or the start itself) says what is wrong.
 * POSTRIDER_ROT_FLIPS=20 flips as many bits in each kind of file, POSTRIDER_ROT_KIND='segment' in one kind only, POSTRIDER_ROT_SEED takes the
 * same places again.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ImapClient } from '../../src/imap/index.ts'
import { temporaryFolder } from '../../src/process/index.ts'
import { TestServer } from '../../src/server/index.ts'
import { SmtpClient } from '../../src/smtp/index.ts'
import { testMail } from '../mails.ts'
import { randomFrom } from './journal.ts'
import { digestOf } from './ledger.ts'

const FLIPS = Number(process.env.POSTRIDER_ROT_FLIPS ?? 1)
const seed = Number(process.env.POSTRIDER_ROT_SEED ?? Date.now() % 1_000_000)
const PASSWORD = 'rot-password'
const USERS = ['rot1@example.com', 'rot2@example.com']
const MAILS = 12
const CONFIG = { databases: 2, owners: 1, store: { scrub: 0 } }

/** What has to notice a flipped bit in a kind of file. */
interface Kind {
  readonly name: string
  /** Of the paths below the data folder. */
  readonly file: RegExp
  /** `check`: store check names it. `healed`: it is made anew by itself. `start`: the start refuses, or everything works. */
  readonly noticed: 'check' | 'healed' | 'start'
}
const kinds: readonly Kind[] = [
  { name: 'mailbox database', file: /^mailboxes\/[^/]+\/mailbox\.sqlite$/, noticed: 'check' },
  { name: 'its write-ahead log', file: /^mailboxes\/[^/]+\/mailbox\.sqlite-wal$/, noticed: 'start' },
  { name: 'its redo log', file: /^mailboxes\/[^/]+\/mailbox\.sqlite-redo$/, noticed: 'start' },
  { name: 'checksums of its pages', file: /^mailboxes\/[^/]+\/mailbox\.sqlite-sums$/, noticed: 'start' },
  { name: 'segment', file: /^mailboxes\/[^/]+\/segments\/\d+\.seg$/, noticed: 'check' },
  { name: 'search database', file: /^mailboxes\/[^/]+\/search\.sqlite$/, noticed: 'healed' },
  { name: 'directory', file: /^directory\.db$/, noticed: 'check' },
  { name: 'certificate', file: /^tls\/certificate\.pem$/, noticed: 'start' },
  { name: 'key', file: /^tls\/key\.pem$/, noticed: 'start' },
  { name: 'configuration', file: /^postrider\.json$/, noticed: 'start' },
]

interface Mail {
  readonly envelope: string
  readonly digest: string
}
type Mails = ReadonlyMap<string, Mail | undefined>

/** All mails of a user by Message-ID... of the ENVELOPE; undefined for one whose body is refused. Undefined when the mailbox is refused. */
async function readMails(server: TestServer, user: string): Promise<Mails | undefined> {
  const client = await ImapClient.connect(server.port('imaps')).catch(() => undefined)
  if (client === undefined) return undefined
  try {
    if ((await client.command(`LOGIN "${user}" "${PASSWORD}"`)).status !== 'OK') return undefined
    const selected = await client.command('SELECT INBOX')
    if (selected.status !== 'OK') return undefined
    const exists = Number(/\* (\d+) EXISTS/.exec(selected.untagged.join('\n'))?.[1])
    const mails = new Map<string, Mail | undefined>()
    for (let n = 1; n <= exists; n++) {
      const answer = await client.command(`FETCH ${n} (ENVELOPE BODY.PEEK[])`)
      const row = answer.untagged.find((line) => line.includes('BODY[] {'))
      const literal = row === undefined ? null : /BODY\[\] \{(\d+)\}\r\n/.exec(row)
      const envelope = /ENVELOPE (\(.*?"<[^"]+>"\))/.exec(row ?? '')?.[1] ?? ''
      if (answer.status !== 'OK' || row === undefined || literal === null) {
        mails.set(`refused ${n}`, undefined)
        continue
      }
      const start = literal.index + literal[0].length
      const text = row.slice(start, start + Number(literal[1]))
      mails.set(/^Message-ID: (<[^>]+>)/im.exec(text)?.[1] ?? text, { envelope, digest: digestOf(text) })
    }
    return mails
  } catch {
    // The connection ended: that is no mail served as good either.
    return undefined
  } finally {
    client.close()
  }
}

/** A data folder as kill -9 leaves it, with mail of two users in two databases, each with a log of its own. */
async function fill(folder: string): Promise<ReadonlyMap<string, Mails>> {
  writeFileSync(join(folder, 'postrider.json'), JSON.stringify(CONFIG))
  await using server = await TestServer.start({ folder })
  for (const user of USERS) await server.addUser(user, PASSWORD)
  const deliver = async (): Promise<void> => {
    const client = await SmtpClient.connect(server.port('smtp'))
    for (const user of USERS) {
      for (let n = 0; n < MAILS; n++) {
        const { text } = testMail({
          from: 'ann@outside.example',
          to: user,
          subject: `rot ${n}`,
          bytes: 1_500 + n * 3_000,
        })
        await client.deliver('ann@outside.example', user, text)
      }
    }
    client.close()
  }
  await deliver()
  await server.stop()
  await server.restart()
  await deliver()
  const before = new Map<string, Mails>()
  for (const user of USERS) before.set(user, (await readMails(server, user)) ?? new Map())
  await server.kill()
  return before
}

const noSocket = (path: string): boolean => !existsSync(path) || !statSync(path).isSocket()

function filesOf(folder: string, kind: Kind): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (name) => kind.file.test(name) && statSync(join(folder, name)).size > 0,
  )
}

function flip(path: string, random: () => number): string {
  const bytes = readFileSync(path)
  const at = Math.floor(random() * bytes.length)
  bytes[at] = bytes[at]! ^ (1 << Math.floor(random() * 8))
  writeFileSync(path, bytes)
  return `byte ${at}`
}

interface Outcome {
  readonly started: boolean
  readonly refused: number
  readonly checked: boolean
}

async function lookAt(
  folder: string,
  before: ReadonlyMap<string, Mails>,
  damaged: string,
  where: string,
): Promise<Outcome> {
  const server = await TestServer.start({ folder, readyMs: 60_000 }).catch((error: unknown) => {
    assert.match(String(error), /the server ended at start/, where)
    // It says why, and not by an accident inside.
    assert.doesNotMatch(String(error), /TypeError|ReferenceError|RangeError/, `${where}: ${String(error)}`)
    return undefined
  })
  if (server === undefined) return { started: false, refused: 0, checked: true }
  try {
    let refused = 0
    for (const [user, mails] of before) {
      const now = await readMails(server, user)
      if (now === undefined) refused++
      for (const [id, mail] of now ?? []) {
        if (mail === undefined) {
          refused++
          continue
        }
        assert.deepEqual(mail, mails.get(id), `${where}: ${user} ${id} was altered`)
      }
    }
    const check = await server.command(['store', 'check', '--json'])
    if (/^mailboxes\//.test(damaged)) assert.ok(refused <= 2 * MAILS + 1, `${where}: the other mailbox lives on`)
    return { started: true, refused, checked: check.code !== 0 }
  } finally {
    await server.kill()
  }
}

async function rot(t: TestContext, kind: Kind, base: string, before: ReadonlyMap<string, Mails>): Promise<void> {
  const random = randomFrom(seed + kinds.indexOf(kind))
  const files = filesOf(base, kind)
  assert.ok(files.length > 0, 'there are such files')
  const seen = { refusedToStart: 0, mailsRefused: 0, checked: 0 }
  for (let n = 0; n < FLIPS; n++) {
    using image = temporaryFolder('rot')
    cpSync(base, image.path, { recursive: true, filter: noSocket })
    rmSync(join(image.path, 'ready.json'), { force: true })
    const file = files[Math.floor(random() * files.length)] ?? ''
    const where = `seed ${seed}: ${file} ${flip(join(image.path, file), random)}`
    const { started, refused, checked } = await lookAt(image.path, before, file, where)
    if (!started) seen.refusedToStart++
    seen.mailsRefused += refused
    if (checked) seen.checked++
    if (kind.noticed === 'check') assert.ok(checked, `${where}: nobody noticed`)
    if (kind.noticed === 'healed') assert.ok(started && refused === 0, where)
  }
  t.diagnostic(`${kind.name}: ${FLIPS} flips, ${JSON.stringify(seen)}`)
}

test('D6: a flipped bit in any file is never served as good', {
  timeout: 120_000 + FLIPS * kinds.length * 60_000,
}, async (t) => {
  using killed = temporaryFolder('rot-killed')
  const before = await fill(killed.path)
  using stopped = temporaryFolder('rot-stopped')
  cpSync(killed.path, stopped.path, { recursive: true, filter: noSocket })
  // What is in the log heals the page in the file: a bit there would rightly go unnoticed.
  await (await TestServer.start({ folder: stopped.path })).stop()
  for (const mails of before.values()) assert.equal(mails.size, 2 * MAILS)
  const only = process.env.POSTRIDER_ROT_KIND
  for (const kind of kinds.filter(({ name }) => only === undefined || name === only))
    await t.test(kind.name, (inner) => rot(inner, kind, kind.name.includes('log') ? killed.path : stopped.path, before))
})
