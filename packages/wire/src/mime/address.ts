import { type AddressToken, addressTokens } from './address-tokens.ts'
import { MAX_ADDRESS_TEXT, MAX_ADDRESSES, MAX_MAILBOX_WORDS } from './limits.ts'
import type { AddressItem, MailAddress } from './types.ts'
import { decodeWords } from './words.ts'

/** A mailbox as written: the name undecoded, the route of RFC 5322 §4.4. `valid` says that local and domain make an address. */
export interface RawMailbox {
  readonly kind: 'mailbox'
  readonly rawName: string
  readonly route: string
  readonly local: string
  readonly domain: string
  readonly valid: boolean
}

interface RawGroup {
  readonly kind: 'group'
  readonly rawName: string
  readonly members: readonly RawMailbox[]
}

export type RawAddressItem = RawMailbox | RawGroup

type Word = Extract<AddressToken, { text: string; spaced: boolean }> | { readonly kind: '@'; readonly spaced: boolean }

/** What is known of the mailbox being read. */
interface Draft {
  phrase: Word[]
  angle: Word[] | undefined
  closed: boolean
  trailing: Word[]
  route: string
  comment: string
  words: number
}

const newDraft = (phrase: Word[] = []): Draft => ({
  phrase,
  angle: undefined,
  closed: false,
  trailing: [],
  route: '',
  comment: '',
  words: 0,
})

/**
 * The mailboxes and groups of an address list, undecoded: RFC 5322 §3.4, obsolete forms of §4.4, UTF-8 of RFC 6532. Unfolded text
 * in, linear time, at most MAX_ADDRESSES. What is malformed becomes an item without a valid address: text inside quotes, comments or
 * encoded-words never becomes one, and two candidates without a separator are none. A semicolon outside a group separates too.
 */
export function parseRawAddresses(text: string): RawAddressItem[] {
  const cut = text.length > MAX_ADDRESS_TEXT
  const items: RawAddressItem[] = []
  let group: { rawName: string; members: RawMailbox[] } | undefined
  let draft = newDraft()
  let count = 0
  const endMailbox = (next = newDraft()) => {
    const mailbox = finish(draft)
    draft = next
    if (mailbox === undefined) return
    count++
    if (group === undefined) items.push(mailbox)
    else group.members.push(mailbox)
  }
  const endGroup = () => {
    if (group !== undefined) {
      items.push({ kind: 'group', rawName: group.rawName, members: group.members })
      count++
    }
    group = undefined
  }
  for (const token of addressTokens(cut ? text.slice(0, MAX_ADDRESS_TEXT) : text)) {
    if (count >= MAX_ADDRESSES) break
    const open = draft.angle !== undefined && !draft.closed
    switch (token.kind) {
      case 'comment':
        draft.comment = token.text
        break
      case '<':
        if (draft.closed) endMailbox(newDraft(draft.trailing))
        draft.angle ??= []
        break
      case '>':
        if (open) draft.closed = true
        break
      case ',':
        if (open && draft.angle![0]?.kind === '@') draft.angle!.push({ kind: 'atom', text: ',', spaced: false })
        else endMailbox()
        break
      case ';':
        endMailbox()
        endGroup()
        break
      case ':':
        if (open) {
          if (draft.angle![0]?.kind === '@') draft.route = draft.angle!.map(wordText).join('')
          else draft.angle!.push({ kind: 'atom', text: ':', spaced: token.spaced })
          if (draft.route !== '') draft.angle = []
        } else if (draft.angle !== undefined) break
        else if (draft.phrase.some((word) => word.kind === '@'))
          // An address is no group name: `a@b\r\nBcc: c@d` must not make c@d a recipient.
          draft.phrase.push({ kind: 'atom', text: ':', spaced: false })
        else {
          endGroup()
          group = { rawName: joinWords(draft.phrase), members: [] }
          draft = newDraft()
        }
        break
      default:
        if (++draft.words > MAX_MAILBOX_WORDS) break
        if (draft.closed) draft.trailing.push(token)
        else if (draft.angle !== undefined) draft.angle.push(token)
        else draft.phrase.push(token)
    }
  }
  // The last address of a text that was cut may be half an address: it is dropped.
  if (!cut && count < MAX_ADDRESSES) endMailbox()
  endGroup()
  return items
}

