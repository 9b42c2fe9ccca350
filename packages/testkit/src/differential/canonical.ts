import { parseLine, show, type Value } from '../imap/response.ts'
import { canonicalStructure } from './structure.ts'

/** One answer in the form in which two servers must agree: what RFC 9051 leaves to the server is left out or brought to one form. */
export interface Canonical {
  /** `OK`, `NO [NONEXISTENT]`, `BAD`. */
  readonly tagged: string
  /** Everything else, in a fixed order. */
  readonly lines: readonly string[]
  /** FETCH answers: sequence number, attribute, value. */
  readonly fetched: ReadonlyMap<number, ReadonlyMap<string, string>>
}

/** Codes of OK, NO and BAD whose arguments are the server's own numbers or texts. */
const OPAQUE = new Set(['UIDVALIDITY', 'HIGHESTMODSEQ', 'BADCHARSET', 'MAILBOXID'])
/** Codes that only one of the servers sends, none of them asked for: RFC 9051 §7.1 lets a client pass over codes. */
const PASSED_OVER = new Set([
  'PERMANENTFLAGS',
  'CAPABILITY',
  'MAILBOXID',
  'NOMODSEQ',
  'CLIENTBUG',
  'CANNOT',
  'NONEXISTENT',
])
/** RFC 3501's \Recent: RFC 9051 appendix E dropped it, and no message of ours has it. */
const isRecent = (flag: string): boolean => flag.toLowerCase() === '\\recent'

const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value)
const atom = (value: Value | undefined): string => (value !== undefined && 'atom' in value ? value.atom : '')
const word = (value: Value | undefined): string =>
  value === undefined || isList(value) ? '' : 'atom' in value ? value.atom : 'text' in value ? value.text : ''

/** `sequence-set` as single numbers, ascending. */
export function expand(set: string): number[] {
  const out: number[] = []
  for (const range of set.split(',')) {
    const [low = 0, high = low] = range.split(':').map(Number)
    for (let n = Math.min(low, high); n <= Math.max(low, high); n++) out.push(n)
  }
  return out.sort((a, b) => a - b)
}

/** The code in brackets at the start of a text, brought to one form; '' for none. */
function code(text: string): string {
  const inside = /^\[([^\]]*)\]/.exec(text)?.[1]
  if (inside === undefined) return ''
  const [name = '', ...rest] = inside.split(' ')
  const upper = name.toUpperCase()
  if (PASSED_OVER.has(upper)) return ''
  if (OPAQUE.has(upper)) return `[${upper} #]`
  // The first argument of both is a UIDVALIDITY.
  if (upper === 'APPENDUID' || upper === 'COPYUID')
    return `[${upper} # ${rest
      .slice(1)
      .map((set) => expand(set).join(','))
      .join(' ')}]`
  if (upper === 'MODIFIED') return `[MODIFIED ${expand(rest[0] ?? '').join(',')}]`
  return `[${[upper, ...rest].join(' ')}]`
}

/** The text behind a status word: the words themselves are for people. */
function status(word: string, text: string): string {
  const found = code(text)
  return found === '' ? word : `${word} ${found}`
}

export function canonicalFlags(value: Value | undefined): string {
  if (!isList(value)) return show(value ?? { atom: 'NIL' })
  return `(${value
    .map(atom)
    .filter((flag) => !isRecent(flag))
    .sort()
    .join(' ')})`
}

/** One attribute of a FETCH answer. */
function attribute(name: string, value: Value): string {
  switch (name) {
    case 'FLAGS':
      return canonicalFlags(value)
    case 'MODSEQ':
      return '#'
    case 'INTERNALDATE': {
      const text = word(value)
      const time = Date.parse(
        text
          .trim()
          .replaceAll('-', ' ')
          .replace(/ (\d\d)(\d\d)$/, '-$1$2')
          .replace(/ \+/, ' +'),
      )
      return Number.isNaN(time) ? `invalid ${text}` : new Date(time).toISOString()
    }
    case 'BODY':
    case 'BODYSTRUCTURE':
      return show(canonicalStructure(value))
    default:
      return show(value)
  }
}

/** Reads all lines of one command's answer. `shown` says which mailbox names take part (the two servers have folders of their own). */
export function canonical(tagged: string, untagged: readonly string[], shown: (name: string) => boolean): Canonical {
  const fetched = new Map<number, Map<string, string>>()
  const lines: string[] = []
  const expunged: number[] = []
  for (const line of untagged) {
    const values = parseLine(line)
    const second = atom(values[1]).toUpperCase()
    const third = atom(values[2]).toUpperCase()
    if (third === 'EXPUNGE') expunged.push(original(expunged, Number(second)))
    else if (third === 'FETCH') readFetch(fetched, Number(second), values[3])
    else {
      const said = untaggedLine(line, second, third, values, shown)
      if (said !== undefined) lines.push(said)
    }
  }
  if (expunged.length > 0) lines.push(`EXPUNGE ${expunged.sort((a, b) => a - b).join(',')}`)
  const [word = '', ...rest] = tagged.split(' ')
  return { tagged: status(word, rest.join(' ')), lines, fetched }
}

