/** ResolveRecipients: [MS-ASCMD] §2.2.1.15. Names against the address list; nobody has a certificate, a picture or free/busy data here yet. */
import type { GroupEntry, MailboxEntry } from '@postrider/domain'
import { child, children, type Element, el, has, integer, ownText, text } from '@postrider/wire/wbxml'
import { command, document } from '../command.ts'
import type { Context } from '../context.ts'
import { parseEasDate } from '../items/dates.ts'
import { Status } from '../status.ts'

/** Status: [MS-ASCMD] §2.2.3.177.12. */
const Resolve = { success: 1, protocolError: 5 } as const
const Response = { resolved: 1, ambiguous: 2, partial: 3, unresolved: 4 } as const
const noValidCertificate = 7

/** Limits: [MS-ASCMD] §3.1.5.10, §2.2.3.183, §2.2.3.100, §2.2.3.101. */
export const MAX_TO = 100
export const MAX_TO_LENGTH = 256
export const MAX_AMBIGUOUS = 9_999
/** Suggestions where the client sets no limit. */
const DEFAULT_AMBIGUOUS = 19
/** Members of a group whose free/busy is merged: MS-ASCMD_R4294. */
const MAX_GROUP = 20

const HALF_HOUR = 1_800_000
const DAY = 86_400_000
/** Longest time asked about: [MS-ASCMD] §2.2.3.61.1. */
const MAX_DAYS = 42

/** Recipient Type: 1 address list, 2 contacts. */
const fromAddressList = 1

interface Options {
  readonly certificates: boolean
  readonly picture: boolean
  readonly maxAmbiguous: number
  /** Half hours asked about; undefined without Availability. */
  readonly slots: number | undefined
}

export const resolveRecipients = command({
  name: 'ResolveRecipients',
  first: '12.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'ResolveRecipients:ResolveRecipients',
  statusTag: 'ResolveRecipients:Status',
  async run(context, request) {
    const root = request.document
    const names = children(root, 'ResolveRecipients:To').map(ownText)
    const options = parseOptions(context, child(root, 'ResolveRecipients:Options'))
    const wrong = names.length === 0 || names.length > MAX_TO || names.some((name) => name.length > MAX_TO_LENGTH)
    if (wrong || options === undefined) {
      return document(el('ResolveRecipients:ResolveRecipients', el('ResolveRecipients:Status', Resolve.protocolError)))
    }
    return document(
      el(
        'ResolveRecipients:ResolveRecipients',
        el('ResolveRecipients:Status', Resolve.success),
        names.map((name) => resolve(context, name, options)),
      ),
    )
  },
})

/** Undefined is status 5: a value outside its range. */
function parseOptions(context: Context, options: Element | undefined): Options | undefined {
  const retrieval = integer(options, 'ResolveRecipients:CertificateRetrieval') ?? 1
  const certificates = integer(options, 'ResolveRecipients:MaxCertificates')
  const ambiguous = integer(options, 'ResolveRecipients:MaxAmbiguousRecipients')
  const inRange = (value: number | undefined): boolean => value === undefined || (value >= 0 && value <= MAX_AMBIGUOUS)
  if (!(retrieval >= 1 && retrieval <= 3) || !inRange(certificates) || !inRange(ambiguous)) return undefined
  const availability = child(options, 'ResolveRecipients:Availability')
  const slots = availability === undefined ? undefined : slotsOf(availability)
  if (availability !== undefined && slots === undefined) return undefined
  return {
    certificates: retrieval !== 1,
    picture: context.since('14.1') && has(options, 'ResolveRecipients:Picture'),
    maxAmbiguous: ambiguous ?? DEFAULT_AMBIGUOUS,
    slots,
  }
}

/** MS-ASCMD_R2264, R2265, R2266, R5430; MS-ASCMD_R3329: half hours, rounded up. */
function slotsOf(availability: Element): number | undefined {
  const start = parseEasDate(text(availability, 'ResolveRecipients:StartTime'))
  if (start === undefined) return undefined
  const endText = text(availability, 'ResolveRecipients:EndTime')
  const end = endText === undefined ? start + 7 * DAY : parseEasDate(endText)
  if (end === undefined || end < start + HALF_HOUR || end > start + MAX_DAYS * DAY) return undefined
  return Math.ceil((end - start) / HALF_HOUR)
}

type Entry = MailboxEntry | GroupEntry

function resolve(context: Context, name: string, options: Options): Element {
  const wanted = name.trim()
  const exact = context.deps.directory.resolve(wanted)
  const one = exact.kind === 'mailbox' || exact.kind === 'group' ? exact.entry : undefined
  const found =
    one !== undefined
      ? { total: 1, entries: [one] }
      : wanted === ''
        ? { total: 0, entries: [] }
        : context.deps.directory.find(wanted, Math.max(1, options.maxAmbiguous))
  const [first] = found.entries
  const response = (status: number, ...recipients: Element[]): Element =>
    el(
      'ResolveRecipients:Response',
      el('ResolveRecipients:To', name),
      el('ResolveRecipients:Status', status),
      el('ResolveRecipients:RecipientCount', found.total),
      recipients,
    )
  if (first === undefined) return response(Response.unresolved)
  if (found.total === 1) return response(Response.resolved, recipient(first, options))
  // MS-ASCMD_R4279, R4617: suggestions carry neither certificates nor free/busy.
  const shown = found.entries.slice(0, options.maxAmbiguous)
  const status = shown.length < found.total ? Response.partial : Response.ambiguous
  return response(status, ...shown.map((entry) => recipient(entry, undefined)))
}

const isGroup = (entry: Entry): entry is GroupEntry => 'members' in entry

function recipient(entry: Entry, options: Options | undefined): Element {
  const members = isGroup(entry) ? entry.members.length : 1
  return el(
    'ResolveRecipients:Recipient',
    el('ResolveRecipients:Type', fromAddressList),
    el('ResolveRecipients:DisplayName', entry.displayName || entry.address),
    el('ResolveRecipients:EmailAddress', entry.address),
    options?.slots !== undefined && availabilityElement(options.slots, members),
    options?.certificates === true &&
      el(
        'ResolveRecipients:Certificates',
        el('ResolveRecipients:Status', noValidCertificate),
        el('ResolveRecipients:CertificateCount', 0),
        el('ResolveRecipients:RecipientCount', members),
      ),
    options?.picture === true && el('ResolveRecipients:Picture', el('ResolveRecipients:Status', Status.NoPicture)),
  )
}

/** 4 is "no data": MS-ASCMD_R3325. */
function availabilityElement(slots: number, members: number): Element {
  if (members > MAX_GROUP) {
    return el('ResolveRecipients:Availability', el('ResolveRecipients:Status', Status.AvailabilityDLLimitReached))
  }
  return el(
    'ResolveRecipients:Availability',
    el('ResolveRecipients:Status', 1),
    el('ResolveRecipients:MergedFreeBusy', '4'.repeat(slots)),
  )
}
