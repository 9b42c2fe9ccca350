/**
 * A mixed load over all ways mail comes in and is changed; what the server says yes to goes into the ledger. A refusal for now (451, NO,
 * an ActiveSync error) is no promise, a connection that ends is made again: the load goes on until it is told to stop.
 */
import assert from 'node:assert/strict'
import { Phone } from '../../src/activesync/index.ts'
import { type ImapAnswer, ImapClient } from '../../src/imap/index.ts'
import { sleep } from '../../src/process/index.ts'
import type { TestServer } from '../../src/server/index.ts'
import { SmtpClient } from '../../src/smtp/index.ts'
import { testMail } from '../mails.ts'
import { type Account, digestOf, type Ledger, numberIn } from './ledger.ts'

const PASSWORD = 'fault-password'
export const accounts: readonly Account[] = ['fault1', 'fault2', 'fault3'].map((name) => ({
  user: `${name}@example.com`,
  password: PASSWORD,
}))
const PAUSE_MS = 20
/** A device has 600 requests a minute; more are refused. */
const PHONE_PAUSE_MS = 150

type Kind = keyof Ledger['counts']
interface Work {
  readonly server: TestServer
  readonly ledger: Ledger
  readonly stopped: () => boolean
}

/** Answers that are no promise. Anything else the server says is an error of the test or the server. */
class RefusedForNow extends Error {}

function refusal(answer: ImapAnswer): void {
  if (answer.status === 'OK') return
  assert.equal(answer.status, 'NO', answer.text)
  throw new RefusedForNow(answer.text)
}

interface Session {
  /** False when there was nothing to do. */
  step(): Promise<unknown>
  end(): void
}

/** Repeats a piece of work until it is time to stop, with a new connection whenever the old one is gone. */
async function repeat(work: Work, kind: Kind, session: () => Promise<Session>): Promise<void> {
  while (!work.stopped()) {
    let open: Session | undefined
    try {
      open = await session()
      while (!work.stopped()) {
        if ((await open.step()) !== false) work.ledger.counts[kind]++
      }
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      if (!work.stopped()) {
        work.ledger.refused[kind]++
        work.ledger.lastRefusal = `${kind}: ${error instanceof Error ? error.message : String(error)}`
      }
      await sleep(PAUSE_MS)
    } finally {
      open?.end()
    }
  }
}

const smtp = (work: Work, user: string, submission: boolean): Promise<void> =>
  repeat(work, submission ? 'submission' : 'smtp', async () => {
    const { server, ledger } = work
    const client = await SmtpClient.connect(server.port(submission ? 'submissions' : 'smtp'), { tls: submission })
    const from = submission ? user : 'ann@outside.example'
    let known = !submission
    return {
      async step() {
        if (!known) await client.login(user, PASSWORD)
        known = true
        const { id, text } = testMail({ from, to: user, subject: 'fault', bytes: 2_000 })
        // Any other answer than 250 ends this connection; it was no promise.
        await client.deliver(from, user, text)
        ledger.mail(id, { user, folder: 'INBOX', uid: undefined, digest: digestOf(text) })
      },
      end: () => client.close(),
    }
  })

const imap = (work: Work, user: string): Promise<ImapClient> =>
  ImapClient.login(work.server.port('imaps'), user, PASSWORD)

const append = (work: Work, user: string): Promise<void> =>
  repeat(work, 'append', async () => {
    const client = await imap(work, user)
    return {
      async step() {
        const { id, text } = testMail({ from: user, to: user, subject: 'append', bytes: 3_000 })
        const answer = await client.append('Archive', text)
        refusal(answer)
        const uid = numberIn(answer, /APPENDUID \d+ (\d+)/)
        work.ledger.mail(id, { user, folder: 'Archive', uid, digest: digestOf(text) })
        work.ledger.counters(`${user}/Archive`, { uidNext: uid + 1 })
      },
      end: () => client.close(),
    }
  })