function wordText(word: Word): string {
  return word.kind === '@' ? '@' : word.text
}

/** Words as display text: one space where there was white space. */
function joinWords(words: readonly Word[]): string {
  let text = ''
  for (const word of words) text += (word.spaced && text !== '' ? ' ' : '') + wordText(word)
  return text.trim()
}

function finish(draft: Draft): RawMailbox | undefined {
  const { phrase, angle, comment, route } = draft
  // Words were dropped: what is left may be part of an address only.
  if (draft.words > MAX_MAILBOX_WORDS)
    return {
      kind: 'mailbox',
      rawName: joinWords(phrase),
      route: '',
      local: joinWords(angle ?? []),
      domain: '',
      valid: false,
    }
  if (angle !== undefined) {
    const rawName = phrase.length > 0 ? joinWords(phrase) : comment.trim()
    const spec = readAddress(angle)
    if (spec !== undefined) return { kind: 'mailbox', rawName, route, ...spec, valid: true }
    // `<root>`: a local part alone is shown, but is no address.
    const alone = joinWords(angle)
    if (rawName === '' && alone === '') return undefined
    return { kind: 'mailbox', rawName, route, local: alone, domain: '', valid: false }
  }
  if (phrase.length === 0) return undefined
  const at = phrase.findIndex((word) => word.kind === '@')
  const single = at >= 0 && phrase.findLastIndex((word) => word.kind === '@') === at
  if (single) {
    let start = at
    while (start > 0 && (start === at || touches(phrase[start - 1]!, phrase[start]!))) start--
    let end = at + 1
    while (end < phrase.length && (end === at + 1 || touches(phrase[end - 1]!, phrase[end]!))) end++
    const spec = readAddress(phrase.slice(start, end))
    if (spec !== undefined) {
      const rest = [...phrase.slice(0, start), ...phrase.slice(end)]
      const rawName = rest.length > 0 ? joinWords(rest) : comment.trim()
      return { kind: 'mailbox', rawName, route, ...spec, valid: true }
    }
  }
  return { kind: 'mailbox', rawName: comment.trim(), route, local: joinWords(phrase), domain: '', valid: false }
}

/** True if two words belong together: no white space between them, or a dot at the seam (RFC 5322 §4.4 obs-local-part). */
function touches(left: Word, right: Word): boolean {
  return !right.spaced || wordText(left).endsWith('.') || wordText(right).startsWith('.')
}

/** addr-spec from words: exactly one at sign, words of the local part joined by dots only. */
function readAddress(words: readonly Word[]): { local: string; domain: string } | undefined {
  const at = words.findIndex((word) => word.kind === '@')
  if (at < 1 || at === words.length - 1) return undefined
  let local = ''
  for (let i = 0; i < at; i++) {
    const word = words[i]!
    if (i > 0 && !seam(words[i - 1]!, word)) return undefined
    if (word.kind === 'atom' ? !isLocalText(word.text) : hasControl(wordText(word))) return undefined
    local += wordText(word)
  }
  let domain = ''
  for (let i = at + 1; i < words.length; i++) {
    const word = words[i]!
    if (word.kind === '@' || word.kind === 'quoted') return undefined
    if (i > at + 1 && (word.kind === 'literal' || !seam(words[i - 1]!, word))) return undefined
    domain += word.text
  }
  if (local === '' || local.length + domain.length > 998) return undefined
  if (domain.startsWith('[')) return isDomainLiteral(domain) ? { local, domain } : undefined
  if (domain.endsWith('.')) domain = domain.slice(0, -1)
  return isDomain(domain) ? { local, domain } : undefined
}

