import { ENTITIES } from './entities.ts'

/** HTML and plain text into each other. One pass, no recursion, no tree: hostile nesting costs nothing. */

export interface HtmlTextOptions {
  /** Stop when the text has this many characters. */
  readonly max?: number
  /** Write the target of a link behind its text: `text <https://…>`. */
  readonly links?: boolean
}

/** Elements whose content is no text. */
const SKIPPED = new Map(
  ['script', 'style', 'title', 'template', 'noscript', 'iframe', 'object', 'svg', 'select', 'textarea', 'xml'].map(
    (name) => [name, new RegExp(`</${name}(?=[\\s/>])`, 'gi')] as const,
  ),
)

/** Line breaks an element makes at both its ends: 1 a new line, 2 an empty line. */
const BLOCKS: ReadonlyMap<string, number> = new Map([
  ...[
    'div',
    'tr',
    'li',
    'dt',
    'dd',
    'section',
    'article',
    'header',
    'footer',
    'main',
    'nav',
    'aside',
    'address',
    'form',
  ].map((name) => [name, 1] as const),
  ...['center', 'figure', 'figcaption', 'fieldset', 'caption', 'tbody', 'thead', 'option', 'body', 'html', 'hr'].map(
    (name) => [name, 1] as const,
  ),
  ...['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6', 'ul', 'ol', 'dl', 'table', 'blockquote', 'pre'].map(
    (name) => [name, 2] as const,
  ),
])

/** Longest tag name that matters, and most attribute text looked at for one link. */
const MAX_TAG_NAME = 16
const MAX_LINK = 2048

class TextWriter {
  readonly #out: string[] = []
  #size = 0
  #breaks = 0
  #space = false
  pre = 0

  get size(): number {
    return this.#size
  }

