/**
 * The original below a reply or forward: a block that says who wrote it and when, then its text. In a reply every line of the text
 * is marked; a forward passes it on as it is.
 */
import type { Item } from '@postrider/domain'
import {
  decodeWords,
  escapeHtml,
  type HeaderFields,
  mailboxesOf,
  parseAddressList,
  parseDate,
} from '@postrider/wire/mime'
import { easAddresses } from '../items/addresses.ts'
import { bodyOf } from '../items/text.ts'
import { say } from './texts.ts'

export type Language = 'en' | 'fr'

/** Header fields the block needs. */
export const quoteFields = ['from', 'to', 'cc', 'subject', 'date'] as const

/** The lines of the block: label and value. */
export function quoteHeader(
  item: Item,
  header: HeaderFields,
  language: Language,
): readonly (readonly [label: string, value: string])[] {
  const people = (field: string) => {
    const list = header.all(field).flatMap((value) => parseAddressList(value))
    return easAddresses(mailboxesOf(list)).replaceAll('"', '')
  }
  const date = new Date(parseDate(header.get('date') ?? '') ?? item.received)
  const sent = new Intl.DateTimeFormat(language === 'fr' ? 'fr-FR' : 'en-GB', {
    dateStyle: 'full',
    timeStyle: 'short',
    timeZone: 'UTC',
  }).format(date)
  const lines: [string, string][] = [
    [say(language, 'from'), people('from')],
    [say(language, 'sent'), `${sent} (UTC)`],
    [say(language, 'to'), people('to')],
    [say(language, 'cc'), people('cc')],
    [say(language, 'subject'), decodeWords(header.get('subject') ?? '')],
  ]
  return lines.filter(([, value]) => value !== '')
}

type Block = ReturnType<typeof quoteHeader>

/** New text, block, original text. */
export function quoteText(written: string, block: Block, original: string, reply: boolean, language: Language): string {
  const head = block.map(([label, value]) => `${label} ${value}`).join('\r\n')
  const body = reply ? marked(original) : original
  return `${written.trimEnd()}\r\n\r\n-----${say(language, 'originalMessage')}-----\r\n${head}\r\n\r\n${body}`
}

/** `> ` before each line; no space before what is quoted already (RFC 3676 §4.5). */
const marked = (text: string): string =>
  text
    .replace(/\r?\n$/, '')
    .split(/\r?\n/)
    .map((line) => (line.startsWith('>') ? `>${line}` : `> ${line}`.trimEnd()))
    .join('\r\n')

const quoteStyle = 'margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex'

/** The same as HTML, put in at the end of what was written; `original` is a whole document. */
export function quoteHtml(written: string, block: Block, original: string, reply: boolean): string {
  const head = block.map(([label, value]) => `<b>${escapeHtml(label)}</b> ${escapeHtml(value)}`).join('<br>\r\n')
  const styles = stylesOf(original)
  const body = bodyOf(original)
  const quoted = reply ? `<blockquote type="cite" style="${quoteStyle}">${body}</blockquote>` : `<div>${body}</div>`
  const added = `<br>\r\n<hr>\r\n<div>${head}</div>\r\n<br>\r\n${styles}${quoted}\r\n`
  const end = written.toLowerCase().lastIndexOf('</body')
  return end < 0 ? `${written}${added}` : written.slice(0, end) + added + written.slice(end)
}

/** Characters of style sheets that go along; without them many newsletters cannot be read. */
const MAX_STYLES = 64 * 1024

/** The style elements of a document's head. Linear: each search goes on where the last one ended. */
function stylesOf(html: string): string {
  const lower = html.toLowerCase()
  const headEnd = lower.indexOf('<body')
  let out = ''
  let at = 0
  while (out.length < MAX_STYLES) {
    const start = lower.indexOf('<style', at)
    if (start < 0 || (headEnd >= 0 && start > headEnd)) break
    const end = lower.indexOf('</style', start)
    if (end < 0) break
    at = end + 7
    out += `${html.slice(start, end)}</style>\r\n`
  }
  return out.length > MAX_STYLES ? '' : out
}
