/** The address list as Search and Find show it: [MS-ASCMD] §2.2.1.16 "Searching the Global Address List". */
import type { GroupEntry, MailboxEntry } from '@postrider/domain'
import { type Child, type Element, el, type Tag } from '@postrider/wire/wbxml'
import type { Context } from '../context.ts'
import { Status } from '../status.ts'
import type { ResultRange } from './range.ts'

/** Characters of a query that are looked at. */
const MAX_QUERY = 256

export interface GalResult {
  readonly total: number
  readonly entries: readonly (MailboxEntry | GroupEntry)[]
}

/** The entries of a range, in the list's own order (MS-ASCMD_R426). */
export function searchGal(context: Context, query: string, range: ResultRange): GalResult {
  const { total, entries } = context.deps.directory.find(query.trim().slice(0, MAX_QUERY), range.end + 1)
  return { total, entries: entries.slice(range.start, range.end + 1) }
}

const isMailbox = (entry: MailboxEntry | GroupEntry): entry is MailboxEntry => 'mailbox' in entry

/** The local part: what Exchange calls the alias. */
const aliasOf = (address: string): string => address.slice(0, Math.max(0, address.lastIndexOf('@')))

/** The properties of an entry that are not empty (MS-ASCMD_R417). `picture`: nobody has one here (173). */
export function galProperties(entry: MailboxEntry | GroupEntry, picture: boolean): Child[] {
  const some = (tag: Tag, value: string): Child => (value === '' ? undefined : el(tag, value))
  return [
    some('GAL:DisplayName', entry.displayName || entry.address),
    ...(isMailbox(entry)
      ? [
          some('GAL:Phone', entry.phone),
          some('GAL:Office', entry.office),
          some('GAL:Title', entry.title),
          some('GAL:Company', entry.company),
        ]
      : []),
    some('GAL:Alias', aliasOf(entry.address)),
    ...(isMailbox(entry)
      ? [
          some('GAL:FirstName', entry.givenName),
          some('GAL:LastName', entry.surname),
          some('GAL:MobilePhone', entry.mobilePhone),
        ]
      : []),
    some('GAL:EmailAddress', entry.address),
    picture && noPicture(),
  ]
}

const noPicture = (): Element => el('GAL:Picture', el('GAL:Status', Status.NoPicture))
