/** Message flags as bits of `msg.flags`; everything else a client sets as keyword is a string of the keyword set. */
export const Flag = {
  seen: 1,
  answered: 2,
  flagged: 4,
  deleted: 8,
  draft: 16,
  forwarded: 32,
  mdnSent: 64,
  junk: 128,
  notJunk: 256,
} as const
export type FlagName = keyof typeof Flag

/** The IMAP name of each bit: RFC 9051 §2.3.2 and the IANA keyword registry. */
export const imapFlagNames = {
  seen: '\\Seen',
  answered: '\\Answered',
  flagged: '\\Flagged',
  deleted: '\\Deleted',
  draft: '\\Draft',
  forwarded: '$Forwarded',
  mdnSent: '$MDNSent',
  junk: '$Junk',
  notJunk: '$NotJunk',
} as const satisfies Record<FlagName, string>

export const ALL_FLAGS = 511

/** Limits on keywords: count per item and characters each. */
export const MAX_KEYWORDS_PER_ITEM = 64
export const MAX_KEYWORD_LENGTH = 255
