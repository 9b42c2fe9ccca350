import { findBodies, partText } from './bodies.ts'
import { cutText } from './bytes.ts'
import { htmlToText } from './html.ts'
import { MAX_PREVIEW } from './limits.ts'
import type { MessageBodies, MimePart } from './types.ts'

/** Characters of plain text that a preview looks at, and of what begins with pages of nothing: of style sheets in HTML, of blank lines or NUL in text. */
const PLAIN_WINDOW = 1024
const WIDE_WINDOW = 32 * 1024

/**
 * The beginning of the message's text, at most MAX_PREVIEW characters on one line: RFC 8970 §3. Plain text is preferred, HTML is stripped
 * when there is none (or an empty one); '' if the message has no text.
 */
export function previewOf(
  bytes: Uint8Array,
  source: { readonly parts: readonly MimePart[] },
  bodies: MessageBodies = findBodies(source),
): string {
  if (bodies.text !== undefined) {
    for (const window of [PLAIN_WINDOW, WIDE_WINDOW]) {
      const text = oneLine(partText(bytes, bodies.text, window))
      if (text !== '') return text
    }
  }
  return bodies.html === undefined
    ? ''
    : oneLine(htmlToText(partText(bytes, bodies.html, WIDE_WINDOW), { max: MAX_PREVIEW * 2 }))
}

/** Marks that show nothing, used by senders to pad previews. */
const INVISIBLE =
  /[\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]|\u034f|\u17b4|\u17b5/g
/** Joiners shape letters and emoji; before a space or in a row they are padding. */
const LOOSE_JOINER = /(?:\u200c|\u200d)(?=\s|\u200c|\u200d|$)/g

function oneLine(text: string): string {
  return cutText(
    text
      .replace(/^[\s\x00-\x1f\x7f]+/, '')
      .slice(0, MAX_PREVIEW * 8)
      .replace(INVISIBLE, '')
      .replace(LOOSE_JOINER, '')
      // A single space is one already: most of a text is.
      .replace(/[\s\x00-\x1f\x7f]{2,}|[^\S ]|[\x00-\x1f\x7f]/g, ' ')
      .trim(),
    MAX_PREVIEW,
  ).trimEnd()
}
