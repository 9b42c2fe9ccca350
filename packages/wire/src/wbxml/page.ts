/**
 * The shape of one code page of [MS-ASWBXML] §2.1.2.1: a number, the XML namespace it stands for, and its tags in the
 * document's order. A tag is its token, or a pair of token and gate where not every protocol version knows it.
 */

/** The protocol versions in their order: [MS-ASHTTP] §2.2.1.1.2.6 (MS-ASProtocolVersion). */
export const protocolVersions = ['2.5', '12.0', '12.1', '14.0', '14.1', '16.0', '16.1'] as const

export type ProtocolVersion = (typeof protocolVersions)[number]

/**
 * Which protocol versions know a tag: one version (`2.5`), a version and all later ones (`14.0+`), a version and all
 * earlier ones (`-14.1`), or a range (`2.5-12.1`).
 */
export type Gate =
  | ProtocolVersion
  | `${ProtocolVersion}+`
  | `-${ProtocolVersion}`
  | `${ProtocolVersion}-${ProtocolVersion}`

/** A token (5 to 63) that every version knows, or a token with its gate. */
export type Token = number | readonly [token: number, gate: Gate]

export interface CodePage<Namespace extends string = string, Name extends string = string> {
  readonly page: number
  readonly namespace: Namespace
  readonly tags: Readonly<Record<Name, Token>>
}

/** Declares a code page; the names become part of the type {@link Tag}, so a misspelt tag does not compile. */
export function codePage<const Namespace extends string, const Name extends string>(
  page: number,
  namespace: Namespace,
  tags: Readonly<Record<Name, Token>>,
): CodePage<Namespace, Name> {
  return { page, namespace, tags }
}

/** The position of a version in {@link protocolVersions}. */
export function versionIndex(version: ProtocolVersion): number {
  return protocolVersions.indexOf(version)
}

/** First and last position in {@link protocolVersions} that a gate lets through. */
export function gateRange(gate: Gate): readonly [first: number, last: number] {
  const newest = protocolVersions.length - 1
  if (gate.endsWith('+')) return [indexOf(gate.slice(0, -1)), newest]
  if (gate.startsWith('-')) return [0, indexOf(gate.slice(1))]
  const dash = gate.indexOf('-')
  if (dash < 0) return [indexOf(gate), indexOf(gate)]
  return [indexOf(gate.slice(0, dash)), indexOf(gate.slice(dash + 1))]
}

function indexOf(version: string): number {
  const index = (protocolVersions as readonly string[]).indexOf(version)
  if (index < 0) throw new RangeError(`not a protocol version: ${version}`)
  return index
}
