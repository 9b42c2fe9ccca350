/** Where Postrider answers otherwise than Dovecot 2.3, each with its reason. An entry that nothing needs any more is a fault as well. */

/** Names of mails of the corpus, or a pattern of names. */
type Mails = readonly string[] | RegExp

interface FetchDeviation {
  readonly items: RegExp
  readonly mails: Mails
  /** What we answer. */
  readonly ours?: RegExp
  readonly why: string
}

const ANY = /./
const ENVELOPE = /^ENVELOPE$/
const STRUCTURE = /^BODY(STRUCTURE)?$/
/** The name of a part, or a text that only message/rfc822 has. */
const PART = /^(BODY|BINARY)(\.PEEK|\.SIZE)\[(\d|\])/

const LINE_ENDS: Mails = [
  'bare line feeds',
  'mixed line ends',
  'bare line feeds in a multipart',
  'doubled carriage returns',
  'nul in the header',
  'nul in the body',
]

const fetchDeviations: readonly FetchDeviation[] = [
  {
    items: /^(BODY|BINARY)\.PEEK\[\d/,
    mails: ANY,
    ours: /^NIL$/,
    why: 'A part that is not there is NIL; for Dovecot it is empty, and 1.1 another name of the leaf 1 (RFC 9051 §6.4.5.1)',
  },
  {
    items: /^BINARY(\.PEEK|\.SIZE)\[(\d.*)?\]/,
    mails: ['quoted-printable body', 'base64 with noise', 'encoding unknown', 'encoding empty'],
    why: 'Broken encodings are decoded as far as they go, no encoding named is 7bit, x-uuencode is known; Dovecot refuses',
  },
  {
    items: /^BINARY(\.PEEK|\.SIZE)\[\]/,
    mails: ANY,
    why: 'A multipart and a whole mail have no encoding of their own to be undone (RFC 2045 §6.4); Dovecot rewrites what is inside',
  },
  {
    items: /^BINARY(\.PEEK|\.SIZE)\[1\]/,
    mails: ['alternative in mixed in related'],
    why: 'The same for a multipart that is a part',
  },
  {
    items: ANY,
    mails: LINE_ENDS,
    why: 'Octets are answered as they came; Dovecot rewrites line ends and CR, which breaks signatures (RFC 8551 §3.1.1); NUL is replaced there in BINARY[] too',
  },
  {
    items: ENVELOPE,
    mails: ['control characters', 'folded subject', 'folded message-id', 'thread counted reply'],
    why: 'Unfolding takes the line end away and nothing else (RFC 5322 §2.2.3); controls become spaces',
  },
  {
    items: ENVELOPE,
    mails: ['8-bit names', 'addresses in utf-8', 'raw utf-8 subject', 'raw latin1 subject'],
    why: 'Without UTF8=ACCEPT 8-bit text is told in encoded-words, not raw (RFC 6855 §3, RFC 6857)',
  },
  {
    items: ENVELOPE,
    mails: [
      'no domain',
      'empty angle brackets',
      'open angle bracket',
      'open quote',
      'open comment',
      'commas and semicolons',
      'spaces in addresses',
      'encoded-word with comma',
    ],
    why: 'Addresses that are none (RFC 5322 §3.4): what can be saved is told, without MISSING_DOMAIN and the like',
  },
  {
    items: ENVELOPE,
    mails: ['two subjects', 'two message-ids'],
    why: 'Of a field that RFC 5322 §3.6 allows once the first counts, for Dovecot the last',
  },
  {
    items: STRUCTURE,
    mails: /^(type (in capitals|without|with empty|empty|of nonsense|without semicolon)|multipart without subtype)/,
    why: 'A type that cannot be read is text/plain, a multipart without subtype multipart/mixed (RFC 2045 §5.2, RFC 2046 §5.1.7)',
  },
  {
    items: STRUCTURE,
    mails: ['boundary never occurs', 'boundary missing'],
    why: 'A multipart that nothing divides is plain text, so that its text is seen (RFC 2045 §5.2); Dovecot shows an empty part',
  },
  {
    items: STRUCTURE,
    mails:
      /^(parameter |description 8-bit|encoding odd|all the content fields|disposition empty|boundary unquoted|qp attachment)/,
    why: 'Broken parameters are read as far as they make sense; RFC 2231 values are told in one piece, in UTF-8; 8-bit text in encoded-words',
  },
  {
    items: /^(BODY|BINARY)/,
    mails: [
      'ends behind a delimiter',
      'delimiter with text behind',
      'boundary empty',
      'boundary ends in space',
      'boundary unquoted specials',
      'boundary of 200 characters',
      'multipart without subtype',
    ],
    why: 'A delimiter is the boundary and nothing but white space behind it (RFC 2046 §5.1.1), a boundary is not cut off, and no part begins where the mail ends',
  },
  {
    items: /^(BODY|BINARY)/,
    mails: ['message in base64', 'global message'],
    why: 'message/rfc822 in base64 is no message (RFC 2046 §5.2.1); message/global is one (RFC 6532 §3.7)',
  },
  {
    items: PART,
    mails:
      /^(inner boundary|outer boundary|same boundary|inner not closed|message unclosed|digest in mixed|(only the closing line|boundary never occurs|boundary missing)$)/,
    why: 'The line end in front of a delimiter is its own (RFC 2046 §5.1.1); Dovecot counts it to the part when boundaries begin alike',
  },
  {
    items: /^BODY\.PEEK\[.*(MIME|HEADER)/,
    mails: [
      'part without blank line',
      'empty parts',
      'message empty',
      'message without blank line',
      'message of header only',
    ],
    why: 'The header of a part without blank line keeps its last line end',
  },
  {
    items: /^BODY\.PEEK\[HEADER\.FIELDS/,
    mails: [
      'no blank line',
      'header without line end',
      'text without a colon',
      'junk between fields',
      'mbox line on top',
      'starts with a folded line',
    ],
    why: 'A subset of a header has fields only and always ends in a blank line (RFC 9051 §6.4.5.1); Dovecot does so for HEADER.FIELDS but not for .NOT',
  },
]

interface SearchDeviation {
  readonly programs: RegExp
  readonly mails: Mails
  readonly why: string
}

/** Mails whose Date or Subject Dovecot does not understand. */
const ODD_HEADERS = [
  'encoded-word with language',
  'date with three-digit year',
  'date in asctime form',
  'date in iso form',
  'date before 1970',
]

const searchDeviations: readonly SearchDeviation[] = [
  {
    programs: ANY,
    mails: ['encoded-word with language'],
    why: 'Encoded-words with a language (RFC 2231 §5) are understood',
  },
  {
    programs: /SENT/,
    mails: ANY,
    why: 'A mail without a Date was sent on no day, for Dovecot on 1-Jan-1970; Dovecot reads no obsolete years, no asctime, nothing before 1970 (RFC 5322 §4.3)',
  },
  { programs: /SMALLER|LARGER/, mails: LINE_ENDS, why: 'RFC822.SIZE counts the octets as they came' },
  {
    programs: /^(FROM|TO|CC|BCC) ".*[<>]/,
    mails: ANY,
    why: 'Addresses are looked through as they are shown, "Ann <ann@a.example>"; Dovecot has its own form',
  },
  { programs: /^(FROM|TO|CC|BCC)/, mails: ['open quote'], why: 'What is left of a broken address is found' },
  {
    programs: /SUBJECT/,
    mails: ['split inside a character', 'raw latin1 subject'],
    why: 'Encoded-words cut within a character and raw latin1 are understood',
  },
  {
    programs: /BODY|TEXT/,
    mails: ['html only', 'message in base64', 'global message', 'mbox line on top'],
    why: 'HTML is searched as it is read, without its marks; messages in base64 and message/global are read as messages; a line that is no field is no header',
  },
  { programs: /^TEXT "Übung"/, mails: /^parameter /, why: 'Names of attachments are found decoded (RFC 2231)' },
]

interface FlowDeviation {
  readonly step: RegExp
  /** Lines left out on both sides; everything when missing. */
  readonly lines?: RegExp
  readonly why: string
}

const flowDeviations: readonly FlowDeviation[] = [
  {
    step: /^(SELECT|EXAMINE) (?!.*\()/,
    lines: /^OK \[HIGHESTMODSEQ #\]$/,
    why: 'Told to everybody: RFC 7162 §3.1.2.1',
  },
  {
    step: /^NOOP$/,
    lines: /^(OK|OK \[HIGHESTMODSEQ #\])$/,
    why: 'HIGHESTMODSEQ behind a NOOP is free: RFC 7162 §3.2.7 and §3.2.8 want it for EXPUNGE and CLOSE',
  },
  {
    step: /^STORE 4 -FLAGS \(\\Seen\)$/,
    lines: /^FETCH/,
    why: 'Flags are told for every message named, changed or not: RFC 9051 §6.4.6',
  },
  {
    step: /^(STORE 1 FLAGS \(\\Deleted\)|EXPUNGE)$/,
    why: 'Refused with READ-ONLY in an examined mailbox: RFC 9051 §6.3.3, RFC 5530',
  },
  { step: /^(UID )?FETCH 1:\* (UID|FLAGS)$/, why: 'A message that went is not made up: RFC 2180 §4.1' },
  { step: /^CREATE (T6\/a|INBOX)$/, why: 'Superior names are real mailboxes (RFC 9051 §6.3.4), INBOX exists' },
  {
    step: /^LIST /,
    lines: /^LIST .*T6\/(e|a\/b|x|moved\/b)\b/,
    why: 'Superior names are real mailboxes (RFC 9051 §6.3.4)',
  },
  { step: /^LIST .*(\(T6|SUBSCRIBED|STATUS)/, lines: /^LIST/, why: 'CHILDREN is told unasked: RFC 5258 §4' },
  { step: /^STATUS T6\/e/, why: 'Superior names are real mailboxes (RFC 9051 §6.3.4)' },
  { step: /^STORE 1 FLAGS$/, why: 'RFC 9051 §9 `store`: a flag is needed' },
  { step: /^STORE 1 FLAGS \(\\Recent\)$/, why: 'Passed over, as RFC 3501 §2.3.2 says it cannot be altered' },
  { step: /^SEARCH BEFORE 31-Feb/, why: 'No such day' },
  { step: /^(ENABLE NONSENSE)$/, lines: /^ENABLED$/, why: 'RFC 5161 §3.2: ENABLED may be empty' },
  { step: /^NOOP nonsense$/, why: 'RFC 9051 §9: NOOP has no arguments' },
  { step: /^SELECT( T11\/none)?$/, lines: /CLOSED/, why: 'A SELECT that is no command closes nothing' },
]

const names = (mails: Mails, name: string): boolean =>
  mails instanceof RegExp ? mails.test(name) : mails.includes(name)

/** Which deviations were needed so far. */
export class Ledger {
  readonly #used = new Set<string>()

  #find<T extends { readonly why: string }>(table: readonly T[], fits: (entry: T) => boolean): boolean {
    const entry = table.find(fits)
    if (entry !== undefined) this.#used.add(entry.why)
    return entry !== undefined
  }

  fetch(item: string, name: string, answer = ''): boolean {
    return this.#find(
      fetchDeviations,
      ({ items, mails, ours }) => items.test(item) && names(mails, name) && (ours?.test(answer) ?? true),
    )
  }

  search(program: string, name: string): boolean {
    return this.#find(searchDeviations, ({ programs, mails }) => programs.test(program) && names(mails, name))
  }

  /** Both read its headers alike, so that it can be put in order with others. */
  sound(name: string): boolean {
    const unlike = fetchDeviations.some(
      ({ items, mails }) => (items === ENVELOPE || items === ANY) && names(mails, name),
    )
    return !unlike && !ODD_HEADERS.includes(name)
  }

  /** Both answers to a step without what may differ. */
  flow(command: string, ours: string, theirs: string): [string, string] {
    let both: [string, string] = [ours, theirs]
    for (const { step, lines, why } of flowDeviations) {
      if (!step.test(command)) continue
      const [mine, other] = both.map((text) =>
        lines === undefined
          ? ''
          : text
              .split('\n')
              .filter((line) => !lines.test(line))
              .join('\n'),
      ) as [string, string]
      if (mine === both[0] && other === both[1]) continue
      this.#used.add(why)
      both = [mine, other]
    }
    return both
  }

  /** Entries that nothing needed. */
  get idle(): string[] {
    return [...fetchDeviations, ...searchDeviations, ...flowDeviations]
      .map(({ why }) => why)
      .filter((why) => !this.#used.has(why))
  }
}
