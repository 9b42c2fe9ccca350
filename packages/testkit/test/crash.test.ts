/**
 * Kill -9 under a mixed load, with a ledger outside of everything the server acknowledged. After every restart: nothing lost, nothing
 * altered, no counter backwards. 20 cycles here; POSTRIDER_CRASH_CYCLES runs more, POSTRIDER_CRASH_OWNERS=process
 * with owners in processes of their own, which then have to be gone before the next start.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { Phone } from '../src/activesync/index.ts'
import { type ImapAnswer, ImapClient } from '../src/imap/index.ts'
import { sleep } from '../src/process/index.ts'
import { TestServer } from '../src/server/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { testMail } from './mails.ts'

const CYCLES = Number(process.env.POSTRIDER_CRASH_CYCLES ?? 20)
const OWNERS = process.env.POSTRIDER_CRASH_OWNERS ?? 'thread'
const READY_MS = 60_000
const USERS = ['kill1@example.com', 'kill2@example.com', 'kill3@example.com']
const PASSWORD = 'kill-password'

interface Acknowledged {
  readonly user: string
  readonly folder: string
  /** Known for APPEND and COPY. */
  readonly uid: number | undefined
  readonly digest: string
}

/** What the server said yes to. Digests are of the body behind the header, which SMTP hands on untouched. */
class Ledger {
  readonly mails = new Map<string, Acknowledged>()
  /** user/folder/uid → keyword that must be there. */
  readonly keywords = new Map<string, string>()
  /** user/folder → highest UIDNEXT and MODSEQ ever seen. */
  readonly counters = new Map<string, { uidNext: number; modSeq: number; uidValidity: number }>()
  counts = { smtp: 0, append: 0, flag: 0, move: 0, submission: 0, phone: 0 }
}

const digestOf = (text: string): string =>
  createHash('sha256')
    .update(text.slice(text.indexOf('\r\n\r\n')), 'latin1')
    .digest('hex')
const numberIn = (answer: ImapAnswer, pattern: RegExp): number => {
  for (const line of [answer.text, ...answer.untagged]) {
    const found = pattern.exec(line)
    if (found !== null) return Number(found[1])
  }
  throw new Error(`no ${pattern} in ${answer.text} ${answer.untagged.join('\n')}`)
}

/** Runs one step after the other until the connection breaks; anything but a broken connection fails the test. */
async function worker(stopped: () => boolean, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!stopped()) throw error
  }
}