const flag = (work: Work, user: string): Promise<void> =>
  repeat(work, 'flag', async () => {
    const { ledger } = work
    const client = await imap(work, user)
    let n = 0
    return {
      async step() {
        if (n === 0) refusal(await client.command('SELECT Archive (CONDSTORE)'))
        const uids = [...ledger.promised.mails.values()].flatMap((one) =>
          one.user === user && one.uid !== undefined && one.folder === 'Archive' ? [one.uid] : [],
        )
        if (uids.length === 0) return sleep(PAUSE_MS).then(() => false)
        const uid = uids[Math.floor(Math.random() * uids.length)]
        const keyword = `k${n++ % 7}`
        const answer = await client.command(`UID STORE ${uid} +FLAGS (${keyword})`)
        refusal(answer)
        // Promised is what the answer shows: a mail this session has not been told of yet is not touched.
        const line = answer.untagged.find((one) => one.includes(`UID ${uid}`) && one.includes(keyword))
        if (line === undefined) return false
        ledger.keyword(`${user}/Archive/${uid}/${keyword}`)
        const modSeq = /MODSEQ \((\d+)\)/.exec(line)?.[1]
        if (modSeq !== undefined) ledger.counters(`${user}/Archive`, { modSeq: Number(modSeq) })
        return true
      },
      end: () => client.close(),
    }
  })

const move = (work: Work, user: string): Promise<void> =>
  repeat(work, 'move', async () => {
    const { ledger } = work
    const client = await imap(work, user)
    return {
      async step() {
        const { id, text } = testMail({ from: user, to: user, subject: 'move', bytes: 1_500 })
        const added = await client.append('Drafts', text)
        refusal(added)
        const uid = numberIn(added, /APPENDUID \d+ (\d+)/)
        const digest = digestOf(text)
        // Between the two the mail may be in either folder, but never in none.
        ledger.mail(id, { user, folder: 'Drafts|Junk Email', uid: undefined, digest })
        ledger.counters(`${user}/Drafts`, { uidNext: uid + 1 })
        refusal(await client.command('SELECT Drafts'))
        const moved = await client.command(`UID MOVE ${uid} "Junk Email"`)
        refusal(moved)
        const there = numberIn(moved, /COPYUID \d+ \d+ (\d+)/)
        ledger.mail(id, { user, folder: 'Junk Email', uid: there, digest })
        ledger.counters(`${user}/Junk Email`, { uidNext: there + 1 })
      },
      end: () => client.close(),
    }
  })

const phone = (work: Work, user: string): Promise<void> =>
  repeat(work, 'phone', async () => {
    const client = new Phone({
      port: work.server.port('https'),
      tls: true,
      user,
      password: PASSWORD,
      deviceId: `FAULT${Math.floor(Math.random() * 1e9)}`,
      deviceType: 'TestPhone',
    })
    await client.provision()
    return {
      async step() {
        const { id, text } = testMail({ from: user, to: user, subject: 'phone', bytes: 1_500 })
        const reply = await client.sendMail(text, id.slice(1, 37))
        // An empty answer is the yes: [MS-ASCMD] §2.2.1.17.
        if (reply.http !== 200 || reply.document !== undefined) throw new RefusedForNow(`SendMail: ${reply.http}`)
        work.ledger.mail(id, { user, folder: 'Sent Items', uid: undefined, digest: digestOf(text) })
        await sleep(PHONE_PAUSE_MS)
      },
      end: () => {},
    }
  })

/** Runs the load until `stopped` says so. Rejects when the server says something it must not say. */
export async function load(server: TestServer, ledger: Ledger, stopped: () => boolean): Promise<void> {
  const work: Work = { server, ledger, stopped }
  const [one = '', two = '', three = ''] = accounts.map(({ user }) => user)
  await Promise.all([
    phone(work, three),
    smtp(work, one, false),
    smtp(work, two, false),
    smtp(work, one, true),
    append(work, one),
    append(work, three),
    flag(work, one),
    flag(work, three),
    move(work, two),
  ])
}
