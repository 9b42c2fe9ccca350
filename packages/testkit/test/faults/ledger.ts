/**
 * A ledger outside of the server: everything it said yes to, and when. `at` answers what was promised at a moment, so that an image of the disk
 * as of then can be held against it.
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type ImapAnswer, ImapClient } from '../../src/imap/index.ts'
import { until } from '../../src/process/index.ts'
import type { TestServer } from '../../src/server/index.ts'
import { monotonicNow } from './journal.ts'

export interface Acknowledged {
  readonly user: string
  /** Folders with `|` between them: a move is under way, it is in one of them. */
  readonly folder: string
  /** Known for APPEND, COPY and MOVE. */
  readonly uid: number | undefined
  readonly digest: string
}
interface Counters {
  readonly uidNext: number
  readonly modSeq: number
  /** 0: not seen yet. */
  readonly uidValidity: number
}

/** What was promised up to some moment. */
export interface Promised {
  readonly mails: ReadonlyMap<string, Acknowledged>
  /** user/folder/uid/keyword that must be there. */
  readonly keywords: ReadonlySet<string>
  /** user/folder → the highest numbers ever shown. */
  readonly counters: ReadonlyMap<string, Counters>
}

class Book implements Promised {
  readonly mails = new Map<string, Acknowledged>()
  readonly keywords = new Set<string>()
  readonly counters = new Map<string, Counters>()
}

/** Digests are of the body behind the header, which SMTP hands on untouched. */
export const digestOf = (text: string): string =>
  createHash('sha256')
    .update(text.slice(text.indexOf('\r\n\r\n')), 'latin1')
    .digest('hex')

export class Ledger {
  readonly #events: { readonly at: number; readonly enter: (book: Book) => void }[] = []
  readonly #now = new Book()
  /** Acknowledgements by kind. */
  readonly counts = { smtp: 0, append: 0, flag: 0, move: 0, submission: 0, phone: 0 }
  /** Refusals for now by kind: no promise, and no error. */
  readonly refused = { smtp: 0, append: 0, flag: 0, move: 0, submission: 0, phone: 0 }

  lastRefusal = ''

  #enter(enter: (book: Book) => void): void {
    this.#events.push({ at: monotonicNow(), enter })
    enter(this.#now)
  }
  get promised(): Promised {
    return this.#now
  }
  /** What was promised up to a moment of the monotonic clock, ms. */
  at(moment: number): Promised {
    const book = new Book()
    for (const event of this.#events) {
      if (event.at > moment) break
      event.enter(book)
    }
    return book
  }

  /** When something was entered, ms, ascending. */
  moments(): number[] {
    return this.#events.map(({ at }) => at)
  }

  mail(id: string, acknowledged: Acknowledged): void {
    this.#enter((book) => void book.mails.set(id, acknowledged))
  }
  keyword(key: string): void {
    this.#enter((book) => void book.keywords.add(key))
  }
  /** Numbers of a folder that a client was shown: they never go back. */
  counters(folder: string, seen: Partial<Counters>): void {
    this.#enter((book) => {
      const before = book.counters.get(folder) ?? { uidNext: 0, modSeq: 0, uidValidity: 0 }
      book.counters.set(folder, {
        uidNext: Math.max(before.uidNext, seen.uidNext ?? 0),
        modSeq: Math.max(before.modSeq, seen.modSeq ?? 0),
        uidValidity: seen.uidValidity ?? before.uidValidity,
      })
    })
  }
}

export function numberIn(answer: ImapAnswer, pattern: RegExp): number {
  for (const line of [answer.text, ...answer.untagged]) {
    const found = pattern.exec(line)
    if (found !== null) return Number(found[1])
  }
  throw new Error(`no ${pattern} in ${answer.text} ${answer.untagged.join('\n')}`)
}

const FOLDERS = ['INBOX', 'Archive', 'Drafts', 'Junk Email', 'Sent Items']

export interface Account {
  readonly user: string
  readonly password: string
}