function load(server: TestServer, ledger: Ledger, stopped: () => boolean): Promise<void>[] {
  const smtp = (user: string, submission: boolean) =>
    worker(stopped, async () => {
      const client = await SmtpClient.connect(server.port(submission ? 'submissions' : 'smtp'), { tls: submission })
      if (submission) await client.login(user, PASSWORD)
      for (;;) {
        const { id, text } = testMail({
          from: submission ? user : 'ann@outside.example',
          to: user,
          subject: 'crash',
          bytes: 2_000,
        })
        await client.deliver(submission ? user : 'ann@outside.example', user, text)
        ledger.mails.set(id, { user, folder: 'INBOX', uid: undefined, digest: digestOf(text) })
        ledger.counts[submission ? 'submission' : 'smtp']++
      }
    })
  const append = (user: string) =>
    worker(stopped, async () => {
      const client = await ImapClient.login(server.port('imaps'), user, PASSWORD)
      for (;;) {
        const { id, text } = testMail({ from: user, to: user, subject: 'append', bytes: 3_000 })
        const answer = await client.append('Archive', text)
        assert.equal(answer.status, 'OK', answer.text)
        ledger.mails.set(id, {
          user,
          folder: 'Archive',
          uid: numberIn(answer, /APPENDUID \d+ (\d+)/),
          digest: digestOf(text),
        })
        ledger.counts.append++
      }
    })
  const flag = (user: string) =>
    worker(stopped, async () => {
      const client = await ImapClient.login(server.port('imaps'), user, PASSWORD)
      await client.command('SELECT Archive')
      // Ends by itself too: with nothing to flag yet, it has no command whose broken connection would end it.
      for (let n = 0; !stopped(); n++) {
        const uids = [...ledger.mails.values()].flatMap((one) =>
          one.user === user && one.uid !== undefined && one.folder === 'Archive' ? [one.uid] : [],
        )
        if (uids.length === 0) {
          await sleep(5)
          continue
        }
        const uid = uids[Math.floor(Math.random() * uids.length)]
        const keyword = `k${n % 7}`
        const answer = await client.command(`UID STORE ${uid} +FLAGS (${keyword})`)
        assert.equal(answer.status, 'OK', answer.text)
        // Promised is what the answer shows: a mail this session has not been told of yet is not touched.
        if (!answer.untagged.some((line) => line.includes(`UID ${uid}`) && line.includes(keyword))) continue
        ledger.keywords.set(`${user}/Archive/${uid}/${keyword}`, keyword)
        ledger.counts.flag++
      }
    })
  const move = (user: string) =>
    worker(stopped, async () => {
      const client = await ImapClient.login(server.port('imaps'), user, PASSWORD)
      for (;;) {
        const { id, text } = testMail({ from: user, to: user, subject: 'move', bytes: 1_500 })
        const added = await client.append('Drafts', text)
        assert.equal(added.status, 'OK', added.text)
        const uid = numberIn(added, /APPENDUID \d+ (\d+)/)
        await client.command('SELECT Drafts')
        // Between the two the mail may be in either folder, but never in none.
        ledger.mails.set(id, { user, folder: 'Drafts|Junk Email', uid: undefined, digest: digestOf(text) })
        const moved = await client.command(`UID MOVE ${uid} "Junk Email"`)
        assert.equal(moved.status, 'OK', moved.text)
        ledger.mails.set(id, {
          user,
          folder: 'Junk Email',
          uid: numberIn(moved, /COPYUID \d+ \d+ (\d+)/),
          digest: digestOf(text),
        })
        ledger.counts.move++
      }
    })
  const phone = (user: string) =>
    worker(stopped, async () => {
      const client = new Phone({
        port: server.port('https'),
        tls: true,
        user,
        password: PASSWORD,
        deviceId: `CRASH${Math.floor(Math.random() * 1e9)}`,
        deviceType: 'TestPhone',
      })
      await client.provision()
      for (;;) {
        const { id, text } = testMail({ from: user, to: user, subject: 'phone', bytes: 1_500 })
        const reply = await client.sendMail(text, id.slice(1, 37))
        // An empty answer is the yes: [MS-ASCMD] §2.2.1.17.
        if (reply.http !== 200 || reply.document !== undefined)
          throw new Error(`SendMail: ${reply.http} ${JSON.stringify(reply.document)}`)
        ledger.mails.set(id, { user, folder: 'Sent Items', uid: undefined, digest: digestOf(text) })
        ledger.counts.phone++
      }
    })
  const [one = '', two = '', three = ''] = USERS
  return [
    phone(three),

    smtp(one, false),
    smtp(two, false),
    smtp(one, true),
    append(one),
    append(three),
    flag(one),
    flag(three),
    move(two),
  ]
}

