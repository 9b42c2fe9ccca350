import { isAscii } from 'node:buffer'
import { asBuffer } from './bytes.ts'
import { HeaderFields } from './headers.ts'
import { MAX_BOUNDARY_LENGTH, SCAN_LIMITS, type ScanLimits } from './limits.ts'
import { readPartHeader } from './part-header.ts'
import type { MimePart, MimeTree, PartHeader } from './types.ts'

type Writable<T> = { -readonly [Name in keyof T]: T[Name] }

/** A part while it is being read. */
interface OpenPart extends Writable<PartHeader> {
  index: number
  parent: number
  firstChild: number
  nextSibling: number
  depth: number
  section: string
  headerStart: number
  bodyStart: number
  bodyEnd: number
  lines: number
  isAttachment: boolean
  opaque: boolean
}

/** What the scanner remembers of a part on its stack, beside the part itself. */
interface Frame {
  readonly part: OpenPart
  /** '' for a part that has no boundary of its own. */
  readonly boundary: string
  /** The frame with the same boundary further out. */
  shadowed: Frame | undefined
  active: boolean
  readonly level: number
  /** Prefix of the children's section numbers. */
  readonly prefix: string
  children: number
  lastChild: number
  /** A delimiter of its own was seen, be it the closing one alone. */
  delimited: boolean
  /** Line feeds before bodyStart, -1 if lines are not counted. */
  lineBase: number
}

class Scanner implements MimeTree {
  readonly bytes: Buffer
  readonly parts: OpenPart[] = []
  limited = false
  eightBit = false
  readonly #limits: ScanLimits
  readonly #end: number
  readonly #stack: Frame[] = []
  readonly #boundaries = new Map<string, Frame>()
  /** How many active boundaries have each length: most lines that start with two dashes are refused by it. */
  readonly #lengths = new Uint16Array(MAX_BOUNDARY_LENGTH + 1)
  #active = 0
  readonly #headers = new Map<number, HeaderFields>()
  #lineCursor = 0
  #lineCount = 0
  #countingParts = 0

  constructor(bytes: Uint8Array, limits: ScanLimits) {
    this.bytes = asBuffer(bytes)
    this.#limits = limits
    this.#end = bytes.length
    this.#scan()
  }

  header(part = 0): HeaderFields {
    const known = this.#headers.get(part)
    if (known !== undefined) return known
    const { headerStart, bodyStart } = this.parts[part] ?? this.parts[0]!
    return new HeaderFields(this.bytes, headerStart, bodyStart)
  }

  #scan(): void {
    let at = this.#open(undefined, 0, true)
    while (this.#active > 0) {
      const line = this.#nextDelimiter(at)
      if (line === undefined) break
      const { frame, closing, start, next } = line
      if (!closing && this.parts.length >= this.#limits.parts) {
        // What follows belongs to the last part.
        this.limited = true
        this.parts.at(-1)!.opaque = true
        break
      }
      this.#closeAbove(frame.level, this.#beforeBreak(start))
      frame.delimited = true
      if (closing) this.#deactivate(frame)
      at = closing || (next >= this.#end && frame.children > 0) ? next : this.#open(frame, next, false)
    }
    this.#closeAbove(-1, this.#end)
  }

