/** Lookup tables over the code pages, and the type of a tag. Everything here derives from pages/: no token is written twice. */
import { type CodePage, gateRange, type ProtocolVersion, protocolVersions, versionIndex } from './page.ts'
import { codePages } from './pages/index.ts'

type TagOf<P> = P extends CodePage<infer Namespace, infer Name> ? `${Namespace}:${Name}` : never

/** A tag with its namespace, `AirSync:Sync`; exactly the names of the code pages. */
export type Tag = TagOf<(typeof codePages)[number]>

/** The namespaces of the code pages. */
export type Namespace = (typeof codePages)[number]['namespace']

/** What the tables hold for one token. */
export interface TagEntry {
  readonly tag: Tag
  readonly namespace: Namespace
  readonly name: string
  readonly page: number
  readonly token: number
  /** First and last position in {@link protocolVersions} that knows the tag. */
  readonly first: number
  readonly last: number
}

/** Number of tokens a page can hold: six bits, [WBXML 1.3] §5.8. */
const pageSize = 64

const entries = new Map<string, TagEntry>()

/** `byToken[page * 64 + token]`. */
const byToken: (TagEntry | undefined)[] = new Array(codePages.length * pageSize).fill(undefined)

for (const { page, namespace, tags } of codePages) {
  for (const [name, value] of Object.entries(tags)) {
    const [token, gate] = typeof value === 'number' ? [value, undefined] : value
    const [first, last] = gate === undefined ? [0, protocolVersions.length - 1] : gateRange(gate)
    const entry = { tag: `${namespace}:${name}` as Tag, namespace, name, page, token, first, last }
    entries.set(entry.tag, entry)
    byToken[page * pageSize + token] = entry
  }
}

/** How many code pages there are: pages 0 to 25. */
export const pageCount = codePages.length

/** All tags in the order of the pages. */
export function allTags(): Iterable<TagEntry> {
  return entries.values()
}

/** The entry of a tag; undefined for a string that is no tag. */
export function tagEntry(tag: string): TagEntry | undefined {
  return entries.get(tag)
}

/** The entry of a token on a page; undefined where the page does not define it. */
export function tokenEntry(page: number, token: number): TagEntry | undefined {
  return byToken[page * pageSize + token]
}

/** True when a string names a tag. */
export function isTag(text: string): text is Tag {
  return entries.has(text)
}

/** True when a protocol version knows a tag: the "Protocol versions" column of [MS-ASWBXML] §2.1.2.1. */
export function knowsTag(version: ProtocolVersion, tag: Tag): boolean {
  const entry = entries.get(tag)
  if (entry === undefined) return false
  const index = versionIndex(version)
  return index >= entry.first && index <= entry.last
}
