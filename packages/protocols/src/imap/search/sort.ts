import type { Item, ItemColumn } from '@postrider/domain'
import { type Ranges, rangesOf, type SortCriterion, type SortKey } from '@postrider/wire/imap'
import { baseSubject } from '@postrider/wire/mime'
import type { Session } from '../session.ts'
import { windows } from '../view/uid-map.ts'

/** Items opened at once for their sort keys. */
const SORT_BATCH = 500

/** Text as it is compared: i;unicode-casemap (RFC 5051), upper case and decomposed. */
export function collate(text: string): string {
  return text.toUpperCase().normalize('NFKD')
}

const localPart = (address: string): string => {
  const at = address.lastIndexOf('@')
  return collate(at < 0 ? address : address.slice(0, at))
}

/** The value each key sorts by: RFC 5256 §3, RFC 5957 §3. */
const values: { readonly [Key in SortKey]: (item: Item) => string | number } = {
  ARRIVAL: (item) => item.received,
  SIZE: (item) => item.size,
  DATE: (item) => item.promoted?.sent ?? item.received,
  SUBJECT: (item) => collate(baseSubject(item.promoted?.subject ?? '')),
  FROM: (item) => localPart(item.promoted?.fromAddress ?? ''),
  TO: (item) => localPart(first(item, 1)?.address ?? ''),
  CC: (item) => localPart(first(item, 2)?.address ?? ''),
  DISPLAYFROM: (item) => collate(item.promoted?.fromName ?? ''),
  DISPLAYTO: (item) => collate(first(item, 1)?.name || first(item, 1)?.address || ''),
}

const columnsOf: { readonly [Key in SortKey]: readonly ItemColumn[] } = {
  ARRIVAL: [],
  SIZE: [],
  DATE: ['promoted'],
  SUBJECT: ['promoted'],
  FROM: ['promoted'],
  TO: ['recipients'],
  CC: ['recipients'],
  DISPLAYFROM: ['promoted'],
  DISPLAYTO: ['recipients'],
}

function first(item: Item, type: 1 | 2): { name: string; address: string } | undefined {
  return item.recipients?.find((one) => one.type === type)
}

/** The messages in the order asked for; equal ones by sequence number (RFC 5256 §3). Messages that are gone are left out. */
export async function sortMessages(
  session: Session,
  sequences: readonly number[],
  criteria: readonly SortCriterion[],
): Promise<number[]> {
  const keys = new Map<number, (string | number)[]>()
  const columns = [...new Set(criteria.flatMap(({ key }) => columnsOf[key]))]
  await eachItem(session, rangesOf(sequences), columns, (sequence, item) => {
    keys.set(
      sequence,
      criteria.map(({ key }) => values[key](item)),
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
  each: (sequence: number, item: Item) => void,
): Promise<void> {
  const { view, user } = session
  for (const window of windows(view.map, sequences, SORT_BATCH)) {
    const items = await user.mailbox.get({ by: { folder: view.folder, uids: window.uids }, columns })
    for (const item of items) each(view.map.sequenceOf(item.uid), item)
    await session.pace()
  }
}
