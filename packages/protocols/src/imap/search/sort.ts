import type { Item, ItemColumn } from '@postrider/domain'
import { type Ranges, rangesOf, type SortCriterion, type SortKey } from '@postrider/wire/imap'
import { baseSubject, decodeWords } from '@postrider/wire/mime'
import { sourceOf } from '../fetch/source.ts'
import type { Picture } from '../pictures/picture.ts'
import { keysOf, pictureFor, resultOf } from '../pictures/whole.ts'
import type { Session } from '../session.ts'
import { windows } from '../view/uid-map.ts'
import { envelopePlace, firstAddress } from './addresses.ts'

/** Items opened at once for their sort keys. */
const SORT_BATCH = 500

/** Text as it is compared: i;unicode-casemap (RFC 5051), upper case and decomposed. */
export function collate(text: string): string {
  return text.toUpperCase().normalize('NFKD')
}

/** What an order is computed from: the item, and the envelope of its message. */
interface Keyed {
  readonly item: Item
  readonly envelope: Uint8Array
}

const mailboxOf = ({ envelope }: Keyed, place: number): string => collate(firstAddress(envelope, place)?.mailbox ?? '')

/** RFC 5957 §3: the display name, else the address; of a group its name. */
function displayOf({ envelope }: Keyed, place: number): string {
  const address = firstAddress(envelope, place)
  if (address === undefined) return ''
  const { name, mailbox, host } = address
  return collate(decodeWords(name) || (host === '' ? mailbox : `${mailbox}@${host}`))
}

/** The value each key sorts by: RFC 5256 §3, RFC 5957 §3. */
const values: { readonly [Key in SortKey]: (keyed: Keyed) => string | number } = {
  ARRIVAL: ({ item }) => item.received,
  SIZE: ({ item }) => item.size,
  DATE: ({ item }) => item.promoted?.sent ?? item.received,
  SUBJECT: ({ item }) => collate(baseSubject(item.promoted?.subject ?? '')),
  FROM: (keyed) => mailboxOf(keyed, envelopePlace.from),
  TO: (keyed) => mailboxOf(keyed, envelopePlace.to),
  CC: (keyed) => mailboxOf(keyed, envelopePlace.cc),
  DISPLAYFROM: (keyed) => displayOf(keyed, envelopePlace.from),
  DISPLAYTO: (keyed) => displayOf(keyed, envelopePlace.to),
}

const columnsOf: { readonly [Key in SortKey]: readonly ItemColumn[] } = {
  ARRIVAL: [],
  SIZE: [],
  DATE: ['promoted'],
  SUBJECT: ['promoted'],
  FROM: ['index', 'original'],
  TO: ['index', 'original'],
  CC: ['index', 'original'],
  DISPLAYFROM: ['index', 'original'],
  DISPLAYTO: ['index', 'original'],
}

const noEnvelope = Buffer.from('(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)')

type Keys = readonly (string | number)[]

/** The messages in the order asked for; equal ones by sequence number (RFC 5256 §3). Messages that are gone are left out. */
export async function sortMessages(
  session: Session,
  sequences: readonly number[],
  criteria: readonly SortCriterion[],
): Promise<number[]> {
  const columns = [...new Set(criteria.flatMap(({ key }) => columnsOf[key]))]
  const addresses = columns.includes('index')
  const { mailbox } = session.user
  const keysOfItem = async (item: Item): Promise<Keys> => {
    const envelope = addresses ? (await sourceOf(mailbox, item).index()).envelope : noEnvelope
    return criteria.map(({ key }) => values[key]({ item, envelope }))
  }
  const picture = await pictureFor(session, sequences.length)
  if (picture !== undefined) {
    const name = criteria.map(({ key, reverse }) => `${reverse ? '-' : ''}${key}`).join(' ')
    const ranks = await resultOf(picture, `SORT ${name}`, async () =>
      ranksOf(picture, await keysOf(session, picture, `SORT ${name}`, columns, keysOfItem), criteria),
    )
    return byRank(session, picture, ranks, sequences)
  }
  const keys = new Map<number, Keys>()
  await eachItem(session, rangesOf(sequences), columns, async (sequence, item) => {
    keys.set(sequence, await keysOfItem(item))
  })
  return ordered(sequences, keys, criteria)
}

/** Those that have keys, by their keys, then by their number. */
function ordered(
  numbers: readonly number[],
  keys: ReadonlyMap<number, Keys>,
  criteria: readonly SortCriterion[],
): number[] {
  const order = numbers.filter((number) => keys.has(number))
  return order.sort((a, b) => {
    const [left, right] = [keys.get(a) as Keys, keys.get(b) as Keys]
    for (let i = 0; i < criteria.length; i++) {
      const [x, y] = [left[i] as string | number, right[i] as string | number]
      if (x === y) continue
      return (x < y ? -1 : 1) * (criteria[i]?.reverse ? -1 : 1)
    }
    return a - b
  })
}

/** The place of every row of the picture in the order, from 1; 0 for messages that are gone. */
function ranksOf(picture: Picture, keys: ReadonlyMap<number, Keys>, criteria: readonly SortCriterion[]): Uint32Array {
  const ranks = new Uint32Array(picture.rows.count)
  for (const [at, uid] of ordered(Array.from(picture.rows.uid), keys, criteria).entries()) {
    ranks[picture.rowOf(uid)] = at + 1
  }
  return ranks
}

/** Sequence numbers by the ranks of their messages. */
function byRank(session: Session, picture: Picture, ranks: Uint32Array, sequences: readonly number[]): number[] {
  const { map } = session.view
  const placed = new Uint32Array(ranks.length + 1)
  for (const sequence of sequences) {
    const row = picture.rowOf(map.uidOf(sequence))
    if (row >= 0) placed[ranks[row] as number] = sequence
  }
  placed[0] = 0
  return Array.from(placed.filter((sequence) => sequence !== 0))
}

/** Opens messages in batches and calls back with each. */
export async function eachItem(
  session: Session,
  sequences: Ranges,
  columns: readonly ItemColumn[],
  each: (sequence: number, item: Item) => Promise<void> | void,
): Promise<void> {
  const { view, user } = session
  for (const window of windows(view.map, sequences, SORT_BATCH)) {
    const items = await user.mailbox.get({ by: { folder: view.folder, uids: window.uids }, columns })
    for (const item of items) await each(view.map.sequenceOf(item.uid), item)
    await session.pace()
  }
}