interface Found {
  readonly folder: string
  readonly uid: number
  readonly digest: string
}

/** Holds what a server has against what was promised. Rejects with the first thing lost, altered or gone back; answers the counters it saw. */
export async function reconcile(
  server: TestServer,
  promised: Promised,
  accounts: readonly Account[],
): Promise<ReadonlyMap<string, Counters>> {
  const counters = new Map<string, Counters>()
  for (const { user, password } of accounts) {
    const client = await ImapClient.login(server.port('imaps'), user, password)
    const found = new Map<string, Found[]>()
    for (const folder of FOLDERS) {
      const key = `${user}/${folder}`
      const now = await readFolder(client, key, folder, promised, found)
      counters.set(key, now)
      const before = promised.counters.get(key)
      if (before === undefined) continue
      if (before.uidValidity !== 0) assert.equal(now.uidValidity, before.uidValidity, `${key}: UIDVALIDITY`)
      assert.ok(now.uidNext >= before.uidNext, `${key}: UIDNEXT went back from ${before.uidNext} to ${now.uidNext}`)
      assert.ok(now.modSeq >= before.modSeq, `${key}: HIGHESTMODSEQ went back from ${before.modSeq} to ${now.modSeq}`)
    }
    client.close()
    for (const [id, wanted] of promised.mails) if (wanted.user === user) verifyMail(id, wanted, found.get(id) ?? [])
  }
  return counters
}

async function readFolder(
  client: ImapClient,
  key: string,
  folder: string,
  promised: Promised,
  found: Map<string, Found[]>,
): Promise<Counters> {
  // A process that has just lost its way to an owner says no for a moment; that is not a loss.
  const answered = (command: string): Promise<ImapAnswer> =>
    until(
      `${key}: an answer to ${command}`,
      async () => {
        const answer = await client.command(command, undefined, 60_000)
        if (answer.status === 'OK') return answer
        assert.match(answer.text, /UNAVAILABLE/, key)
        return undefined
      },
      60_000,
    )
  const selected = await answered(`SELECT "${folder}" (CONDSTORE)`)
  const rows = await answered('UID FETCH 1:* (FLAGS BODY.PEEK[])')
  const flagsOf = new Map<number, Set<string>>()
  for (const row of rows.untagged) {
    const literal = /BODY\[\] \{(\d+)\}\r\n/.exec(row)
    const id = /^Message-ID: (<[^>]+>)/im.exec(row)?.[1]
    if (literal === null || id === undefined) continue
    const uid = Number(/UID (\d+)/.exec(row)?.[1])
    const start = literal.index + literal[0].length
    const list = found.get(id) ?? []
    list.push({ folder, uid, digest: digestOf(row.slice(start, start + Number(literal[1]))) })
    found.set(id, list)
    flagsOf.set(uid, new Set((/FLAGS \(([^)]*)\)/.exec(row)?.[1] ?? '').split(' ')))
  }
  for (const wanted of promised.keywords) {
    if (!wanted.startsWith(`${key}/`)) continue
    const [uid, keyword = ''] = wanted.slice(key.length + 1).split('/')
    assert.ok(flagsOf.get(Number(uid))?.has(keyword), `${wanted} lost`)
  }
  return {
    uidNext: numberIn(selected, /UIDNEXT (\d+)/),
    modSeq: numberIn(selected, /HIGHESTMODSEQ (\d+)/),
    uidValidity: numberIn(selected, /UIDVALIDITY (\d+)/),
  }
}

function verifyMail(id: string, wanted: Acknowledged, found: readonly Found[]): void {
  const folders = wanted.folder.split('|')
  const here = found.find(({ folder }) => folders.includes(folder))
  const where = found.map(({ folder }) => folder).join() || 'no folder'
  assert.ok(here, `${wanted.user}: acknowledged in ${wanted.folder}, ${id} is in ${where}`)
  assert.equal(here.digest, wanted.digest, `${id} was altered`)
  if (wanted.uid !== undefined) assert.equal(here.uid, wanted.uid, `${id} has another UID`)
}
