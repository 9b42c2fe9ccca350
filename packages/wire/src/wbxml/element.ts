/**
 * The element model: a tag and its children, nothing else. Text is a string, a byte array (OPAQUE) a Uint8Array.
 * The helpers read and build elements; they never throw on what a client sent.
 */
import type { Tag } from './tags.ts'

export type Content = Element | string | Uint8Array

export interface Element {
  readonly tag: Tag
  readonly children: readonly Content[]
}

/** What {@link el} accepts as children: numbers and booleans become text, `undefined` and `false` disappear. */
export type Child = Content | number | bigint | undefined | false | readonly Child[]

/** Builds an element. Numbers become decimal text; `undefined`, `false` and nested arrays make optional parts easy. */
export function el(tag: Tag, ...content: readonly Child[]): Element {
  const children: Content[] = []
  append(children, content)
  return { tag, children }
}

function append(children: Content[], content: readonly Child[]): void {
  for (const child of content) {
    if (child === undefined || child === false) continue
    if (Array.isArray(child)) append(children, child as readonly Child[])
    else if (typeof child === 'number' || typeof child === 'bigint') children.push(String(child))
    else if (child !== '') children.push(child as Content)
  }
}

/** True for an element, false for text and bytes. */
export function isElement(content: Content): content is Element {
  return typeof content === 'object' && !(content instanceof Uint8Array)
}

/** The first child element with this tag. */
export function child(element: Element | undefined, tag: Tag): Element | undefined {
  if (element === undefined) return undefined
  for (const content of element.children) if (isElement(content) && content.tag === tag) return content
  return undefined
}

/** All child elements, or all with this tag, in their order. */
export function children(element: Element | undefined, tag?: Tag): Element[] {
  const found: Element[] = []
  if (element === undefined) return found
  for (const content of element.children) {
    if (isElement(content) && (tag === undefined || content.tag === tag)) found.push(content)
  }
  return found
}

/** True when a child element with this tag exists. */
export function has(element: Element | undefined, tag: Tag): boolean {
  return child(element, tag) !== undefined
}

/** The text inside an element itself: strings joined, byte arrays read as UTF-8. */
export function ownText(element: Element): string {
  const { children } = element
  if (children.length === 1 && typeof children[0] === 'string') return children[0]
  let text = ''
  for (const content of children) {
    if (typeof content === 'string') text += content
    else if (content instanceof Uint8Array) text += asBuffer(content).toString('utf8')
  }
  return text
}

/** The text of the first child with this tag; undefined without such a child, '' for an empty one. */
export function text(element: Element | undefined, tag: Tag): string | undefined {
  const found = child(element, tag)
  return found === undefined ? undefined : ownText(found)
}

/** The bytes inside an element itself, whether it came as OPAQUE or as text. */
export function ownBytes(element: Element): Uint8Array {
  const parts: Uint8Array[] = []
  for (const content of element.children) {
    if (typeof content === 'string') parts.push(Buffer.from(content, 'utf8'))
    else if (content instanceof Uint8Array) parts.push(content)
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

/** The bytes of the first child with this tag. */
export function bytes(element: Element | undefined, tag: Tag): Uint8Array | undefined {
  const found = child(element, tag)
  return found === undefined ? undefined : ownBytes(found)
}

/**
 * The integer in the first child with this tag: undefined without such a child, NaN where the text is not a plain
 * decimal integer of at most ten digits, so that a caller can tell "absent" from "wrong".
 */
export function integer(element: Element | undefined, tag: Tag): number | undefined {
  const value = text(element, tag)
  if (value === undefined) return undefined
  return /^\s*-?\d{1,10}\s*$/.test(value) ? Number(value) : Number.NaN
}

/**
 * A boolean child: `1` and `true` (and an empty tag, as [MS-ASCMD] §2.2.3.79 wants for GetChanges) are true, `0` and
 * `false` false, anything else and a missing child undefined.
 */
export function flag(element: Element | undefined, tag: Tag): boolean | undefined {
  const value = text(element, tag)?.trim().toLowerCase()
  if (value === '1' || value === 'true' || value === '') return true
  return value === '0' || value === 'false' ? false : undefined
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