async function reconcile(server: TestServer, ledger: Ledger): Promise<void> {
  const folders = ['INBOX', 'Archive', 'Drafts', 'Junk Email', 'Sent Items']
  for (const user of USERS) {
    const client = await ImapClient.login(server.port('imaps'), user, PASSWORD)
    const found = new Map<string, { folder: string; uid: number; digest: string }>()
    for (const folder of folders) {
      const selected = await client.command(`SELECT "${folder}" (CONDSTORE)`)
      assert.equal(selected.status, 'OK', selected.text)
      const now = {
        uidNext: numberIn(selected, /UIDNEXT (\d+)/),
        modSeq: numberIn(selected, /HIGHESTMODSEQ (\d+)/),
        uidValidity: numberIn(selected, /UIDVALIDITY (\d+)/),
      }
      const before = ledger.counters.get(`${user}/${folder}`)
      if (before !== undefined) {
        assert.equal(now.uidValidity, before.uidValidity, `${user} ${folder}: UIDVALIDITY`)
        assert.ok(
          now.uidNext >= before.uidNext,
          `${user} ${folder}: UIDNEXT went back from ${before.uidNext} to ${now.uidNext}`,
        )
        assert.ok(now.modSeq >= before.modSeq, `${user} ${folder}: HIGHESTMODSEQ went back`)
      }
      ledger.counters.set(`${user}/${folder}`, now)
      const rows = await client.command('UID FETCH 1:* (FLAGS BODY.PEEK[])', undefined, 60_000)
      for (const row of rows.untagged) {
        const uid = Number(/UID (\d+)/.exec(row)?.[1])
        const id = /^Message-ID: (<[^>]+>)/im.exec(row)?.[1]
        if (id === undefined) continue
        const literal = /BODY\[\] \{(\d+)\}\r\n/.exec(row)
        assert.ok(literal, row.slice(0, 200))
        const text = row.slice(
          literal.index + literal[0].length,
          literal.index + literal[0].length + Number(literal[1]),
        )
        // A phone's mail to itself is in the inbox too; what was promised is the copy in Sent Items.
        if (ledger.mails.get(id)?.folder === 'Sent Items' && folder !== 'Sent Items') continue
        found.set(id, { folder, uid, digest: digestOf(text) })
        const flags = new Set((/FLAGS \(([^)]*)\)/.exec(row)?.[1] ?? '').split(' '))
        for (const [key, keyword] of ledger.keywords)
          if (key.startsWith(`${user}/${folder}/${uid}/`)) assert.ok(flags.has(keyword), `${key} lost`)
      }
    }
    client.close()
    for (const [id, wanted] of ledger.mails) {
      if (wanted.user !== user) continue
      const here = found.get(id)
      assert.ok(here, `${user}: acknowledged ${wanted.folder} ${id} is lost`)
      assert.equal(here.digest, wanted.digest, `${id} was altered`)
      assert.ok(wanted.folder.split('|').includes(here.folder), `${id} is in ${here.folder}, not in ${wanted.folder}`)
      if (wanted.uid !== undefined) assert.equal(here.uid, wanted.uid, `${id} has another UID`)
    }
  }
}

test(`D1: ${CYCLES} times kill -9 under load: nothing acknowledged is lost or altered`, {
  timeout: CYCLES * 60_000,
}, async (t) => {
  await using server = await TestServer.start({ config: { ownerKind: OWNERS } })
  for (const user of USERS) await server.addUser(user, PASSWORD)
  const ledger = new Ledger()
  let slowest = 0
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    let stop = false
    const workers = load(server, ledger, () => stop)
    const failed = Promise.all(workers)
    failed.catch(() => {}) // awaited below; a failure must not end the process before
    await sleep(200 + Math.random() * 500)
    stop = true
    await server.kill()
    await failed
    slowest = Math.max(slowest, await server.restart())
    if (cycle % 5 === 4 || cycle === CYCLES - 1) await reconcile(server, ledger)
  }
  t.diagnostic(
    `${ledger.mails.size} mails acknowledged ${JSON.stringify(ledger.counts)}, slowest restart ${Math.round(slowest)} ms`,
  )
  assert.ok(slowest < READY_MS, `restart took ${slowest} ms`)
  for (const [kind, count] of Object.entries(ledger.counts)) assert.ok(count > 0, `no ${kind} was acknowledged`)
  const check = await server.command(['store', 'check', '--json'])
  assert.equal(check.code, 0, check.stdout + check.stderr)
})
