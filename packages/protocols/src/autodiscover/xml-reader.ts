/** An element of a request: names with their namespace, text of itself joined. */
export interface XmlElement {
  readonly namespace: string
  readonly name: string
  readonly children: readonly XmlElement[]
  readonly text: string
}

/** The bytes are no XML that we take. */
export class XmlError extends Error {
  override readonly name = 'XmlError'
}

export const MAX_XML_BYTES = 65_536
export const MAX_XML_DEPTH = 16
export const MAX_XML_ELEMENTS = 500
const MAX_ATTRIBUTES = 32

const NAME = /[A-Za-z_\u0080-\uffff][\w.\-\u0080-\uffff]*(?::[A-Za-z_\u0080-\uffff][\w.\-\u0080-\uffff]*)?/y
const SPACE = /[ \t\r\n]*/y
const ENTITIES = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
])

/** UTF-8, or UTF-16 with a byte order mark (XML 1.0 §4.3.3). Throws XmlError. */
function decode(bytes: Uint8Array): string {
  const utf16 =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : undefined
  try {
    return new TextDecoder(utf16 ?? 'utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new XmlError('the text is not in UTF-8')
  }
}

/**
 * Reads a small document (XML 1.0, namespaces): no DTD, no entities of its own, within the limits above, in linear time. Throws XmlError
 * and nothing else.
 */
export function readXml(bytes: Uint8Array): XmlElement {
  if (bytes.length > MAX_XML_BYTES) throw new XmlError('the document is too large')
  return new Reader(decode(bytes)).document()
}

type Names = ReadonlyMap<string, string>

class Reader {
  readonly #text: string
  #at = 0
  #elements = 0
  constructor(text: string) {
    this.#text = text
  }

  document(): XmlElement {
    this.#misc()
    const root = this.#element(0, new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]))
    this.#misc()
    if (this.#at < this.#text.length) throw new XmlError('there is more after the root element')
    return root
  }

  /** Space, comments and processing instructions, around the root element. */
  #misc(): void {
    for (;;) {
      this.#skip(SPACE)
      if (this.#text.startsWith('<?', this.#at)) this.#past('?>')
      else if (this.#text.startsWith('<!--', this.#at)) this.#past('-->')
      else if (this.#text.startsWith('<!', this.#at)) throw new XmlError('a DTD is not allowed')
      else return
    }
  }

  #element(depth: number, outer: Names): XmlElement {
    if (depth >= MAX_XML_DEPTH) throw new XmlError('nested too deeply')
    if (++this.#elements > MAX_XML_ELEMENTS) throw new XmlError('too many elements')
    this.#expect('<')
    const tag = this.#name()
    const { names, empty } = this.#attributes(outer)
    const { namespace, name } = resolve(tag, names)
    if (empty) return { namespace, name, children: [], text: '' }
    const children: XmlElement[] = []
    let text = ''
    for (;;) {
      const next = this.#text.indexOf('<', this.#at)
      if (next === -1) throw new XmlError(`<${tag}> is not closed`)
      text += unescaped(this.#text.slice(this.#at, next))
      this.#at = next
      if (this.#text.startsWith('</', next)) break
      if (this.#text.startsWith('<!--', next)) this.#past('-->')
      else if (this.#text.startsWith('<![CDATA[', next)) text += this.#past(']]>').slice('<![CDATA['.length)
      else if (this.#text.startsWith('<!', next)) throw new XmlError('a DTD is not allowed')
      else if (this.#text.startsWith('<?', next)) this.#past('?>')
      else children.push(this.#element(depth + 1, names))
    }
    this.#at += 2
    if (this.#name() !== tag) throw new XmlError(`<${tag}> is closed by another name`)
    this.#skip(SPACE)
    this.#expect('>')
    return { namespace, name, children, text }
  }

  #attributes(outer: Names): { names: Names; empty: boolean } {
    let names = outer
    for (let count = 0; ; count++) {
      if (count > MAX_ATTRIBUTES) throw new XmlError('too many attributes')
      const spaced = this.#skip(SPACE) > 0
      if (this.#text.startsWith('/>', this.#at)) {
        this.#at += 2
        return { names, empty: true }
      }
      if (this.#text[this.#at] === '>') {
        this.#at++
        return { names, empty: false }
      }
      if (!spaced) throw new XmlError('a space is missing in a tag')
      const attribute = this.#name()
      this.#skip(SPACE)
      this.#expect('=')
      this.#skip(SPACE)
      const quote = this.#text[this.#at]
      if (quote !== '"' && quote !== "'") throw new XmlError('an attribute value has no quotes')
      const end = this.#text.indexOf(quote, this.#at + 1)
      if (end === -1) throw new XmlError('an attribute value is not closed')
      const raw = this.#text.slice(this.#at + 1, end)
      if (raw.includes('<')) throw new XmlError('< in an attribute value')
      this.#at = end + 1
      if (attribute === 'xmlns') names = new Map([...names, ['', unescaped(raw)]])
      else if (attribute.startsWith('xmlns:')) names = new Map([...names, [attribute.slice(6), unescaped(raw)]])
    }
  }

  #name(): string {
    NAME.lastIndex = this.#at
    const match = NAME.exec(this.#text)
    if (match === null) throw new XmlError('a name is missing')
    this.#at += match[0].length
    return match[0]
  }
  #skip(pattern: RegExp): number {
    pattern.lastIndex = this.#at
    const length = pattern.exec(this.#text)?.[0].length ?? 0
    this.#at += length
    return length
  }
  #expect(char: string): void {
    if (this.#text[this.#at] !== char) throw new XmlError(`${char} is missing`)
    this.#at++
  }
  /** Goes past the next `mark`; answers what was before it. */
  #past(mark: string): string {
    const end = this.#text.indexOf(mark, this.#at)
    if (end === -1) throw new XmlError(`${mark} is missing`)
    const before = this.#text.slice(this.#at, end)
    this.#at = end + mark.length
    return before
  }
}

function resolve(tag: string, names: Names): { namespace: string; name: string } {
  const colon = tag.indexOf(':')
  const prefix = colon === -1 ? '' : tag.slice(0, colon)
  const namespace = names.get(prefix)
  if (namespace === undefined && prefix !== '') throw new XmlError(`the prefix ${prefix} is not declared`)
  return { namespace: namespace ?? '', name: tag.slice(colon + 1) }
}

function unescaped(raw: string): string {
  if (!raw.includes('&')) return raw
  return raw.replace(/&([^;&]{0,10})(;?)/g, (_whole, name: string, end: string) => {
    const number = /^#(?:x([\da-fA-F]{1,6})|(\d{1,7}))$/.exec(name)
    const code =
      number === null ? Number.NaN : Number.parseInt(number[1] ?? number[2] ?? '', number[1] === undefined ? 10 : 16)
    const value =
      number === null ? ENTITIES.get(name) : code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined
    if (value === undefined || end === '') throw new XmlError('an entity that is not allowed')
    return value
  })
}
