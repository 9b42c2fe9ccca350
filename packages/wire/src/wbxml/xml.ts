/** The XML a document stands for: for schema validation, comparison with other programs, and logs that may show content. */
import { type Content, type Element, isElement } from './element.ts'
import { wireText } from './encode.ts'
import { type Namespace, type Tag, tagEntry } from './tags.ts'

export interface XmlOptions {
  /** Replaces text by its length (`…12`), so that a log carries no content: everywhere, or in the elements it says yes to. */
  readonly redact?: boolean | ((tag: Tag) => boolean)
  /** Byte arrays as base64 (the default, as libwbxml does) or as UTF-8 text. */
  readonly opaque?: 'base64' | 'text'
}

/**
 * Writes a document as XML 1.0: the root's namespace is the default one, other namespaces get `a17:`-like prefixes made
 * of their page number, declared on the root.
 */
export function toXml(root: Element, options: XmlOptions = {}): string {
  const home = tagEntry(root.tag)?.page ?? 0
  const used = new Map<number, Namespace>()
  const out: string[] = []
  write(root, home, used, out, options)
  let declarations = ''
  for (const [page, namespace] of used) {
    declarations += page === home ? ` xmlns="${namespace}"` : ` xmlns:a${page}="${namespace}"`
  }
  // The root's start tag is the first piece; the declarations go before its end.
  out[0] = out[0]!.replace(/\/?>$/, (end) => declarations + end)
  return `<?xml version="1.0" encoding="utf-8"?>${out.join('')}`
}

function write(element: Element, home: number, used: Map<number, Namespace>, out: string[], options: XmlOptions): void {
  const entry = tagEntry(element.tag)
  if (entry === undefined) throw new RangeError(`not a tag: ${element.tag}`)
  used.set(entry.page, entry.namespace)
  const name = entry.page === home ? entry.name : `a${entry.page}:${entry.name}`
  if (element.children.length === 0) {
    out.push(`<${name}/>`)
    return
  }
  out.push(`<${name}>`)
  for (const child of element.children) {
    if (isElement(child)) write(child, home, used, out, options)
    else out.push(escapeXml(plain(child, element.tag, options)))
  }
  out.push(`</${name}>`)
}

function plain(content: Exclude<Content, Element>, tag: Tag, { redact, opaque }: XmlOptions): string {
  if (typeof redact === 'function' ? redact(tag) : redact) return `…${content.length}`
  if (typeof content === 'string') return wireText(content)
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  return opaque === 'text' ? wireText(buffer.toString('utf8')) : buffer.toString('base64')
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' }

function escapeXml(text: string): string {
  return text.replace(/[&<>\r]/g, (character) => escapes[character] ?? character)
}