/** The number a message had before the ones already expunged went. */
function original(expunged: readonly number[], number: number): number {
  let at = number
  for (const gone of [...expunged].sort((a, b) => a - b)) if (gone <= at) at++
  return at
}

function readFetch(fetched: Map<number, Map<string, string>>, sequence: number, value: Value | undefined): void {
  const attributes = fetched.get(sequence) ?? new Map<string, string>()
  fetched.set(sequence, attributes)
  if (!isList(value)) return
  for (let i = 0; i + 1 < value.length; i += 2) {
    // Names of fields may be quoted or not: RFC 9051 §9 `header-fld-name`.
    const name = atom(value[i]).toUpperCase().replaceAll('"', '')
    attributes.set(name, attribute(name, value[i + 1] as Value))
  }
}

function untaggedLine(
  line: string,
  second: string,
  third: string,
  values: readonly Value[],
  shown: (name: string) => boolean,
): string | undefined {
  switch (second) {
    case 'OK':
    case 'NO':
    case 'BAD':
    case 'BYE': {
      const said = status(second, line.slice(line.indexOf(second) + second.length + 1))
      return said === 'OK' ? undefined : said
    }
    case 'FLAGS':
    case 'CAPABILITY':
      return undefined
    case 'LIST':
    case 'LSUB':
      return listLine(second, values, shown)
    case 'STATUS':
      return shown(word(values[2])) ? `STATUS ${word(values[2])} ${statusItems(values[3])}` : undefined
    case 'SEARCH':
    case 'SORT':
      return [second, ...values.slice(2).map((value) => (isList(value) ? '(MODSEQ #)' : atom(value)))].join(' ')
    case 'ESEARCH':
      return esearchLine(values)
    case 'VANISHED': {
      const earlier = isList(values[2])
      return `VANISHED${earlier ? ' (EARLIER)' : ''} ${expand(atom(values[earlier ? 3 : 2])).join(',')}`
    }
    case 'ENABLED':
      return ['ENABLED', ...values.slice(2).map(atom).sort()].join(' ')
    default:
      return third === 'RECENT' ? undefined : values.slice(1).map(show).join(' ')
  }
}

/** Attributes that say the same or that only one server has reason to send: RFC 6154 uses, RFC 3501's \Marked. */
const SILENT_ATTRIBUTES = /^\\(marked|unmarked|noinferiors|drafts|sent|trash|junk|archive|all|flagged|important)$/i

function listLine(kind: string, values: readonly Value[], shown: (name: string) => boolean): string | undefined {
  const [, , attributes, separator, name, ...rest] = values
  if (!shown(word(name))) return undefined
  const flags = isList(attributes) ? attributes.map(atom).filter((flag) => !SILENT_ATTRIBUTES.test(flag)) : []
  const more = rest.length === 0 ? '' : ` ${rest.map(show).join(' ')}`
  return `${kind} (${flags.sort().join(' ')}) ${show(separator ?? { atom: '' })} ${word(name)}${more}`
}

function statusItems(value: Value | undefined): string {
  if (!isList(value)) return ''
  const items: string[] = []
  for (let i = 0; i + 1 < value.length; i += 2) {
    const name = atom(value[i]).toUpperCase()
    if (name === 'RECENT') continue
    items.push(`${name} ${name === 'UIDVALIDITY' || name === 'HIGHESTMODSEQ' ? '#' : show(value[i + 1] as Value)}`)
  }
  return `(${items.sort().join(' ')})`
}

function esearchLine(values: readonly Value[]): string {
  const items: string[] = []
  for (let i = 2; i < values.length; i++) {
    const name = atom(values[i]).toUpperCase()
    // The tag in its list; UID stands alone.
    if (name === '') continue
    if (name === 'UID') items.push('UID')
    else if (name === 'ALL') items.push(`ALL ${expand(atom(values[++i])).join(',')}`)
    else if (name === 'MODSEQ') items.push(`MODSEQ ${values[++i] === undefined ? '' : '#'}`)
    else items.push(`${name} ${show(values[++i] as Value)}`)
  }
  return `ESEARCH ${items.sort().join(' ')}`
}
