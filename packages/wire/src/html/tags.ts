import { decodeEntities } from '../mime/index.ts'
import { MAX_ATTRIBUTE, MAX_ATTRIBUTES, MAX_DATA_URL } from './limits.ts'

/** A tag as §13.2.5 reads it. */
export interface Tag {
  readonly name: string
  readonly attributes: readonly (readonly [name: string, value: string])[]
  readonly selfClosing: boolean
  /** Behind its `>`. */
  readonly end: number
}

const SLASH = 0x2f
const GREATER = 0x3e
const EQUALS = 0x3d
const QUOTE = 0x22
const APOSTROPHE = 0x27
const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d && code !== 0x0b)
export const isLetter = (code: number): boolean => (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a)

/** Character references in an attribute: §13.2.5.73. A name without `;` before `=` or a letter is part of an address. */
const decodeAttribute = (text: string): string =>
  text.includes('&')
    ? text.replace(
        /&(?:#\d{1,10};?|#x[\da-f]{1,10};?|[a-z][a-z\d]{1,9};|(?:amp|lt|gt|quot|nbsp)(?![=a-z\d]))/gi,
        decodeEntities,
      )
    : text

/**
 * The tag whose name begins at `start`. Undefined when the text ends inside of it: such a tag is none (eof-in-tag). Of an attribute that is
 * there twice the first counts. Linear: no character is looked at twice.
 */
export function readTag(html: string, start: number): Tag | undefined {
  const { length } = html
  let at = start
  while (at < length) {
    const code = html.charCodeAt(at)
    if (isSpace(code) || code === SLASH || code === GREATER) break
    at++
  }
  const name = at - start > 40 ? '' : html.slice(start, at).toLowerCase()
  const attributes: (readonly [string, string])[] = []
  let selfClosing = false
  while (at < length) {
    const code = html.charCodeAt(at)
    if (code === GREATER) return { name, attributes, selfClosing, end: at + 1 }
    selfClosing = false
    if (isSpace(code)) {
      at++
    } else if (code === SLASH) {
      selfClosing = true
      at++
      // Only a slash right before the end closes.
      if (html.charCodeAt(at) !== GREATER) selfClosing = false
    } else {
      const nameStart = at++
      while (at < length) {
        const one = html.charCodeAt(at)
        if (isSpace(one) || one === SLASH || one === GREATER || one === EQUALS) break
        at++
      }
      const nameEnd = at
      while (at < length && isSpace(html.charCodeAt(at))) at++
      let value = ''
      if (html.charCodeAt(at) === EQUALS) {
        at++
        while (at < length && isSpace(html.charCodeAt(at))) at++
        const quote = html.charCodeAt(at)
        let valueStart = at
        if (quote === QUOTE || quote === APOSTROPHE) {
          valueStart = ++at
          at = html.indexOf(quote === QUOTE ? '"' : "'", at)
          if (at < 0) return undefined
          value = sliceOf(html, valueStart, at++)
        } else {
          while (at < length) {
            const one = html.charCodeAt(at)
            if (isSpace(one) || one === GREATER) break
            at++
          }
          value = sliceOf(html, valueStart, at)
        }
      }
      if (nameEnd - nameStart <= 40 && attributes.length < MAX_ATTRIBUTES) {
        const key = html.slice(nameStart, nameEnd).toLowerCase()
        if (!attributes.some(([one]) => one === key)) attributes.push([key, decodeAttribute(value)])
      }
    }
  }
  return undefined
}

/** Long ones are pictures (`data:`) or nothing at all. */
const sliceOf = (html: string, start: number, end: number): string =>
  end - start <= MAX_ATTRIBUTE ||
  (end - start <= MAX_DATA_URL && /^\s{0,8}data:image\//i.test(html.slice(start, start + 24)))
    ? html.slice(start, end)
    : ''
