import type { Folder } from './folders-of.ts'

/** The words of a search as a filter of Email/query (RFC 8621 §4.4.1). */

type Condition = Readonly<Record<string, unknown>>
export interface Query {
  readonly filter: Condition | undefined
  /** What was not understood. */
  readonly unknown: readonly string[]
}

const MAX_WORDS = 50
const WORD = /(-?)(?:(\w+):)?(?:"([^"]*)"|(\S+))/g

const sizes: Readonly<Record<string, number>> = { '': 1, k: 1_024, m: 1_024 ** 2, g: 1_024 ** 3 }
function sizeOf(text: string): number | undefined {
  const match = /^(\d{1,9})([kmg]?)b?$/i.exec(text)
  return match === null ? undefined : Number(match[1]) * (sizes[(match[2] ?? '').toLowerCase()] ?? 1)
}
function dateOf(text: string): string | undefined {
  // A year or a month is its first day.
  if (!/^\d{4}(?:-\d{2}){0,2}$/.test(text) || Number.isNaN(Date.parse(text))) return undefined
  return `${new Date(text).toISOString().slice(0, 10)}T00:00:00Z`
}

const texts = new Set(['from', 'to', 'cc', 'bcc', 'subject', 'body'])
const states: Readonly<Record<string, Condition>> = {
  unread: { notKeyword: '$seen' },
  read: { hasKeyword: '$seen' },
  flagged: { hasKeyword: '$flagged' },
  starred: { hasKeyword: '$flagged' },
  answered: { hasKeyword: '$answered' },
  draft: { hasKeyword: '$draft' },
}
const folderRoles: Readonly<Record<string, string>> = {
  inbox: 'inbox',
  sent: 'sent',
  drafts: 'drafts',
  trash: 'trash',
  deleted: 'trash',
  junk: 'junk',
  spam: 'junk',
  archive: 'archive',
}

export function readQuery(text: string, folders: readonly Folder[]): Query {
  const conditions: Condition[] = []
  const unknown: string[] = []
  let count = 0
  for (const [whole, minus, name, quoted, word] of text.slice(0, 1_000).matchAll(WORD)) {
    if (++count > MAX_WORDS) break
    const value = (quoted ?? word ?? '').trim()
    if (value === '' || value === '-') continue
    const key = name?.toLowerCase()
    const condition =
      key === undefined ? { text: quoted === undefined ? value : `"${value}"` } : conditionOf(key, value, folders)
    if (condition === undefined) unknown.push(whole)
    else conditions.push(minus === '-' ? { operator: 'NOT', conditions: [condition] } : condition)
  }
  const filter = conditions.length <= 1 ? conditions[0] : { operator: 'AND', conditions }
  return { filter, unknown }
}

function conditionOf(key: string, value: string, folders: readonly Folder[]): Condition | undefined {
  const lower = value.toLowerCase()
  if (texts.has(key)) return { [key]: value }
  switch (key) {
    case 'has':
      return /^attachments?$/.test(lower) ? { hasAttachment: true } : undefined
    case 'is':
      return Object.hasOwn(states, lower) ? states[lower] : undefined
    case 'category':
      return { hasCategory: value }
    case 'before':
    case 'since':
    case 'after': {
      const date = dateOf(value)
      return date === undefined ? undefined : { [key === 'before' ? 'before' : 'after']: date }
    }
    case 'larger':
    case 'smaller': {
      const size = sizeOf(value)
      return size === undefined ? undefined : { [key === 'larger' ? 'minSize' : 'maxSize']: size }
    }
    case 'in': {
      const role = Object.hasOwn(folderRoles, lower) ? folderRoles[lower] : undefined
      const folder =
        folders.find((one) => one.name.toLowerCase() === lower) ??
        folders.find((one) => one.role === role && role !== undefined)
      return folder === undefined ? undefined : { inMailbox: folder.id }
    }
    default:
      return undefined
  }
}
