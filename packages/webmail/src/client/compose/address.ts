/** Addresses as one types or pastes them. */
import type { Address } from '../jmap/types.ts'

const ADDRESS =
  /^[^\s@<>",;:()[\]\\]{1,64}@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)*[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u
export const isAddress = (text: string): boolean => ADDRESS.test(text)

/** `Ada <ada@example.org>, bob@example.org`: every piece, good or not. */
export function readAddresses(text: string): Address[] {
  const pieces: string[] = []
  let quoted = false
  let angle = false
  let piece = ''
  for (const c of text) {
    if (c === '"') quoted = !quoted
    else if (c === '<') angle = true
    else if (c === '>') angle = false
    if (!quoted && !angle && (c === ',' || c === ';' || c === '\n')) {
      pieces.push(piece)
      piece = ''
    } else piece += c
  }
  pieces.push(piece)
  return pieces.flatMap((one) => {
    const trimmed = one.trim()
    if (trimmed === '') return []
    const match = /^(.*)<([^<>]*)>$/s.exec(trimmed)
    if (match === null) return [{ name: null, email: trimmed }]
    const name = (match[1] ?? '')
      .trim()
      .replace(/^"(.*)"$/s, '$1')
      .replace(/\\(.)/g, '$1')
    return [{ name: name === '' ? null : name, email: (match[2] ?? '').trim() }]
  })
}
