/** The lexical layer of address lists: RFC 5322 §3.2. Quoted text, comments and encoded-words are closed off here, once. */

export type AddressToken =
  | { readonly kind: 'atom' | 'quoted' | 'literal'; readonly text: string; readonly spaced: boolean }
  | { readonly kind: 'comment'; readonly text: string }
  | { readonly kind: '@'; readonly spaced: boolean }
  | { readonly kind: '<' | '>' | ',' | ';' | ':'; readonly spaced: boolean }

/** Characters that end an atom: specials of §3.2.3 except the dot, and white space. Brackets count only behind an at sign. */
const ENDS_ATOM = new Uint8Array(128)
for (const c of ' \t\r\n"(),:;<>@') ENDS_ATOM[c.charCodeAt(0)] = 1

/**
 * An encoded-word, sloppy ones with commas and at signs inside included: it is one atom, so that nothing in it is ever read as syntax.
 * Every repeat is bounded or stops at the next question mark.
 */
const ENCODED_WORD = /=\?[^?\s]{1,60}\?[bq]\?[^?\s<>"]*\?=/iy

/** The tokens of a text in order; one pass. Open quotes and comments end with the text and stay quotes and comments. */
export function* addressTokens(text: string): Generator<AddressToken, void, void> {
  let spaced = false
  let afterAt = false
  let i = 0
  while (i < text.length) {
    const c = text.charCodeAt(i)
    if (c === 32 || c === 9 || c === 10 || c === 13) {
      spaced = true
      i++
      continue
    }
    if (c === 40) {
      const end = commentEnd(text, i)
      yield {
        kind: 'comment',
        text: dropBackslashes(text.slice(i + 1, text.charCodeAt(end - 1) === 41 ? end - 1 : end)),
      }
      i = end
      spaced = true
      continue
    }
    if (c === 34) {
      const end = quoteEnd(text, i)
      yield { kind: 'quoted', text: dropBackslashes(text.slice(i + 1, end)), spaced }
      i = end + 1
      afterAt = false
    } else if (c === 60 || c === 62 || c === 44 || c === 59 || c === 58 || c === 64) {
      if (c === 64) yield { kind: '@', spaced }
      else yield { kind: text[i] as '<' | '>' | ',' | ';' | ':', spaced }
      afterAt = c === 64
      i++
    } else if (c === 41) {
      // A closing parenthesis without its opening one means nothing.
      i++
      spaced = true
      continue
    } else if (c === 91 && afterAt) {
      let end = text.indexOf(']', i)
      if (end < 0) end = text.length - 1
      yield { kind: 'literal', text: text.slice(i, end + 1), spaced }
      i = end + 1
      afterAt = false
    } else {
      let end = atomEnd(text, i)
      if (c === 61 && text.charCodeAt(i + 1) === 63) {
        ENCODED_WORD.lastIndex = i
        if (ENCODED_WORD.test(text)) end = Math.max(ENCODED_WORD.lastIndex, i + 1)
      }
      yield { kind: 'atom', text: text.slice(i, end), spaced }
      i = end
      afterAt = false
    }
    spaced = false
  }
}

function atomEnd(text: string, start: number): number {
  let i = start + 1
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c < 128 && ENDS_ATOM[c] === 1) break
  }
  return i
}

/** The offset of the closing quote, or the end of the text. */
function quoteEnd(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 92) i++
    else if (c === 34) return i
  }
  return text.length
}

/** The offset behind the comment that opens at `start`; comments nest (§3.2.2), counted, not recursed. */
export function commentEnd(text: string, start: number): number {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 92) i++
    else if (c === 40) depth++
    else if (c === 41 && --depth === 0) return i + 1
  }
  return text.length
}

function dropBackslashes(text: string): string {
  return text.includes('\\') ? text.replace(/\\([\s\S])?/g, '$1') : text
}
