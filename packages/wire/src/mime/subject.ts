import { MAX_REFERENCES } from './limits.ts'
import { decodeWords } from './words.ts'

/** Subjects and message identifiers: what threads a conversation. */

/** Characters of a subject that take part in the comparison. */
export const MAX_SUBJECT = 4096

const REFWD = /(?:re|fwd?)[ \t]*(?:\[[^[\]]*\][ \t]*)?:[ \t]*/iy
const BLOB = /\[[^[\]]*\][ \t]*/y
const TRAILER = '(fwd)'

/** Base subject and whether the subject marks a reply or forward: RFC 5256 §2.1 with the artefacts REFERENCES threading asks for. */
export interface BaseSubject {
  readonly base: string
  readonly reply: boolean
}

/**
 * Extracts the base subject: RFC 5256 §2.1, steps 1 to 6, on two moving ends of the text. Takes the raw or decoded subject; the
 * result keeps its letter case (compare with i;unicode-casemap).
 */
export function readSubject(subject: string): BaseSubject {
  const text = decodeWords(subject.slice(0, MAX_SUBJECT)).replace(/[ \t\r\n]+/g, ' ')
  let start = 0
  let end = text.length
  let reply = false
  for (;;) {
    // Step 2: trailers.
    for (;;) {
      while (end > start && text[end - 1] === ' ') end--
      if (end - start < TRAILER.length || text.slice(end - TRAILER.length, end).toLowerCase() !== TRAILER) break
      end -= TRAILER.length
      reply = true
    }
    // Steps 3 to 5: leaders, then blobs while something else remains.
    for (;;) {
      while (start < end && text[start] === ' ') start++
      let at = start
      let lastBlob = start
      while (at < end) {
        BLOB.lastIndex = at
        if (!BLOB.test(text) || BLOB.lastIndex > end) break
        lastBlob = at
        at = BLOB.lastIndex
      }
      REFWD.lastIndex = at
      if (at < end && REFWD.test(text) && REFWD.lastIndex <= end) {
        start = REFWD.lastIndex
        reply = true
        continue
      }
      start = at < end ? at : lastBlob
      break
    }
    // Step 6: [fwd: … ].
    if (end - start > 5 && text[end - 1] === ']' && text.slice(start, start + 5).toLowerCase() === '[fwd:') {
      start += 5
      end--
      reply = true
      continue
    }
    return { base: text.slice(start, end), reply }
  }
}

/** The base subject alone: RFC 5256 §2.1. */
export function baseSubject(subject: string): string {
  return readSubject(subject).base
}

const PREFIX = /[\p{L}]{1,3}(?:\[\d{1,3}\])? ?[:\uff1a] */uy

/**
 * The conversation topic: [MS-OXCMSG] §2.2.1.9 and §2.2.1.10, the subject without its prefixes of up to three letters and a colon
 * (RE: FW: AW: WG: TR: RV: …), repeated ones too. Takes a decoded subject; white space is normalised.
 */
export function conversationTopic(subject: string): string {
  const text = subject.replace(/[ \t\r\n]+/g, ' ').trim()
  let at = 0
  for (;;) {
    PREFIX.lastIndex = at
    if (!PREFIX.test(text)) break
    at = PREFIX.lastIndex
  }
  return text.slice(at)
}

/** The prefix conversationTopic would take off once: `RE: `, '' if there is none ([MS-OXCMSG] §2.2.1.9). */
export function subjectPrefix(subject: string): string {
  PREFIX.lastIndex = 0
  return PREFIX.test(subject) ? subject.slice(0, PREFIX.lastIndex) : ''
}

/**
 * A text equal for the mails of one conversation: the root identifier (first of References, else In-Reply-To, else the mail's own) and the
 * topic without regard to case.
 */
export function conversationKey(of: {
  readonly references: readonly string[]
  readonly inReplyTo: string | undefined
  readonly messageId: string | undefined
  readonly topic: string
}): string {
  return `${of.references[0] ?? of.inReplyTo ?? of.messageId ?? ''}\n${of.topic.toLowerCase()}`
}

/**
 * The message identifiers of a References, In-Reply-To or Message-ID value, angle brackets included: RFC 5322 §3.6.4, obsolete phrases and
 * comments skipped, doubled brackets (`<<a@b>>`) and missing ones repaired. Linear; of more than MAX_REFERENCES the first and the newest.
 */
export function messageIds(text: string): string[] {
  const out: string[] = []
  let at = text.indexOf('<')
  while (at >= 0) {
    const end = text.indexOf('>', at)
    if (end < 0) break
    const start = text.lastIndexOf('<', end) + 1
    const id = text.slice(start, end).replace(/[ \t\r\n]+/g, '')
    if (id !== '') out.push(`<${id}>`)
    at = text.indexOf('<', end)
  }
  if (out.length === 0) for (const word of text.split(/[ \t\r\n,<>]+/)) if (word.includes('@')) out.push(`<${word}>`)
  return out.length <= MAX_REFERENCES ? out : [out[0]!, ...out.slice(out.length - MAX_REFERENCES + 1)]
}
