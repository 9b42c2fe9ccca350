import type { Column, SearchQuery } from '@postrider/domain'
import type { SearchKey } from '@postrider/wire/imap'
import { headerFields, parseDateTime, readMessageIndex, selectFields, unfoldValue } from '@postrider/wire/mime'
import { flagBit } from '../flags.ts'
import type { Rows } from '../fetch/columns.ts'
import type { Session } from '../session.ts'
import { windows } from '../view/uid-map.ts'
import { days, flattenOr, toQuery } from './query.ts'

/** One byte per sequence number (index 0 unused): 1 where the message matches. */
export type Mask = Uint8Array

const MS_PER_DAY = 86_400_000
/** No zone is farther from UTC than this; dates nearer to a day's edge are read from the message. */
const ZONE_MARGIN = 26 * 3_600_000
const columns = [
  'uid',
  'flags',
  'keywords',
  'size',
  'received',
  'change',
  'itemId',
] as const satisfies readonly Column[]
const SEARCH_LIMIT = 2 ** 31 - 1

/**
 * Finds the messages of the selected mailbox a search program means (RFC 9051 §6.4.4), exactly. What columns can answer is answered
 * here from one scan; text goes to the service's search, the whole program in one question where it can.
 */
export async function evaluate(session: Session, key: SearchKey): Promise<Mask> {
  return new Evaluation(session).run(key)
}

class Evaluation {
  readonly #session: Session
  readonly #now: number
  readonly #count: number
  #rows: Promise<{ rows: Rows; sequences: Uint32Array }> | undefined

  constructor(session: Session) {
    this.#session = session
    this.#now = session.context.clock.now()
    this.#count = session.view.map.count
  }

  async run(key: SearchKey): Promise<Mask> {
    const { view } = this.#session
    if (key.kind === 'all') return new Uint8Array(this.#count + 1).fill(1, 1)
    if (key.kind === 'set') return this.#ofRanges(view.sequences(key.set, key.uid, 'nothing'))
    if (key.kind === 'not') return invert(await this.run(key.key))
    if (isText(key)) {
      const query = toQuery(key, view, this.#now)
      if (query !== undefined) return this.#ask(query)
    }
    if (key.kind === 'and') return this.#and(key.keys)
    if (key.kind === 'or') return this.#or(flattenOr(key))
    if (key.kind === 'date' && key.date === 'sent') return this.#sent(key.compare, key.day)
    return this.#local(key)
  }

  async #and(keys: readonly SearchKey[]): Promise<Mask> {
    let mask: Mask | undefined
    for (const key of keys) {
      const next = await this.run(key)
      if (mask === undefined) mask = next
      else for (let i = 1; i < next.length; i++) (mask[i] as number) &= next[i] as number
      await this.#session.pace()
    }
    return mask ?? new Uint8Array(this.#count + 1)
  }

  async #or(keys: readonly SearchKey[]): Promise<Mask> {
    const mask = new Uint8Array(this.#count + 1)
    for (const key of keys) {
      const next = await this.run(key)
      for (let i = 1; i < next.length; i++) (mask[i] as number) |= next[i] as number
      await this.#session.pace()
    }
    return mask
  }

  #ofRanges(sequences: Uint32Array): Mask {
    const mask = new Uint8Array(this.#count + 1)
    for (let i = 0; i < sequences.length; i += 2) mask.fill(1, sequences[i] as number, (sequences[i + 1] as number) + 1)
    return mask
  }

  /** The service's exact answer as a mask; messages this session has not been told of are left out. */
  async #ask(query: SearchQuery): Promise<Mask> {
    const { view, user } = this.#session
    const mask = new Uint8Array(this.#count + 1)
    for (let offset = 0; ; ) {
      const page = await user.mailbox.search({
        folders: [view.folder],
        query,
        order: 'uid',
        offset,
        limit: SEARCH_LIMIT,
      })
      for (const uid of page.uids) mask[view.map.sequenceOf(uid)] = 1
      offset += page.uids.length
      if (page.uids.length === 0 || offset >= page.total) break
    }
    mask[0] = 0
    return mask
  }

  /** All rows of the folder, read once per search. */
  #scan(): Promise<{ rows: Rows; sequences: Uint32Array }> {
    this.#rows ??= this.#read()
    return this.#rows
  }

  async #read(): Promise<{ rows: Rows; sequences: Uint32Array }> {
    const { view, user } = this.#session
    // Only the columns named above are there, and only they are read.
    const rows = (await user.mailbox.scan({ folder: view.folder, columns })) as Rows
    return { rows, sequences: Uint32Array.from(rows.uid, (uid) => view.map.sequenceOf(uid)) }
  }