  /** Opens the part whose header starts at `start`, and the embedded message inside it; returns where its body starts. */
  #open(under: Frame | undefined, start: number, message: boolean): number {
    let parent = under
    let headerStart = start
    let isRoot = message
    for (;;) {
      const bodyStart = this.#headerEnd(headerStart)
      if (!isAscii(this.bytes.subarray(headerStart, bodyStart))) this.eightBit = true
      const header = new HeaderFields(this.bytes, headerStart, bodyStart)
      const digest = parent?.part.type === 'multipart' && parent.part.subtype === 'digest'
      const frame = this.#push(parent, readPartHeader(header, digest), headerStart, bodyStart, isRoot)
      if (isRoot) this.#headers.set(frame.part.index, header)
      if (!isEmbedded(frame.part)) return bodyStart
      if (!this.#mayDescend(frame.part) || !isIdentity(frame.part.encoding)) {
        frame.part.opaque = true
        return bodyStart
      }
      parent = frame
      headerStart = bodyStart
      isRoot = true
    }
  }

  #mayDescend(part: OpenPart): boolean {
    if (part.depth < this.#limits.depth && this.parts.length < this.#limits.parts) return true
    this.limited = true
    return false
  }

  #push(parent: Frame | undefined, header: PartHeader, headerStart: number, bodyStart: number, isRoot: boolean): Frame {
    const index = this.parts.length
    const isMultipart = header.type === 'multipart'
    const number = parent === undefined ? 1 : ++parent.children
    const own = parent === undefined || parent.prefix === '' ? `${number}` : `${parent.prefix}.${number}`
    // RFC 9051 §6.4.5.1: the multipart body of a message has no number of its own.
    const outer = parent?.prefix ?? ''
    const numbered = !(isRoot && isMultipart)
    const part: OpenPart = {
      index,
      parent: parent?.part.index ?? -1,
      firstChild: -1,
      nextSibling: -1,
      depth: parent === undefined ? 0 : parent.part.depth + 1,
      section: numbered ? own : outer === '' ? 'TEXT' : `${outer}.TEXT`,
      headerStart,
      bodyStart,
      bodyEnd: this.#end,
      lines: 0,
      type: header.type,
      subtype: header.subtype,
      parameters: header.parameters,
      rawParameters: header.rawParameters,
      encoding: header.encoding,
      contentId: header.contentId,
      description: header.description,
      md5: header.md5,
      language: header.language,
      location: header.location,
      disposition: header.disposition,
      dispositionParameters: header.dispositionParameters,
      rawDispositionParameters: header.rawDispositionParameters,
      charset: header.charset,
      filename: header.filename,
      isAttachment: false,
      opaque: false,
    }
    part.isAttachment = looksAttached(part, parent?.part)
    this.parts.push(part)
    if (parent !== undefined) {
      if (parent.lastChild < 0) parent.part.firstChild = index
      else this.parts[parent.lastChild]!.nextSibling = index
      parent.lastChild = index
    }
    const boundary = isMultipart ? this.#boundaryOf(part) : ''
    const frame: Frame = {
      part,
      boundary,
      shadowed: undefined,
      active: false,
      level: this.#stack.length,
      prefix: numbered ? own : outer,
      children: 0,
      lastChild: -1,
      delimited: false,
      lineBase: -1,
    }
    if (header.type === 'text' || isEmbedded(part)) {
      this.#countTo(bodyStart)
      frame.lineBase = this.#lineCount
      this.#countingParts++
    }
    if (boundary !== '') this.#activate(frame)
    this.#stack.push(frame)
    return frame
  }

  #boundaryOf(part: OpenPart): string {
    const text = part.parameters.get('boundary') ?? ''
    const boundary = Buffer.from(text.trimEnd(), 'utf8').toString('latin1')
    if (boundary === '' || boundary.length > MAX_BOUNDARY_LENGTH || !this.#mayDescend(part)) {
      // Too deep to look into; without a usable boundary it is text, see #asText.
      part.opaque = boundary !== '' && boundary.length <= MAX_BOUNDARY_LENGTH
      return ''
    }
    return boundary
  }

  #activate(frame: Frame): void {
    frame.shadowed = this.#boundaries.get(frame.boundary)
    frame.active = true
    this.#boundaries.set(frame.boundary, frame)
    this.#lengths[frame.boundary.length]!++
    this.#active++
  }

  #deactivate(frame: Frame): void {
    if (!frame.active) return
    frame.active = false
    if (frame.shadowed === undefined) this.#boundaries.delete(frame.boundary)
    else this.#boundaries.set(frame.boundary, frame.shadowed)
    this.#lengths[frame.boundary.length]!--
    this.#active--
  }

  /** Ends every part above `level`; their bodies end at `position`, or where a header that ran into the delimiter ends. */
  #closeAbove(level: number, position: number): void {
    let end = position
    while (this.#stack.length > level + 1) {
      const frame = this.#stack.pop()!
      this.#deactivate(frame)
      const { part } = frame
      end = Math.max(end, part.bodyStart)
      part.bodyEnd = end
      if (part.type === 'multipart' && !frame.delimited && !part.opaque) this.#asText(part)
      if (frame.lineBase >= 0) {
        this.#countTo(part.bodyEnd)
        part.lines = this.#lineCount - frame.lineBase
        this.#countingParts--
      }
    }
  }

  /**
   * A multipart that no delimiter divides, for want of the parameter or of the lines, is shown as it stands, as mail programs do: what is not
   * described correctly counts as plain text (RFC 2045 §5.2).
   */
  #asText(part: OpenPart): void {
    const { charset } = part
    part.type = 'text'
    part.subtype = 'plain'
    part.parameters = new Map(charset === undefined ? [] : [['charset', charset]])
    part.rawParameters = part.rawParameters.filter(({ name }) => name === 'charset')
    if (!isIdentity(part.encoding)) part.encoding = '8bit'
    part.section = part.section.replace(/TEXT$/, '1')
    part.isAttachment = looksAttached(part, this.parts[part.parent])
    let lines = 0
    for (let i = part.bodyStart; i < part.bodyEnd; i++) if (this.bytes[i] === 10) lines++
    part.lines = lines
  }

  /** Moves the line counter forward; what no open part counts is skipped. Nested parts share one walk. */
  #countTo(position: number): void {
    if (position <= this.#lineCursor) return
    if (this.#countingParts > 0) {
      const { bytes } = this
      let count = 0
      for (let i = this.#lineCursor; i < position; i++) if (bytes[i] === 10) count++
      this.#lineCount += count
    }
    this.#lineCursor = position
  }

  /** The offset behind a header's blank line; a delimiter of an open multipart ends a header that has none. */
  #headerEnd(start: number): number {
    const { bytes } = this
    const end = this.#end
    let lineStart = start
    while (lineStart < end) {
      const c = bytes[lineStart]!
      if (c === 10) return lineStart + 1
      if (c === 13 && bytes[lineStart + 1] === 10) return lineStart + 2
      if (c === 45 && bytes[lineStart + 1] === 45 && this.#active > 0 && this.#delimiterAt(lineStart) !== undefined)
        return lineStart
      const next = bytes.indexOf(10, lineStart)
      if (next < 0) return end
      lineStart = next + 1
    }
    return end
  }

  /** The next delimiter line of any open multipart at or behind `from`, which is a line start. */
  #nextDelimiter(from: number) {
    const { bytes } = this
    if (from < this.#end && bytes[from] === 45 && bytes[from + 1] === 45) {
      const found = this.#delimiterAt(from)
      if (found !== undefined) return found
    }
    let at = bytes.indexOf('\n--', from, 'latin1')
    while (at >= 0) {
      const found = this.#delimiterAt(at + 1)
      if (found !== undefined) return found
      at = bytes.indexOf('\n--', at + 3, 'latin1')
    }
    return undefined
  }

  /**
   * The delimiter in the line at `start`, which begins with two dashes: RFC 2046 §5.1.1, white space behind the boundary allowed.
   * The whole line must match, so that one boundary may be the beginning of another.
   */
  #delimiterAt(start: number): { frame: Frame; closing: boolean; start: number; next: number } | undefined {
    const { bytes } = this
    const stop = Math.min(this.#end, start + MAX_BOUNDARY_LENGTH + 80)
    let lineEnd = start + 2
    while (lineEnd < stop && bytes[lineEnd] !== 10) lineEnd++
    if (lineEnd === stop && stop < this.#end && bytes[lineEnd] !== 10) return undefined
    let end = lineEnd
    while (end > start + 2 && (bytes[end - 1] === 13 || bytes[end - 1] === 32 || bytes[end - 1] === 9)) end--
    const length = end - start - 2
    const lengths = this.#lengths
    let frame: Frame | undefined
    let closing = false
    if (length > 0 && length <= MAX_BOUNDARY_LENGTH && lengths[length]! > 0)
      frame = this.#boundaries.get(bytes.toString('latin1', start + 2, end))
    if (
      frame === undefined &&
      length > 2 &&
      lengths[length - 2]! > 0 &&
      bytes[end - 1] === 45 &&
      bytes[end - 2] === 45
    ) {
      frame = this.#boundaries.get(bytes.toString('latin1', start + 2, end - 2))
      closing = true
    }
    return frame && { frame, closing, start, next: Math.min(lineEnd + 1, this.#end) }
  }

  /** The line break before a delimiter belongs to the delimiter: RFC 2046 §5.1.1. */
  #beforeBreak(start: number): number {
    if (start > 0 && this.bytes[start - 1] === 10)
      return start > 1 && this.bytes[start - 2] === 13 ? start - 2 : start - 1
    return start
  }
}

/** message/rfc822 and its UTF-8 form (RFC 6532 §3.7). */
export function isEmbedded(part: Pick<MimePart, 'type' | 'subtype'>): boolean {
  return part.type === 'message' && (part.subtype === 'rfc822' || part.subtype === 'global')
}

function isIdentity(encoding: string): boolean {
  return encoding === '7bit' || encoding === '8bit' || encoding === 'binary'
}

/** Report and signature parts that mail programs consume themselves. */
const MACHINE_PARTS = new Set([
  'message/delivery-status',
  'message/global-delivery-status',
  'message/disposition-notification',
  'message/global-disposition-notification',
  'message/feedback-report',
  'text/rfc822-headers',
  'application/pgp-signature',
  'application/pgp-encrypted',
  'application/pkcs7-signature',
  'application/x-pkcs7-signature',
])

function looksAttached(part: OpenPart, parent: OpenPart | undefined): boolean {
  if (part.type === 'multipart') return false
  const kind = `${part.type}/${part.subtype}`
  if (MACHINE_PARTS.has(kind)) return false
  if (parent === undefined && /^application\/(x-)?pkcs7-mime$/.test(kind)) return false
  if (part.disposition === 'attachment') return true
  if (isEmbedded(part)) return true
  const related = parent?.type === 'multipart' && parent.subtype === 'related'
  if (part.type === 'text') {
    if (kind === 'text/calendar') return false
    return part.filename !== undefined && !(related && part.contentId !== undefined)
  }
  if (related)
    return part.disposition !== undefined && part.disposition !== 'inline' ? true : part.contentId === undefined
  return !(part.disposition === 'inline' && part.contentId !== undefined)
}

/**
 * Reads the structure of a message in one pass: RFC 5322, RFC 2045, RFC 2046. Bodies are searched natively for delimiter lines and never
 * decoded. Tolerates bare line feeds, missing headers, missing or wrong delimiters, 8-bit headers; what exceeds `limits` stays as opaque
 * part. Linear in the input, never throws. The tree refers to `bytes`, which must not change.
 */
export function scanMessage(bytes: Uint8Array, limits: Partial<ScanLimits> = {}): MimeTree {
  return new Scanner(bytes, { ...SCAN_LIMITS, ...limits })
}

/** The part an IMAP section number names ('1.2'), undefined if there is none. The number of a part, not HEADER, TEXT or MIME. */
export function partBySection(parts: readonly MimePart[], section: string): MimePart | undefined {
  let current = parts[0]
  if (current === undefined) return undefined
  let isRoot = true
  for (const digits of section.split('.')) {
    if (!/^[1-9]\d{0,5}$/.test(digits)) return undefined
    let number = Number(digits)
    if (!isRoot && isEmbedded(current)) {
      const root: MimePart | undefined = parts[current.firstChild]
      if (root === undefined) return undefined
      current = root
      isRoot = true
    }
    if (current.type === 'multipart') {
      let child: MimePart | undefined = parts[current.firstChild]
      while (child !== undefined && --number > 0) child = parts[child.nextSibling]
      if (child === undefined) return undefined
      current = child
    } else if (!isRoot || number !== 1) return undefined
    isRoot = false
  }
  return current
}
