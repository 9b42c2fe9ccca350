/** Initials on one of twelve quiet colours, the same for the same person. */
import type { JSX } from 'preact'
import type { Address } from '../jmap/types.ts'
import { nameOf } from '../text/text.ts'

export function Avatar({ address }: { readonly address: Address | undefined }): JSX.Element {
  const name = address === undefined ? '?' : nameOf(address)
  const words = name
    .replace(/[^\p{L}\p{N}\s@.-]/gu, '')
    .split(/[\s@.]+/)
    .filter((one) => one !== '')
  const initials =
    `${words[0]?.[0] ?? '?'}${name.includes('@') ? '' : words.length > 1 ? (words.at(-1)?.[0] ?? '') : ''}`.toUpperCase()
  let hash = 0
  for (const c of address?.email.toLowerCase() ?? '') hash = (hash * 31 + (c.codePointAt(0) ?? 0)) >>> 0
  return (
    <span class={`avatar hue-${hash % 12}`} aria-hidden="true">
      {initials}
    </span>
  )
}
