import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { withCrlf } from './line-ends.ts'
import { fromLineDate, MAX_FROM_LINE, type Quoting, unquote } from './mbox-lines.ts'
import { type MboxStatus, ownBlock, readStatus } from './mbox-status.ts'
import { MAX_MAIL_BYTES, type SourceMail, TransferError, tooManyBytes } from './types.ts'

const CHUNK = 1024 * 1024
/** A header block is looked for so far. */
const MAX_HEADER = 1024 * 1024
const LF = 10
const separator = Buffer.from('\nFrom ')

/** A file read at places, a megabyte at a time: mailboxes of many gigabytes take no memory. */
class Pages {
  readonly #fd: number
  readonly size: number
  #from = 0
  #page: Buffer = Buffer.alloc(0)
  constructor(fd: number) {
    this.#fd = fd
    this.size = fstatSync(fd).size
  }
  /** Up to `length` bytes at `at`; fewer at the end of the file. */
  bytes(at: number, length: number): Buffer {
    if (at >= this.#from && at + length <= this.#from + this.#page.length)
      return this.#page.subarray(at - this.#from, at - this.#from + length)
    const page = Buffer.allocUnsafeSlow(Math.min(Math.max(length, CHUNK), Math.max(0, this.size - at)))
    let got = 0
    while (got < page.length) {
      const n = readSync(this.#fd, page, got, page.length - got, at + got)
      if (n === 0) break
      got += n
    }
    const read = page.subarray(0, got)
    if (length <= CHUNK) {
      this.#from = at
      this.#page = read
    }
    return read.subarray(0, length)
  }
  /** The line at `at` without its end. */
  line(at: number): string {
    const text = this.bytes(at, MAX_FROM_LINE + 1)
    const end = text.indexOf(LF)
    return text.toString('latin1', 0, end === -1 ? text.length : end).replace(/\r$/, '')
  }
  /** Where the line after the one at `at` begins. */
  after(at: number): number {
    for (let from = at; from < this.size; from += CHUNK) {
      const end = this.bytes(from, CHUNK).indexOf(LF)
      if (end !== -1) return from + end + 1
    }
    return this.size
  }
}

/** A `From ` line with a date, and a header behind it: a line of a text that looks so is not followed by one. */
function beginsMessage(pages: Pages, at: number): boolean {
  if (fromLineDate(pages.line(at)) === undefined) return false
  const next = pages.line(pages.after(at))
  return /^([!-9;-~]+[ \t]*:|>From |$)/.test(next)
}

/** The end of a header block: behind its empty line, or `limit`. */
function headerEnd(pages: Pages, at: number): number {
  const text = pages.bytes(at, Math.min(MAX_HEADER, pages.size - at))
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf(LF, from)
    if (end === -1) break
    if (end === from || (end === from + 1 && text[from] === 13)) return at + end + 1
    from = end + 1
  }
  return at + text.length
}

/** Where the message ends by its Content-Length, if a message or the end of the file really follows there. */
function endByLength(pages: Pages, header: string, body: number): number | undefined {
  const length = /^content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*\r?$/im.exec(header)?.[1]
  if (length === undefined || ownBlock(header) > 0) return undefined
  const end = body + Number(length)
  if (end > pages.size) return undefined
  const behind = /^(?:\r?\n){0,2}/.exec(pages.bytes(end, 4).toString('latin1'))?.[0].length ?? 0
  return end + behind >= pages.size || beginsMessage(pages, end + behind) ? end : undefined
}

function nextMessage(pages: Pages, from: number): number {
  // One byte earlier: the line end before the separator may be that of the empty line of the header.
  let at = Math.max(0, from - 1)
  while (at < pages.size) {
    const chunk = pages.bytes(at, CHUNK)
    for (let found = chunk.indexOf(separator); found !== -1; found = chunk.indexOf(separator, found + 1))
      if (beginsMessage(pages, at + found + 1)) return at + found + 1
    if (at + chunk.length >= pages.size) break
    at += chunk.length - separator.length + 1
  }
  return pages.size
}

/** Without the empty line that separates messages. */
function withoutBlank(bytes: Uint8Array): Uint8Array {
  let { length } = bytes
  if (bytes[length - 1] !== LF || (bytes[length - 2] !== LF && !(bytes[length - 2] === 13 && bytes[length - 3] === LF)))
    return bytes
  length -= bytes[length - 2] === 13 ? 2 : 1
  return bytes.subarray(0, length)
}

function mailBytes(raw: Buffer, { strip }: MboxStatus, quoting: Quoting, byLength: boolean): Uint8Array {
  const parts: Uint8Array[] = []
  let from = 0
  for (const [start, end] of strip) {
    parts.push(raw.subarray(from, start))
    from = end
  }
  parts.push(raw.subarray(from))
  const bytes = strip.length === 0 ? raw : Buffer.concat(parts)
  return withCrlf(byLength ? bytes : unquote(withoutBlank(bytes), quoting))
}

/** Whether a file is an mbox: empty, or its first line is a `From ` line. */
export function isMbox(file: string): boolean {
  const fd = openSync(file, 'r')
  try {
    const pages = new Pages(fd)
    return pages.size === 0 || fromLineDate(pages.line(0)) !== undefined
  } finally {
    closeSync(fd)
  }
}

/** UIDVALIDITY and UIDNEXT that the first message may tell. */
export function mboxBase(file: string): MboxStatus['base'] {
  const fd = openSync(file, 'r')
  try {
    const pages = new Pages(fd)
    const start = pages.after(0)
    const end = headerEnd(pages, start)
    return readStatus(pages.bytes(start, end - start).toString('latin1')).base
  } finally {
    closeSync(fd)
  }
}

/** The messages of an mbox file in their order. `quoting` is for those without a Content-Length that holds. */
export async function* readMbox(file: string, quoting: Quoting = 'rd'): AsyncIterable<SourceMail> {
  const fd = openSync(file, 'r')
  try {
    const pages = new Pages(fd)
    if (pages.size === 0) return
    if (fromLineDate(pages.line(0)) === undefined)
      throw new TransferError({
        en: `${file} is no mbox: it does not begin with a From line.`,
        fr: `${file} n’est pas un mbox : il ne commence pas par une ligne From.`,
      })
    for (let at = 0; at < pages.size; ) {
      const start = pages.after(at)
      const body = headerEnd(pages, start)
      const header = pages.bytes(start, body - start).toString('latin1')
      const byLength = endByLength(pages, header, body)
      const next = nextMessage(pages, byLength ?? body)
      const end = byLength ?? next
      const status = readStatus(header)
      const size = end - start
      const where = `${file}, byte ${at}`
      if (!status.skip)
        yield {
          where,
          ...(status.uid === undefined ? {} : { uid: status.uid }),
          flags: status.flags,
          keywords: status.keywords,
          received: fromLineDate(pages.line(at)),
          weight: next - at,
          async read() {
            if (size > MAX_MAIL_BYTES) throw new TransferError(tooManyBytes(size))
            return mailBytes(Buffer.from(pages.bytes(start, size)), status, quoting, byLength !== undefined)
          },
        }
      at = next
    }
  } finally {
    closeSync(fd)
  }
}
