import { Flag } from '@postrider/domain'
import { flagNames, sortFlags, spelledOut } from './flag-names.ts'

/**
 * What mail programs keep in the header of an mbox message: Status (R read, O old), X-Status (A answered, F flagged, T draft, D deleted),
 * X-Keywords, X-UID, X-IMAPbase (UIDVALIDITY and last UID, in the first message), X-Mozilla-Status (Thunderbird, hexadecimal).
 */
const own = new Set([
  'status',
  'x-status',
  'x-keywords',
  'x-uid',
  'x-imap',
  'x-imapbase',
  'x-mozilla-status',
  'x-mozilla-status2',
  'x-mozilla-keys',
  'content-length',
])
const xStatus = { A: Flag.answered, F: Flag.flagged, T: Flag.draft, D: Flag.deleted } as const
const mozilla = [
  [0x1, Flag.seen],
  [0x2, Flag.answered],
  [0x4, Flag.flagged],
  [0x1000, Flag.forwarded],
] as const
const MOZILLA_EXPUNGED = 0x8

export interface MboxStatus {
  readonly flags: number
  readonly keywords: readonly string[]
  readonly uid: number | undefined
  readonly base: { readonly validity: number; readonly next: number } | undefined
  /** Not a mail: what UW IMAP keeps about the folder, or a mail Thunderbird has deleted. */
  readonly skip: boolean
  /** Parts of the header that belong to the file and not to the mail: byte offsets. */
  readonly strip: readonly (readonly [number, number])[]
}

/** Length of the block that `writeStatus` wrote; 0 when another program wrote the file. Behind it the same names are the mail's own. */
export const ownBlock = (header: string): number =>
  /^Status: R?O\nX-Status: [AFTD]*\n(?:X-IMAPbase: .*\n)?(?:X-Keywords: .*\n)?X-UID: \d+\n/.exec(header)?.[0].length ??
  0

/** Reads (and marks for removal) the fields of a header block, given as latin1 text with its line ends. */
export function readStatus(header: string): MboxStatus {
  const strip: [number, number][] = []
  const values = new Map<string, string>()
  const ours = ownBlock(header)
  for (let at = 0; at < header.length; ) {
    let end = header.indexOf('\n', at)
    end = end === -1 ? header.length : end + 1
    while (end < header.length && (header[end] === ' ' || header[end] === '\t')) {
      const next = header.indexOf('\n', end)
      end = next === -1 ? header.length : next + 1
    }
    const field = /^([!-9;-~]+)[ \t]*:/.exec(header.slice(at, at + 80))
    const name = field?.[1]?.toLowerCase() ?? ''
    const isOwn = own.has(name)
    if (isOwn && (ours === 0 || at < ours)) {
      strip.push([at, end])
      if (!values.has(name))
        values.set(
          name,
          header
            .slice(at + (field?.[0].length ?? 0), end)
            .replace(/\s+/g, ' ')
            .trim(),
        )
    }
    at = end
  }
  const value = (name: string): string => values.get(name) ?? ''
  const sorted = sortFlags(`${value('x-keywords')} ${value('x-mozilla-keys')}`.split(' '))
  let { flags } = sorted
  if (/R/.test(value('status'))) flags |= Flag.seen
  for (const [letter, bit] of Object.entries(xStatus)) if (value('x-status').includes(letter)) flags |= bit
  const bits = Number.parseInt(value('x-mozilla-status') || '0', 16)
  for (const [bit, flag] of mozilla) if ((bits & bit) !== 0) flags |= flag
  const uid = number32(value('x-uid'))
  const [validity, last] = (value('x-imapbase') || value('x-imap')).split(' ').map(number32)
  return {
    flags,
    keywords: sorted.keywords,
    uid,
    base:
      validity === undefined || last === undefined ? undefined : { validity, next: Math.min(last + 1, 0xffff_ffff) },
    skip: values.has('x-imap') || (bits & MOZILLA_EXPUNGED) !== 0,
    strip,
  }
}

function number32(text: string): number | undefined {
  const n = /^\d{1,10}$/.test(text) ? Number(text) : 0
  return n >= 1 && n <= 0xffff_ffff ? n : undefined
}

/** The same as lines with LF, to stand before everything else of the mail. Status always comes first: then it is known that it is ours. */
export function writeStatus(mail: {
  readonly flags: number
  readonly keywords: readonly string[]
  readonly uid: number
  readonly base?: { readonly validity: number; readonly next: number }
}): string {
  const letters = Object.entries(xStatus).map(([letter, bit]) => ((mail.flags & bit) === 0 ? '' : letter))
  const words = [...flagNames(mail.flags, spelledOut), ...mail.keywords.filter((one) => /^[\x21-\x7e]+$/.test(one))]
  return [
    `Status: ${(mail.flags & Flag.seen) === 0 ? '' : 'R'}O`,
    `X-Status: ${letters.join('')}`,
    ...(mail.base === undefined
      ? []
      : [`X-IMAPbase: ${mail.base.validity} ${String(mail.base.next - 1).padStart(10, '0')}`]),
    ...(words.length === 0 ? [] : [`X-Keywords: ${words.join(' ')}`]),
    `X-UID: ${mail.uid}`,
    '',
  ].join('\n')
}
