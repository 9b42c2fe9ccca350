/**
 * What changed in a mail since a client last saw it: [MS-ASEMAIL] §3.2.5.4.1 wants only the changed parts sent. A mark is one
 * number (below 2^53): read 1 bit, flag 17, categories 16, verb 3, content 16.
 */
import { Flag, type Item } from '@postrider/domain'
import type { StatePart } from '../content.ts'
import { categoriesOf } from './categories.ts'
import { flagProperties, flagStatus } from './flag.ts'
import { lastVerb } from './verb.ts'

/** FNV-1a over UTF-16 units, folded to `bits`. */
function digest(text: string, bits: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return ((hash >>> 16) ^ hash) & ((1 << bits) - 1)
}

const flagText = (item: Item): string =>
  flagStatus(item) === 0 ? '' : flagProperties.map((tag) => String(item.props?.get(tag) ?? '')).join('\0')

/** Field widths from the lowest: the status of the flag stands in the clear, so that on and off can never look alike. */
const WIDTHS = [1, 2, 15, 16, 3, 16] as const

/** The mark of a mail; it needs columns `props` and `promoted`. */
export function marks(item: Item): number {
  const { promoted } = item
  const fields = [
    (item.flags & Flag.seen) === 0 ? 0 : 1,
    flagStatus(item),
    digest(flagText(item), 15),
    digest(categoriesOf(item.props).join('\0'), 16),
    lastVerb(item),
    // A replaced draft has a new UID; subject and importance can change in place.
    digest(`${item.uid}\0${promoted?.subject ?? ''}\0${promoted?.importance ?? 1}\0${promoted?.class ?? ''}`, 16),
  ]
  let mark = 0
  let factor = 1
  for (const [i, field] of fields.entries()) {
    mark += field * factor
    factor *= 2 ** (WIDTHS[i] as number)
  }
  return mark
}

const unpack = (mark: number): number[] => {
  let rest = mark
  return WIDTHS.map((width) => {
    const field = rest % 2 ** width
    rest = Math.floor(rest / 2 ** width)
    return field
  })
}

/** What to send: the whole mail, some parts, or nothing (MS-ASEMAIL_R81, R93). */
export function changedParts(before: number, after: number): 'all' | readonly StatePart[] {
  if (before === after) return []
  const [read, status, flag, categories, verb, content] = unpack(before)
  const [newRead, newStatus, newFlag, newCategories, newVerb, newContent] = unpack(after)
  // LastVerb is neither Read, Flag nor Categories: it counts as another property, but needs no body sent again.
  if (content !== newContent) return 'all'
  const parts: StatePart[] = []
  if (read !== newRead) parts.push('read')
  if (status !== newStatus || flag !== newFlag) parts.push('flag')
  if (categories !== newCategories) parts.push('categories')
  if (verb !== newVerb) parts.push('verb')
  return parts
}
