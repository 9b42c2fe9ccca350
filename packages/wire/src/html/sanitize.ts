import { escapeHtml } from '../mime/index.ts'
import { cleanAttribute, cleanLink, cleanNames, cleanStyle, dataPicture, webAddress } from './attributes.ts'
import { cleanSheet } from './css.ts'
import { CELLS, DROPPED, ENDS, ENDS_PARAGRAPH, FOREIGN, KEPT, RAW, TABLE_PARTS, VOID } from './elements.ts'
import { MAX_DEPTH, MAX_HTML, MAX_REMOTE, MAX_RULES, MAX_STYLE_SHEETS } from './limits.ts'
import { isLetter, readTag, type Tag } from './tags.ts'

export interface SanitizeOptions {
  /** Where a picture of the mail itself (`cid:`, RFC 2392) is found; undefined: nowhere. */
  readonly cid?: (id: string) => string | undefined
  /** Where a remote picture may be had: an address of our own. Undefined for all: remote pictures are blocked. */
  readonly remote?: (url: string) => string | undefined
  /** Keep style sheets and style attributes. Default true. */
  readonly styles?: boolean
  /** Keep pictures. Default true. */
  readonly pictures?: boolean
}

export interface Sanitized {
  /** A fragment inside of one `<div class="pr-mail">`, for a document or a frame of ours. */
  readonly html: string
  /** Remote pictures it has, shown or not. */
  readonly remote: number
  /** Remote pictures that were left out: each is `class="pr-blocked"`. */
  readonly blocked: number
  /** It has a history of earlier mails: each is `class="pr-quote"`. */
  readonly quoted: boolean
  /** Something went beyond a limit and is missing. */
  readonly cut: boolean
}

/** Before every class and id of a mail. */
const PREFIX = 'm-'
const SCOPE = '.pr-mail'
const QUOTE_NAMES =
  /(?:^|\s)(?:gmail_quote|gmail_quote_container|yahoo_quoted|protonmail_quote|tutanota_quote|moz-cite-prefix|divRplyFwdMsg|appendonsend|OLK_SRC_BODY_SECTION|zmail_extra|reply-intro|mail-quote)(?:\s|$)/i
/** The line Outlook draws above an earlier mail. */
const OUTLOOK_LINE = /border-top:\s*solid\s+#(?:e1e1e1|b5c4df)/i
const CONTROLS = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g

/**
 * HTML of a mail made safe. One pass of the tokenizer of §13.2.5, an allow-list, and everything written anew: known elements, known
 * attributes with checked values in double quotes, ends that match their starts. What comes out has no element whose content is parsed by
 * other rules (raw text, foreign content, templates, selects) and no comment, so no browser can read anything else into it: how the
 * input would have been parsed decides what is shown, never what is safe. Linear in its length; never throws.
 */
export function sanitizeHtml(input: string, options: SanitizeOptions = {}): Sanitized {
  return new Sanitizer(input, options).run()
}

