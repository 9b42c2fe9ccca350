import { SEPARATOR } from '../folders.ts'

/** Characters of a LIST pattern; a longer one matches nothing. */
const MAX_PATTERN = 2_048

/**
 * Whether a name matches a LIST pattern: `*` is any text, `%` any text of one level (RFC 9051 §6.3.9). Work grows with the product of
 * the two lengths and no faster, whatever the pattern.
 */
export function matchesPattern(pattern: string, name: string): boolean {
  if (pattern.length > MAX_PATTERN) return false
  // Wildcards side by side are one, so that the table of states stays small.
  const wanted = inboxFirst(pattern)
    .replace(/[*%]*\*[*%]*/g, '*')
    .replace(/%+/g, '%')
  let states = new Uint8Array(wanted.length + 1)
  states[0] = 1
  spread(states, wanted)
  for (const char of units(name)) {
    const next = new Uint8Array(wanted.length + 1)
    for (let i = 0; i < wanted.length; i++) {
      if (states[i] === 0) continue
      const want = wanted[i]
      if (want === '*' || (want === '%' && char !== SEPARATOR)) next[i] = 1
      else if (want === char) next[i + 1] = 1
    }
    spread(next, wanted)
    states = next
  }
  return states[wanted.length] === 1
}

/** A wildcard may also stand for nothing. */
function spread(states: Uint8Array, wanted: string): void {
  for (let i = 0; i < wanted.length; i++) {
    if (states[i] === 1 && (wanted[i] === '*' || wanted[i] === '%')) states[i + 1] = 1
  }
}

function units(name: string): string[] {
  return name.split('')
}

/** RFC 9051 §5.1: INBOX in any case is INBOX. */
function inboxFirst(pattern: string): string {
  return pattern.replace(/^inbox(?=$|[/%*])/i, 'INBOX')
}