/** True if a dot joins two words of an address. */
function seam(left: Word, right: Word): boolean {
  return (left.kind === 'atom' && left.text.endsWith('.')) || (right.kind === 'atom' && right.text.startsWith('.'))
}

const ATEXT = new Uint8Array(128)
for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~")
  ATEXT[c.charCodeAt(0)] = 1

function isLocalText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 128 ? ATEXT[c] === 0 && c !== 46 : c < 0xa0) return false
  }
  // An encoded-word is no local part (RFC 2047 §5): decoders disagree about it, so it is never an address.
  const start = text.indexOf('=?')
  return start < 0 || !text.includes('?=', start + 2)
}

function hasControl(text: string): boolean {
  return /[\x00-\x1f\x7f-\x9f]/.test(text)
}

function isDomain(domain: string): boolean {
  if (domain === '' || domain.startsWith('.') || domain.includes('..')) return false
  for (let i = 0; i < domain.length; i++) {
    const c = domain.charCodeAt(i)
    const ok =
      c >= 0xa0 || c === 45 || c === 46 || c === 95 || (c >= 48 && c <= 57) || ((c | 32) >= 97 && (c | 32) <= 122)
    if (!ok) return false
  }
  return true
}

function isDomainLiteral(domain: string): boolean {
  return /^\[[A-Za-z0-9:.\-_]{1,100}\]$/.test(domain)
}

/** `local@domain`, the local part quoted where RFC 5322 §3.4.1 asks for it. */
export function joinAddress(local: string, domain: string): string {
  return `${isDotAtom(local) ? local : `"${local.replace(/["\\]/g, '\\$&')}"`}@${domain}`
}

function isDotAtom(text: string): boolean {
  if (text === '' || text.startsWith('.') || text.endsWith('.') || text.includes('..')) return false
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 128 ? ATEXT[c] === 0 && c !== 46 : c < 0xa0) return false
  }
  return true
}

/** A raw mailbox with its name decoded. One without a valid address shows its text as name. */
function decodeMailbox(raw: RawMailbox): MailAddress {
  const name = decodeWords(raw.rawName.replace(/[\x00-\x1f\x7f]/g, ' '))
  if (raw.valid)
    return {
      kind: 'mailbox',
      name,
      address: joinAddress(raw.local, raw.domain),
      local: raw.local,
      domain: raw.domain,
    }
  return { kind: 'mailbox', name: name || decodeWords(raw.local), address: '', local: raw.local, domain: '' }
}

/** The mailboxes of raw items, groups dissolved, decoded. */
export function decodeMailboxes(items: readonly RawAddressItem[]): MailAddress[] {
  const out: MailAddress[] = []
  for (const item of items) {
    if (item.kind === 'mailbox') out.push(decodeMailbox(item))
    else for (const member of item.members) out.push(decodeMailbox(member))
  }
  return out
}

/**
 * Parses an address list (unfolded text of To, From, …): RFC 5322 §3.4 with groups, comments, obsolete forms, UTF-8 (RFC 6532) and
 * encoded-words in names. Items that hold no valid address have `address: ''` and must not be mailed to. See parseRawAddresses.
 */
export function parseAddressList(text: string): AddressItem[] {
  return parseRawAddresses(text).map((item) =>
    item.kind === 'mailbox'
      ? decodeMailbox(item)
      : { kind: 'group', name: decodeWords(item.rawName), members: item.members.map(decodeMailbox) },
  )
}

/** The mailboxes of a list with valid addresses, groups dissolved: who a header names as recipients. */
export function mailboxesOf(items: readonly AddressItem[]): MailAddress[] {
  return items
    .flatMap((item) => (item.kind === 'mailbox' ? [item] : item.members))
    .filter((item) => item.address !== '')
}

/** The one mailbox a text holds (`a@b.c` or `Name <a@b.c>`), undefined if it holds none or several. */
export function parseAddress(text: string): MailAddress | undefined {
  const items = parseRawAddresses(text)
  const first = items[0]
  return items.length === 1 && first?.kind === 'mailbox' && first.valid ? decodeMailbox(first) : undefined
}