/** Most values have nothing to escape. */
const escaped = (text: string): string => (/[&<>"]/.test(text) ? escapeHtml(text) : text)

class Sanitizer {
  readonly #html: string
  readonly #options: SanitizeOptions
  readonly #out: string[] = []
  readonly #open: string[] = []
  readonly #openCount = new Map<string, number>()
  readonly #sheets: string[] = []
  #sheetSize = 0
  #rulesLeft = MAX_RULES
  #remote = 0
  #blocked = 0
  #quoted = false
  #cut: boolean
  #body: string | undefined
  /** No end tag of that name comes any more: looking again would make many small raw elements cost their square. */
  readonly #noEnd = new Set<string>()
  /** End tags that found a cell in their way since the open elements last changed. */
  readonly #futile = new Set<string>()

  constructor(input: string, options: SanitizeOptions) {
    this.#cut = input.length > MAX_HTML
    this.#html = this.#cut ? input.slice(0, MAX_HTML) : input
    this.#options = options
  }

  run(): Sanitized {
    const html = this.#html
    let at = 0
    while (at < html.length) {
      const open = html.indexOf('<', at)
      if (open < 0) {
        this.#text(html.slice(at))
        break
      }
      if (open > at) this.#text(html.slice(at, open))
      at = this.#markup(open)
    }
    while (this.#open.length > 0) this.#pop()
    const sheet = this.#sheets.length === 0 ? '' : `<style>${this.#sheets.join('\n')}</style>`
    const body = this.#body === undefined ? '' : ` style="${escaped(this.#body)}"`
    return {
      html: `<div class="pr-mail"${body}>${sheet}${this.#out.join('')}</div>`,
      remote: this.#remote,
      blocked: this.#blocked,
      quoted: this.#quoted,
      cut: this.#cut,
    }
  }

  /** Character references stay as they are written: as text they are text. */
  #text(text: string): void {
    this.#out.push(
      text.includes('>') ? text.replaceAll('>', '&gt;').replace(CONTROLS, '\ufffd') : text.replace(CONTROLS, '\ufffd'),
    )
  }

  /** What begins with the `<` at `open`; answers where to go on. */
  #markup(open: number): number {
    const html = this.#html
    const next = html.charCodeAt(open + 1)
    if (isLetter(next)) {
      const tag = readTag(html, open + 1)
      return tag === undefined ? html.length : this.#start(tag)
    }
    if (next === 0x2f) {
      const after = html.charCodeAt(open + 2)
      if (isLetter(after)) {
        const tag = readTag(html, open + 2)
        if (tag === undefined) return html.length
        this.#end(tag.name)
        return tag.end
      }
      // `</>` is nothing, `</` and anything else a comment to the next `>`.
      return Number.isNaN(after) ? this.#less(open) : this.#behind('>', open + 2)
    }
    if (next === 0x21) {
      if (!html.startsWith('<!--', open)) return this.#behind('>', open + 2)
      if (html.startsWith('<!-->', open)) return open + 5
      if (html.startsWith('<!--->', open)) return open + 6
      return this.#comment(open + 4)
    }
    if (next === 0x3f) return this.#behind('>', open + 2)
    return this.#less(open)
  }
  #less(open: number): number {
    this.#out.push('&lt;')
    return open + 1
  }
  #behind(sign: string, from: number): number {
    const at = this.#html.indexOf(sign, from)
    return at < 0 ? this.#html.length : at + sign.length
  }
  /** §13.2.5.51: `-->` or `--!>`. */
  #comment(from: number): number {
    for (let at = this.#html.indexOf('--', from); at >= 0; at = this.#html.indexOf('--', at + 1)) {
      if (this.#html[at + 2] === '>') return at + 3
      if (this.#html[at + 2] === '!' && this.#html[at + 3] === '>') return at + 4
    }
    return this.#html.length
  }

  #start(tag: Tag): number {
    const { name, end } = tag
    if (RAW.has(name)) return this.#raw(name, end)
    if (DROPPED.has(name)) return FOREIGN.has(name) && tag.selfClosing ? end : this.#drop(name, end)
    if (name === 'body') this.#bodyOf(tag)
    else if (KEPT.has(name)) this.#keep(tag)
    return end
  }

  /** Behind an element whose content is raw text. */
  #raw(name: string, from: number): number {
    if (name === 'plaintext' || this.#noEnd.has(name)) return this.#html.length
    const pattern = new RegExp(`</${name}(?=[\\s/>])`, 'gi')
    pattern.lastIndex = from
    const found = pattern.exec(this.#html)
    if (found === null) {
      this.#noEnd.add(name)
      if (name === 'style') this.#sheet(this.#html.slice(from))
      return this.#html.length
    }
    if (name === 'style') this.#sheet(this.#html.slice(from, found.index))
    return readTag(this.#html, found.index + 2)?.end ?? this.#html.length
  }

  /** Behind an element that goes with all it has inside: tags of the same name count, raw text does not. */
  #drop(name: string, from: number): number {
    const pattern = /<(\/?)([a-z][^\s/>]{0,39})/gi
    pattern.lastIndex = from
    let depth = 1
    for (let found = pattern.exec(this.#html); found !== null; found = pattern.exec(this.#html)) {
      const other = (found[2] ?? '').toLowerCase()
      const isEnd = found[1] === '/'
      if (other !== name && (isEnd || !RAW.has(other))) continue
      const tag = readTag(this.#html, found.index + 1 + (isEnd ? 1 : 0))
      if (tag === undefined) return this.#html.length
      pattern.lastIndex = tag.end
      if (other !== name) {
        if (!FOREIGN.has(name)) pattern.lastIndex = this.#rawEnd(other, tag.end)
      } else if (isEnd) {
        if (--depth === 0) return tag.end
      } else if (!(FOREIGN.has(name) && tag.selfClosing)) depth++
    }
    return this.#html.length
  }
  #rawEnd(name: string, from: number): number {
    const sheets = this.#sheets.length
    const end = this.#raw(name, from)
    this.#sheets.length = sheets
    return end
  }

  #sheet(css: string): void {
    if (this.#options.styles === false) return
    this.#sheetSize += css.length
    if (this.#sheetSize > MAX_STYLE_SHEETS || this.#rulesLeft <= 0) {
      this.#cut = true
      return
    }
    const sheet = cleanSheet(css, SCOPE, PREFIX, this.#rulesLeft)
    this.#rulesLeft -= sheet.rules
    if (sheet.css !== '') this.#sheets.push(sheet.css.replaceAll('<', ''))
  }

  /** Colours of the page become those of the box around the mail. */
  #bodyOf({ attributes }: Tag): void {
    if (this.#body !== undefined || this.#options.styles === false) return
    const parts: string[] = []
    for (const [name, value] of attributes) {
      const color = name === 'bgcolor' || name === 'text' ? cleanAttribute('font', 'color', value) : undefined
      if (color !== undefined) parts.push(`${name === 'text' ? 'color' : 'background-color'}:${color}`)
      if (name === 'style') parts.push(cleanStyle(value) ?? '')
    }
    const style = parts.filter((one) => one !== '').join(';')
    if (style !== '') this.#body = style
  }

  #keep(tag: Tag): void {
    const { name } = tag
    if (name === 'img') {
      this.#picture(tag)
      return
    }
    this.#endImplied(name)
    if (!VOID.has(name)) {
      if (this.#open.length >= MAX_DEPTH) {
        this.#cut = true
        return
      }
      this.#futile.clear()
      this.#open.push(name)
      this.#openCount.set(name, (this.#openCount.get(name) ?? 0) + 1)
    }
    this.#out.push(`<${name}${this.#attributes(tag)}>`)
  }

  /** What this start tag ends without saying so. */
  #endImplied(name: string): void {
    if (ENDS_PARAGRAPH.has(name) && this.#open.at(-1) === 'p') this.#pop()
    const rule = ENDS.get(name)
    if (rule === undefined) return
    let found = -1
    for (let at = this.#open.length - 1; at >= 0; at--) {
      const one = this.#open[at]!
      if (rule.open.has(one)) found = at
      else if (rule.barrier.has(one)) break
    }
    if (found >= 0) while (this.#open.length > found) this.#pop()
  }

  #end(name: string): void {
    // `</br>` is a break and `</p>` without a start an empty paragraph: §13.2.6.4.7.
    if (name === 'br') this.#out.push('<br>')
    if ((this.#openCount.get(name) ?? 0) === 0 || this.#futile.has(name)) return
    const isPart = TABLE_PARTS.has(name)
    for (let at = this.#open.length - 1; at >= 0; at--) {
      const one = this.#open[at]!
      if (one === name) {
        while (this.#open.length > at) this.#pop()
        return
      }
      if (isPart ? one === 'table' : CELLS.has(one)) {
        this.#futile.add(name)
        return
      }
    }
  }

  #pop(): void {
    const name = this.#open.pop()
    if (name === undefined) return
    this.#futile.clear()
    this.#openCount.set(name, (this.#openCount.get(name) ?? 1) - 1)
    this.#out.push(`</${name}>`)
  }

  #attributes({ name, attributes }: Tag): string {
    let out = ''
    const classes: string[] = []
    const { styles = true } = this.#options
    const isBlock = name === 'blockquote' || name === 'div' || name === 'section' || name === 'table'
    let quote = false
    for (const [key, value] of attributes) {
      if (key === 'href' && name === 'a') out += this.#link(value)
      else if (key === 'style') {
        quote ||= name === 'div' && OUTLOOK_LINE.test(value)
        const style = styles ? cleanStyle(value) : undefined
        if (style !== undefined) out += ` style="${escaped(style)}"`
      } else if (key === 'class' || key === 'id' || (key === 'name' && name === 'a')) {
        quote ||= isBlock && QUOTE_NAMES.test(value)
        const found = cleanNames(value, PREFIX, key === 'class' ? 20 : 1)
        if (found === undefined) continue
        if (key === 'class') classes.push(found)
        else out += ` ${key}="${found}"`
      } else if (key === 'background' && isBackground(name)) out += this.#background(value)
      else if (key === 'type' && name === 'blockquote') quote ||= /^\s*cite\s*$/i.test(value)
      else {
        const kept = cleanAttribute(name, key, value)
        if (kept !== undefined) out += ` ${key}="${escaped(kept.replace(CONTROLS, ' '))}"`
      }
    }
    if (quote) {
      this.#quoted = true
      classes.push('pr-quote')
    }
    return classes.length === 0 ? out : `${out} class="${classes.join(' ')}"`
  }

  #link(value: string): string {
    const inside = /^\s*#([A-Za-z_][\w-]{0,63})\s*$/.exec(value)?.[1]
    if (inside !== undefined) return ` href="#${PREFIX}${inside}"`
    const link = cleanLink(value)
    return link === undefined ? '' : ` href="${escaped(link)}" target="_blank" rel="noopener noreferrer nofollow"`
  }

  /** Where a remote picture is to be had, undefined when it is blocked. */
  #remoteAddress(value: string): string | undefined {
    const address = webAddress(value)
    if (address === undefined) return undefined
    this.#remote++
    if (this.#remote > MAX_REMOTE) this.#cut = true
    else {
      const ours = this.#options.remote?.(address)
      if (ours !== undefined) return ours
    }
    this.#blocked++
    return undefined
  }

  #background(value: string): string {
    if (this.#options.pictures === false) return ''
    const address = this.#remoteAddress(value)
    return address === undefined ? '' : ` background="${escaped(address)}"`
  }

  #picture(tag: Tag): void {
    const value = tag.attributes.find(([key]) => key === 'src')?.[1] ?? ''
    const attributes = this.#attributes(tag)
    const alt = tag.attributes.some(([key]) => key === 'alt') ? '' : ' alt=""'
    if (this.#options.pictures === false) {
      const text = tag.attributes.find(([key]) => key === 'alt')?.[1].trim() ?? ''
      if (text !== '') this.#out.push(`[${escaped(text.slice(0, 1_000).replace(CONTROLS, ' '))}]`)
      return
    }
    const cid = /^\s*cid:(.+)$/is.exec(value)?.[1]
    if (cid !== undefined) {
      const address = this.#options.cid?.(decodeCid(cid))
      if (address !== undefined) this.#out.push(`<img${attributes}${alt} src="${escaped(address)}">`)
      return
    }
    const data = dataPicture(value)
    if (data !== undefined) {
      this.#out.push(`<img${attributes}${alt} src="${data}">`)
      return
    }
    const before = this.#blocked
    const address = this.#remoteAddress(value)
    if (address !== undefined) this.#out.push(`<img${attributes}${alt} src="${escaped(address)}" loading="lazy">`)
    else if (this.#blocked > before) {
      const marked = attributes.includes(' class="')
        ? attributes.replace(' class="', ' class="pr-blocked ')
        : `${attributes} class="pr-blocked"`
      this.#out.push(`<img${marked}${alt}>`)
    }
  }
}

const isBackground = (name: string): boolean => name === 'table' || name === 'td' || name === 'th' || name === 'tr'

function decodeCid(text: string): string {
  const id = text.trim().replace(/^<|>$/g, '')
  try {
    return decodeURIComponent(id)
  } catch {
    return id
  }
}
