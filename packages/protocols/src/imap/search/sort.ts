import type { Item, ItemColumn } from '@postrider/domain'
import { type Ranges, rangesOf, type SortCriterion, type SortKey } from '@postrider/wire/imap'
import { baseSubject, decodeWords } from '@postrider/wire/mime'
import { sourceOf } from '../fetch/source.ts'
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

/** The messages in the order asked for; equal ones by sequence number (RFC 5256 §3). Messages that are gone are left out. */
export async function sortMessages(
  session: Session,
  sequences: readonly number[],
  criteria: readonly SortCriterion[],
): Promise<number[]> {
  const keys = new Map<number, (string | number)[]>()
  const columns = [...new Set(criteria.flatMap(({ key }) => columnsOf[key]))]
  const addresses = columns.includes('index')
  const { mailbox } = session.user
  await eachItem(session, rangesOf(sequences), columns, async (sequence, item) => {
    const envelope = addresses ? (await sourceOf(mailbox, item).index()).envelope : noEnvelope
    keys.set(
      sequence,
      criteria.map(({ key }) => values[key]({ item, envelope })),
    )
  })
  const order = sequences.filter((sequence) => keys.has(sequence))
  return order.sort((a, b) => {
    const left = keys.get(a) as (string | number)[]
    const right = keys.get(b) as (string | number)[]
    for (let i = 0; i < criteria.length; i++) {
      const [x, y] = [left[i] as string | number, right[i] as string | number]
      if (x === y) continue
      return (x < y ? -1 : 1) * (criteria[i]?.reverse ? -1 : 1)
    }
    return a - b
  })
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