  /** Asks for line breaks before the next text; requests do not add up. */
  breakLine(count: number): void {
    if (count > this.#breaks) this.#breaks = count
    this.#space = false
  }

  /** <br>: these do add up. */
  addLine(): void {
    this.#breaks = this.#breaks === 0 || this.#size === 0 ? 1 : Math.min(this.#breaks + 1, 3)
    this.#space = false
  }

  space(): void {
    this.#space = true
  }

  write(text: string): void {
    if (text === '') return
    if (this.pre > 0) {
      this.#push(text.replace(/\r\n?/g, '\n'))
      return
    }
    const collapsed = text.replace(/[ \t\r\n\f]+/g, ' ')
    if (collapsed === ' ') {
      this.#space = true
      return
    }
    if (collapsed.startsWith(' ')) this.#space = true
    const endSpace = collapsed.endsWith(' ')
    this.#push(collapsed.slice(collapsed.startsWith(' ') ? 1 : 0, endSpace ? -1 : undefined))
    if (endSpace) this.#space = true
  }

  #push(text: string): void {
    if (text === '') return
    let lead = ''
    if (this.#size > 0) lead = this.#breaks > 0 ? '\n'.repeat(this.#breaks) : this.#space ? ' ' : ''
    this.#breaks = 0
    this.#space = false
    this.#out.push(lead, text)
    this.#size += lead.length + text.length
  }

  text(): string {
    return this.#out.join('')
  }
}

/**
 * The text of an HTML document as a person would read it: blocks on lines of their own, list items with a bullet, cells separated, entities
 * decoded, scripts and styles dropped. Linear in the input; broken markup gives best effort.
 */
export function htmlToText(html: string, options: HtmlTextOptions = {}): string {
  const max = options.max ?? Number.POSITIVE_INFINITY
  const writer = new TextWriter()
  let link = ''
  let linkStart = 0
  let quotes = true
  let at = 0
  while (at < html.length && writer.size < max) {
    let open = html.indexOf('<', at)
    // A lone "<" is text.
    while (open >= 0 && !opensTag(html, open)) open = html.indexOf('<', open + 1)
    const textEnd = open < 0 ? html.length : open
    if (textEnd > at) writer.write(decodeEntities(html.slice(at, Math.min(textEnd, at + max * 8))))
    if (open < 0) break
    const c = html.charCodeAt(open + 1)
    if (c === 33) {
      const comment = html.startsWith('<!--', open)
      const end = comment ? html.indexOf('-->', open + 4) : html.indexOf('>', open)
      at = end < 0 ? html.length : end + (comment ? 3 : 1)
      continue
    }
    const closing = c === 47
    const nameStart = closing ? open + 2 : open + 1
    let end = quotes ? tagEnd(html, nameStart) : html.indexOf('>', nameStart)
    if (end < 0 && quotes) {
      // An attribute quote that never closes: from here on quotes mean nothing, so that the walk stays linear.
      quotes = false
      end = html.indexOf('>', nameStart)
    }
    if (end < 0) break
    const name = tagName(html, nameStart, end)
    at = end + 1
    const skip = SKIPPED.get(name)
    if (skip !== undefined) {
      if (closing || html.charCodeAt(end - 1) === 47) continue
      skip.lastIndex = at
      const found = skip.exec(html)
      if (found === null) break
      const skipEnd = html.indexOf('>', found.index)
      at = skipEnd < 0 ? html.length : skipEnd + 1
      continue
    }
    const breaks = BLOCKS.get(name)
    if (breaks !== undefined) {
      writer.breakLine(breaks)
      if (name === 'li' && !closing) {
        writer.write('•')
        writer.space()
      } else if (name === 'pre') writer.pre = closing ? Math.max(0, writer.pre - 1) : writer.pre + 1
      continue
    }
    if (name === 'br') writer.addLine()
    else if (name === 'td' || name === 'th') writer.space()
    else if (name === 'a' && options.links === true) {
      if (!closing) {
        link = attribute(html.slice(nameStart, Math.min(end, nameStart + MAX_LINK)), 'href')
        linkStart = at
      } else if (link !== '') {
        const shown = html.slice(linkStart, open).trim()
        if (/^(https?|mailto|ftp):/i.test(link) && shown !== link && shown !== link.replace(/^mailto:/i, '')) {
          writer.space()
          writer.write(`<${link}>`)
        }
        link = ''
      }
    } else if (name === 'img') {
      const alt = attribute(html.slice(nameStart, Math.min(end, nameStart + MAX_LINK)), 'alt')
      if (alt.trim() !== '') writer.write(alt)
    }
  }
  const text = writer.text()
  return text.length > max ? text.slice(0, max) : text
}

/** True if the `<` at `at` starts a tag, an end tag, a comment or a declaration. */
function opensTag(html: string, at: number): boolean {
  const c = html.charCodeAt(at + 1)
  return c === 33 || c === 63 || isLetter(c === 47 ? html.charCodeAt(at + 2) : c)
}

function isLetter(c: number): boolean {
  return (c | 32) >= 97 && (c | 32) <= 122
}

function tagName(html: string, start: number, end: number): string {
  let i = start
  const stop = Math.min(end, start + MAX_TAG_NAME)
  while (i < stop) {
    const c = html.charCodeAt(i)
    if (!isLetter(c) && !(c >= 48 && c <= 57)) break
    i++
  }
  return html.slice(start, i).toLowerCase()
}

/** The `>` that ends a tag, not one inside a quoted attribute; -1 if the text ends first. */
function tagEnd(html: string, start: number): number {
  for (let i = start; i < html.length; i++) {
    const c = html.charCodeAt(i)
    if (c === 62) return i
    // A quote opens a value only behind an equals sign; apostrophes elsewhere are just text.
    if ((c === 34 || c === 39) && html.charCodeAt(i - 1) === 61) {
      i = html.indexOf(c === 34 ? '"' : "'", i + 1)
      if (i < 0) return -1
    }
  }
  return -1
}

function attribute(tag: string, name: string): string {
  const found = new RegExp(`\\s${name}=(?:"([^"]*)"|'([^']*)'|([^\\s>"']+))`, 'i').exec(tag)
  return found === null ? '' : decodeEntities(found[1] ?? found[2] ?? found[3] ?? '').trim()
}

/** Character references of HTML: numbers, and the names mail programs write. Unknown names stay as they are. */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text
  return text.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z][a-z0-9]{1,9}));?/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES.get(name) ?? ENTITIES.get((name as string).toLowerCase()) ?? whole
    const code = decimal !== undefined ? Number(decimal) : Number.parseInt(hex as string, 16)
    if (code === 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return '\ufffd'
    return code === 0xa0 ? ' ' : String.fromCodePoint(code)
  })
}

/** Text as it stands in HTML content or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** Plain text as an HTML document: lines, runs of spaces and web addresses kept. */
export function textToHtml(text: string): string {
  const body: string[] = []
  let done = 0
  for (const match of text.matchAll(/\bhttps?:\/\/[^\s<>"]+/g)) {
    const target = match[0].replace(/[.,;:!?)\]]{1,8}$/, '')
    const escaped = escapeHtml(target)
    body.push(layOut(text.slice(done, match.index)), `<a href="${escaped}">${escaped}</a>`)
    done = match.index + target.length
  }
  body.push(layOut(text.slice(done)))
  return `<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>${body.join('')}</body></html>`
}

function layOut(text: string): string {
  const lines = escapeHtml(text)
    .replace(/\r\n?/g, '\n')
    .replaceAll('\t', '    ')
    .replaceAll('  ', '&nbsp; ')
    .replaceAll('\n ', '\n&nbsp;')
  return lines.replaceAll('\n', '<br>\r\n')
}
