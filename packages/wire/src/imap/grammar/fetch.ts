import { MAX_SECTION_PARTS } from '../limits.ts'
import type { ArgumentReader } from '../reader.ts'
import type { SequenceSet } from '../sequence-set.ts'
import { type PartialRange, readPartialRange } from './partial.ts'

/** What follows the part numbers in `BODY[...]`: RFC 9051 §6.4.5.1. The empty string is the whole part. */
export type SectionText = '' | 'HEADER' | 'HEADER.FIELDS' | 'HEADER.FIELDS.NOT' | 'TEXT' | 'MIME'

export interface Section {
  readonly part: readonly number[]
  readonly text: SectionText
  /** Field names as the client wrote them, for the two forms that have them. */
  readonly fields: readonly string[]
}

/** `<offset.length>`, in octets. */
export interface Partial {
  readonly offset: number
  readonly length: number
}

const simpleAttributes = [
  'FLAGS',
  'UID',
  'ENVELOPE',
  'INTERNALDATE',
  'RFC822.SIZE',
  'BODYSTRUCTURE',
  'BODY',
  'MODSEQ',
  'EMAILID',
  'THREADID',
  'SAVEDATE',
  'RFC822',
  'RFC822.HEADER',
  'RFC822.TEXT',
] as const
type SimpleAttribute = (typeof simpleAttributes)[number]

/** One thing FETCH is asked for. */
export type FetchAttribute =
  | { readonly kind: SimpleAttribute }
  /** RFC 8970; `lazy`: only if it costs nothing. */
  | { readonly kind: 'PREVIEW'; readonly lazy: boolean }
  | {
      readonly kind: 'BODY[]'
      readonly peek: boolean
      readonly section: Section
      readonly partial: Partial | undefined
    }
  /** RFC 3516. */
  | {
      readonly kind: 'BINARY[]'
      readonly peek: boolean
      readonly part: readonly number[]
      readonly partial: Partial | undefined
    }
  | { readonly kind: 'BINARY.SIZE[]'; readonly part: readonly number[] }

export interface FetchArguments {
  readonly set: SequenceSet
  readonly attributes: readonly FetchAttribute[]
  /** RFC 7162 §3.1.4.1. */
  readonly changedSince: number | undefined
  /** RFC 7162 §3.2.6. */
  readonly vanished: boolean
  /** RFC 9394 §3.4. */
  readonly partial?: PartialRange
}

const macros = new Map<string, readonly SimpleAttribute[]>([
  ['ALL', ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE']],
  ['FAST', ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE']],
  ['FULL', ['FLAGS', 'INTERNALDATE', 'RFC822.SIZE', 'ENVELOPE', 'BODY']],
])
const simple = new Map<string, SimpleAttribute>(simpleAttributes.map((name) => [name, name]))

export function readFetch(r: ArgumentReader): FetchArguments {
  const set = r.space().sequenceSet()
  r.space()
  const attributes = r.atList ? r.list(() => readAttribute(r), 'filled') : readMacroOrAttribute(r)
  let changedSince: number | undefined
  let vanished = false
  let partial: PartialRange | undefined
  if (r.optionalSpace()) {
    r.list(() => {
      const name = r.keyword()
      if (name === 'CHANGEDSINCE') changedSince = r.space().number64()
      else if (name === 'VANISHED') vanished = true
      else if (name === 'PARTIAL' && partial === undefined) partial = readPartialRange(r.space())
      else r.fail('Unknown FETCH modifier')
    }, 'filled')
  }
  return { set, attributes, changedSince, vanished, ...(partial === undefined ? {} : { partial }) }
}

function readMacroOrAttribute(r: ArgumentReader): FetchAttribute[] {
  for (const [name, kinds] of macros) if (r.takeWord(name)) return kinds.map((kind) => ({ kind }))
  return [readAttribute(r)]
}

function readAttribute(r: ArgumentReader): FetchAttribute {
  const name = r.attribute()
  if (r.take('[')) return readBracketed(r, name)
  if (name === 'PREVIEW') return { kind: 'PREVIEW', lazy: readLazy(r) }
  const kind = simple.get(name)
  return kind === undefined ? r.fail(`Unknown FETCH attribute ${name}`) : { kind }
}

/** `PREVIEW (LAZY)`; a following list is the modifier only when it says so (`FETCH 1 PREVIEW (CHANGEDSINCE 1)`). */
function readLazy(r: ArgumentReader): boolean {
  return r.takeText(' (LAZY)')
}

function readBracketed(r: ArgumentReader, name: string): FetchAttribute {
  if (name === 'BODY' || name === 'BODY.PEEK') {
    const section = readSection(r)
    return { kind: 'BODY[]', peek: name === 'BODY.PEEK', section, partial: readPartial(r) }
  }
  const part = readPart(r)
  r.expect(']')
  if (name === 'BINARY.SIZE') return { kind: 'BINARY.SIZE[]', part }
  if (name === 'BINARY' || name === 'BINARY.PEEK') {
    return { kind: 'BINARY[]', peek: name === 'BINARY.PEEK', part, partial: readPartial(r) }
  }
  return r.fail(`Unknown FETCH attribute ${name}[]`)
}

function readPart(r: ArgumentReader): number[] {
  const part: number[] = []
  while (isDigit(r.peek())) {
    if (part.length >= MAX_SECTION_PARTS) r.fail('Section too deep')
    part.push(r.nonZero())
    if (!r.take('.')) break
  }
  return part
}

function readSection(r: ArgumentReader): Section {
  const part = readPart(r)
  const fields: string[] = []
  let text: SectionText = ''
  if (r.peek() !== 0x5d) {
    const name = r.attribute()
    if (name === 'HEADER.FIELDS' || name === 'HEADER.FIELDS.NOT') {
      text = name
      fields.push(...r.space().list(() => r.astring(), 'filled'))
      if (fields.some((field) => !/^[\x21-\x39\x3b-\x7e]+$/.test(field))) r.fail('Invalid header field name')
    } else if (name === 'HEADER' || name === 'TEXT' || (name === 'MIME' && part.length > 0)) {
      text = name
    } else {
      r.fail('Unknown section')
    }
  }
  r.expect(']')
  return { part, text, fields }
}

function readPartial(r: ArgumentReader): Partial | undefined {
  if (!r.take('<')) return undefined
  const offset = r.number64()
  const length = r.expect('.').number64()
  r.expect('>')
  return length === 0 ? r.fail('Invalid partial') : { offset, length }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** The attribute's name in a response: RFC 9051 §7.5.2. Field names are repeated as the client wrote them. */
export function formatSection(section: Section): string {
  const part = section.part.join('.')
  const dot = part !== '' && section.text !== '' ? '.' : ''
  const fields = section.fields.length > 0 ? ` (${section.fields.map(fieldName).join(' ')})` : ''
  return `${part}${dot}${section.text}${fields}`
}

function fieldName(name: string): string {
  return /^[^\x00-\x20(){%*"\\\x7f-\xff]+$/.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`
}
