import { cleanDeclarations } from './css.ts'
import { MAX_DATA_URL, MAX_URL } from './limits.ts'

/** What values attributes may have. Each checks the value as the parser understood it; what stays is escaped again when written. */

type Check = (value: string) => string | undefined

const matching =
  (pattern: RegExp): Check =>
  (value) => {
    const trimmed = value.trim()
    return pattern.test(trimmed) ? trimmed : undefined
  }
const number = matching(/^\d{1,5}$/)
const length = matching(/^\d{1,5}(?:\.\d{1,4})?(?:px|%|\*)?$/i)
const color = matching(/^(?:#?[\da-f]{3,8}|[a-z]{3,25})$/i)
const word = matching(/^[a-z-]{1,20}$/i)
const flag: Check = () => ''
const text: Check = (value) => value.slice(0, 1_000)

const GLOBAL: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['dir', matching(/^(?:ltr|rtl|auto)$/i)],
  ['lang', matching(/^[a-z\d-]{1,35}$/i)],
  ['title', text],
  ['align', word],
  ['valign', word],
])
const table = (
  entries: Readonly<Record<string, Readonly<Record<string, Check>>>>,
): ReadonlyMap<string, ReadonlyMap<string, Check>> =>
  new Map(
    Object.entries(entries).flatMap(([names, checks]) =>
      names.split(' ').map((name) => [name, new Map(Object.entries(checks))]),
    ),
  )

const OF_ELEMENT = table({
  img: { alt: text, width: length, height: length, border: number, hspace: number, vspace: number },
  table: {
    width: length,
    height: length,
    border: number,
    cellpadding: number,
    cellspacing: number,
    bgcolor: color,
    frame: word,
    rules: word,
    summary: text,
  },
  'td th': {
    width: length,
    height: length,
    colspan: number,
    rowspan: number,
    bgcolor: color,
    nowrap: flag,
    scope: word,
    abbr: text,
  },
  'tr tbody thead tfoot': { height: length, bgcolor: color },
  'col colgroup': { width: length, span: number },
  font: { color, face: matching(/^[\w\s,'"-]{1,200}$/), size: matching(/^[+-]?\d{1,2}$/) },
  ol: { start: matching(/^-?\d{1,9}$/), type: matching(/^[1aAiI]$/), reversed: flag },
  ul: { type: word },
  li: { value: matching(/^-?\d{1,9}$/), type: matching(/^(?:[1aAiI]|[a-z]{4,10})$/) },
  br: { clear: word },
  hr: { width: length, size: number, color, noshade: flag },
  time: { datetime: matching(/^[\w:.+-]{1,40}$/) },
  details: { open: flag },
})

/** The value that stays, undefined for an attribute that goes. `style`, names and addresses are others' business. */
export function cleanAttribute(element: string, name: string, value: string): string | undefined {
  const check = GLOBAL.get(name) ?? OF_ELEMENT.get(element)?.get(name)
  return check?.(value)
}

export const cleanStyle = (value: string): string | undefined => cleanDeclarations(value) || undefined

/** Names of classes and ids, each with `prefix` before it, so that a mail meets neither our styles nor our targets. */
export function cleanNames(value: string, prefix: string, max: number): string | undefined {
  const found = value
    .split(/\s+/)
    .filter((one) => /^-?[A-Za-z_][\w-]{0,63}$/.test(one))
    .slice(0, max)
  return found.length === 0 ? undefined : found.map((one) => prefix + one).join(' ')
}

/** Browsers drop these wherever they stand in an address (URL Standard §4.4). */
const IGNORED = /[\u0000-\u001f\u007f]+/g
const trimmed = (value: string): string => value.replace(IGNORED, '').trim()

/** Where a link may lead; undefined: nowhere. A user name in an address only hides where it leads. */
export function cleanLink(value: string): string | undefined {
  const known = links.get(value)
  if (known !== undefined) return known
  const link = readLink(value)
  if (link !== undefined && value.length <= MAX_CACHED_LINK) {
    if (links.size >= MAX_CACHED) links.clear()
    links.set(value, link)
  }
  return link
}

/** Mails repeat their links. */
const MAX_CACHED = 2_000
const MAX_CACHED_LINK = 500
const links = new Map<string, string>()

function readLink(value: string): string | undefined {
  const link = trimmed(value)
  if (link.length > MAX_URL) return undefined
  if (/^(?:mailto|tel|sms):/i.test(link)) return link
  return webAddress(link)
}

/** An address of the web, written as the URL Standard does; `//host/` is meant as https. */
export function webAddress(value: string): string | undefined {
  const link = trimmed(value)
  const full = link.startsWith('//') ? `https:${link}` : link
  if (link.length > MAX_URL || !/^https?:/i.test(full) || !URL.canParse(full)) return undefined
  const url = new URL(full)
  url.username = ''
  url.password = ''
  return url.href
}

const DATA_PICTURE = /^data:image\/(?:png|gif|jpe?g|webp|bmp|avif);base64,[A-Za-z0-9+/=]+$/i
/** A picture that stands in the HTML itself. No SVG: it is a document. */
export function dataPicture(value: string): string | undefined {
  if (value.length > MAX_DATA_URL || !/^\s*data:/i.test(value.slice(0, 16))) return undefined
  const picture = value.replace(/\s+/g, '')
  return DATA_PICTURE.test(picture) ? picture : undefined
}
