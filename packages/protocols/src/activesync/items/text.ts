/** The readable body of an item as plain text and as HTML, each made of the other where the mail has only one. */
import { Pid, type PropertyBag } from '@postrider/domain'
import { htmlToText, type MessageBodies, textToHtml } from '@postrider/wire/mime'
import type { Original } from './original.ts'

/** PidTagHtml: [MS-OXCMSG] §2.2.1.56.9. Items that property protocols made have it instead of a MIME part. */
const TAG_HTML = 0x1013_0102

/** airsyncbase:Type and NativeBodyType: [MS-ASAIRS] §2.2.2.41, §2.2.2.32. */
export const BodyType = { plain: 1, html: 2, rtf: 3, mime: 4 } as const
export type TextType = typeof BodyType.plain | typeof BodyType.html

/**
 * Encoded bytes of a body that are converted whole to know its size; of a longer one only as much as the client wants is
 * read, and its size is estimated: the conversion of one hostile mail must not hold up everybody else.
 */
export const MAX_EXACT = 1024 * 1024

/** A body, or the beginning of one. */
export interface BodyPiece {
  readonly text: string
  /** Bytes of the whole in UTF-8; an estimate where `text` is only the beginning. */
  readonly size: number
}

/** Line ends as mail has them. */
export const crlf = (text: string): string => (text.includes('\n') ? text.replace(/\r?\n/g, '\r\n') : text)

export class BodyText {
  readonly #original: Original
  readonly #props: PropertyBag | undefined
  readonly #texts = new Map<TextType, Promise<string>>()

  constructor(original: Original, props: PropertyBag | undefined) {
    this.#original = original
    this.#props = props
  }

  /** The form the body is stored in. */
  async native(): Promise<TextType> {
    if (!this.#original.exists) return this.#props?.has(TAG_HTML) ? BodyType.html : BodyType.plain
    return (await this.#original.bodies()).html === undefined ? BodyType.plain : BodyType.html
  }

  /** The whole body in the form asked for; '' for a mail without one. */
  as(type: TextType): Promise<string> {
    let text = this.#texts.get(type)
    if (text === undefined) {
      text = type === BodyType.html ? this.#html() : this.#plain()
      this.#texts.set(type, text)
    }
    return text
  }

  /**
   * As much of the body as `bytes` need, at least; all of it for bodies of ordinary size. [MS-ASAIRS] §2.2.2.23: the size is an
   * estimate.
   */
  async head(type: TextType, bytes: number | undefined): Promise<BodyPiece> {
    const bodies = this.#original.exists ? await this.#original.bodies() : undefined
    const part = type === BodyType.html ? (bodies?.html ?? bodies?.text) : (bodies?.text ?? bodies?.html)
    const encoded = part === undefined ? 0 : part.bodyEnd - part.bodyStart
    if (part === undefined || bytes === undefined || encoded <= MAX_EXACT || bytes >= encoded) {
      const text = await this.as(type)
      return { text, size: Buffer.byteLength(text, 'utf8') }
    }
    // An HTML document may begin with long styles; a text takes what it takes.
    const source = await this.#original.text(part, part.subtype === 'html' ? bytes * 4 + MAX_EXACT / 8 : bytes)
    const isHtml = part.subtype === 'html'
    const text =
      type === BodyType.html
        ? isHtml
          ? source
          : textToHtml(source)
        : crlf(isHtml ? htmlToText(source, { max: bytes }) : source)
    const size = part.encoding === 'base64' ? Math.floor((encoded * 3) / 4) : encoded
    return { text, size: Math.max(size, Buffer.byteLength(text, 'utf8') + 1) }
  }

  async #plain(): Promise<string> {
    if (!this.#original.exists) return crlf(this.#ownText() ?? htmlToText(this.#ownHtml() ?? ''))
    const bodies = await this.#original.bodies()
    const first =
      bodies.text !== undefined
        ? await this.#original.text(bodies.text)
        : bodies.html !== undefined
          ? htmlToText(await this.#original.text(bodies.html))
          : ''
    return crlf([first, ...(await this.#more(bodies, BodyType.plain))].join('\n'))
  }

  async #html(): Promise<string> {
    if (!this.#original.exists) {
      const html = this.#ownHtml()
      if (html !== undefined) return html
      const text = this.#ownText()
      return text === undefined || text === '' ? '' : textToHtml(text)
    }
    const bodies = await this.#original.bodies()
    if (bodies.html !== undefined) {
      const html = await this.#original.text(bodies.html)
      return appendToBody(html, await this.#more(bodies, BodyType.html))
    }
    const text = await this.#plain()
    return text === '' ? '' : textToHtml(text)
  }

  /** The texts that follow the body, each in the form asked for. */
  #more(bodies: MessageBodies, type: TextType): Promise<string[]> {
    return Promise.all(
      bodies.more.map(async (part) => {
        const text = await this.#original.text(part)
        if (type === BodyType.plain) return part.subtype === 'html' ? htmlToText(text) : text
        return part.subtype === 'html' ? bodyOf(text) : bodyOf(textToHtml(text))
      }),
    )
  }

  #ownText(): string | undefined {
    const value = this.#props?.get(Pid.TagBody)
    return typeof value === 'string' ? value : undefined
  }

  #ownHtml(): string | undefined {
    const value = this.#props?.get(TAG_HTML)
    return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : undefined
  }
}

/** What stands between <body> and </body>; everything where there are no such tags. */
export function bodyOf(html: string): string {
  const open = /<body(?:\s[^>]*)?>/i.exec(html)
  const start = open === null ? 0 : open.index + open[0].length
  const end = html.toLowerCase().lastIndexOf('</body')
  return html.slice(start, end < start ? undefined : end)
}

/** Puts fragments at the end of an HTML document's body. */
export function appendToBody(html: string, fragments: readonly string[]): string {
  if (fragments.length === 0) return html
  const added = fragments.map((fragment) => `<br>\r\n${fragment}`).join('')
  const end = html.toLowerCase().lastIndexOf('</body')
  return end < 0 ? html + added : html.slice(0, end) + added + html.slice(end)
}