  async #local(key: SearchKey): Promise<Mask> {
    const { rows, sequences } = await this.#scan()
    const test = rowTest(key, rows, this.#now)
    const mask = new Uint8Array(this.#count + 1)
    for (let row = 0; row < rows.count; row++) if (test(row)) mask[sequences[row] as number] = 1
    mask[0] = 0
    return mask
  }

  /** By the day the sender wrote, whatever the zone: RFC 9051 §6.4.4. Only dates near the day's edges are read. */
  async #sent(compare: 'before' | 'on' | 'since', day: number): Promise<Mask> {
    const { from, before } = days(compare, day)
    const wide = await this.#ask({
      kind: 'sent',
      ...(from !== undefined && { from: from - ZONE_MARGIN }),
      ...(before !== undefined && { before: before + ZONE_MARGIN }),
    })
    const edges = [from, before].filter((edge) => edge !== undefined)
    const near = new Uint8Array(this.#count + 1)
    for (const edge of edges) {
      const close = await this.#ask({ kind: 'sent', from: edge - ZONE_MARGIN, before: edge + ZONE_MARGIN })
      for (let i = 1; i < near.length; i++) (near[i] as number) |= close[i] as number
    }
    const doubtful: number[] = []
    for (let i = 1; i < wide.length; i++) if (wide[i] === 1 && near[i] === 1) doubtful.push(i)
    const written = await this.#writtenDays(doubtful)
    for (const sequence of doubtful) {
      const sentOn = written.get(sequence)
      const matches =
        sentOn !== undefined &&
        (compare === 'before' ? sentOn < day : compare === 'since' ? sentOn >= day : sentOn === day)
      if (!matches) wide[sequence] = 0
    }
    return wide
  }

  async #writtenDays(sequences: readonly number[]): Promise<Map<number, number>> {
    const { view, user } = this.#session
    const out = new Map<number, number>()
    const ranges = Uint32Array.from(sequences.flatMap((one) => [one, one]))
    for (const window of windows(view.map, ranges, DATE_BATCH)) {
      const items = await user.mailbox.get({
        by: { folder: view.folder, uids: window.uids },
        columns: ['index', 'promoted'],
      })
      for (const item of items) {
        const day = writtenDay(item.index) ?? dayOf(item.promoted?.sent)
        if (day !== undefined) out.set(view.map.sequenceOf(item.uid), day)
      }
      await this.#session.pace()
    }
    return out
  }
}

const DATE_BATCH = 250
const dateField = selectFields(['date'])

function writtenDay(index: Uint8Array | undefined): number | undefined {
  if (index === undefined || index.length === 0) return undefined
  const field = headerFields(readMessageIndex(index), dateField)
  if (field === undefined) return undefined
  const colon = field.indexOf(0x3a)
  const date = colon < 0 ? undefined : parseDateTime(unfoldValue(field, colon + 1, field.length))
  return date === undefined ? undefined : dayOf(date.time + date.offset * 60_000)
}

function dayOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.floor(ms / MS_PER_DAY)
}

/** True when some part of the program is about text, which the service knows better. */
function isText(key: SearchKey): boolean {
  switch (key.kind) {
    case 'and':
      return key.keys.some(isText)
    case 'or':
      return flattenOr(key).some(isText)
    case 'not':
      return isText(key.key)
    case 'header':
    case 'from':
    case 'to':
    case 'cc':
    case 'bcc':
    case 'subject':
    case 'body':
    case 'text':
    case 'threadid':
      return true
    default:
      return false
  }
}

function rowTest(key: SearchKey, rows: Rows, now: number): (row: number) => boolean {
  switch (key.kind) {
    case 'flag':
      return flagTest(key.flag, key.present, rows)
    case 'size':
      return key.compare === 'larger'
        ? (row) => (rows.size[row] as number) > key.octets
        : (row) => (rows.size[row] as number) < key.octets
    case 'date': {
      const { from = Number.NEGATIVE_INFINITY, before = Number.POSITIVE_INFINITY } = days(key.compare, key.day)
      return (row) => (rows.received[row] as number) >= from && (rows.received[row] as number) < before
    }
    case 'age': {
      const since = now - key.seconds * 1000
      return key.compare === 'younger'
        ? (row) => (rows.received[row] as number) >= since
        : (row) => (rows.received[row] as number) <= since
    }
    case 'modseq':
      return (row) => (rows.change[row] as number) >= key.value
    case 'emailid':
      return (row) => `M${rows.itemId[row]}` === key.id
    default:
      // RECENT (no message is, any more) and SAVEDATESUPPORTED (it is not).
      return () => false
  }
}

function flagTest(flag: string, present: boolean, rows: Rows): (row: number) => boolean {
  const bit = flagBit(flag)
  if (bit !== undefined) return (row) => (((rows.flags[row] as number) & bit) !== 0) === present
  const wanted = flag.toLowerCase()
  const sets = rows.keywordSets.map((set) => set.some((keyword) => keyword.toLowerCase() === wanted))
  return (row) => (sets[rows.keywords[row] as number] ?? false) === present
}

function invert(mask: Mask): Mask {
  for (let i = 1; i < mask.length; i++) mask[i] = mask[i] === 1 ? 0 : 1
  return mask
}
