import {
  DomainError,
  type GetRequest,
  type Item,
  type ItemColumn,
  itemColumns,
  MAX_GET,
  type Promoted,
} from '@postrider/domain'
import type { Statements, Row, Value } from '../statements.ts'
import { unseal, unsealAttachments, unsealBag, unsealRecipients } from '../encode.ts'
import { itemKeys } from '../keys.ts'
import type { MailboxState } from '../mailbox-state.ts'
import type { NamedOriginals } from '../originals.ts'
import { msgRow } from '../rows.ts'
import { msgColumns } from '../sql/read.ts'

interface Reader {
  readonly connection: Statements
  readonly mailbox: MailboxState
  readonly originals: Pick<NamedOriginals, 'refOf'>
}

type Fields = { -readonly [C in ItemColumn]?: unknown }
/** How each fat column is read: its SQL columns, and what becomes of their values. */
interface Fat {
  readonly sql: readonly string[]
  readonly read: (values: readonly Value[], reader: Reader, placed: { cn: number; mid: number }) => unknown
}

const bytes = (value: Value | undefined): Uint8Array | null => (value ?? null) as Uint8Array | null

const fat: { readonly [C in ItemColumn]: Fat } = {
  promoted: {
    sql: [
      'class',
      'subject',
      'from_address',
      'from_name',
      'display_to',
      'display_cc',
      'sent',
      'message_id',
      'preview',
      'has_attachments',
      'importance',
      'conversation',
    ],
    read: (v): Promoted => ({
      class: v[0] as string,
      subject: v[1] as string,
      fromAddress: v[2] as string,
      fromName: v[3] as string,
      displayTo: v[4] as string,
      displayCc: v[5] as string,
      sent: (v[6] ?? undefined) as number | undefined,
      messageId: v[7] as string,
      preview: v[8] as string,
      hasAttachments: v[9] === 1,
      importance: v[10] as 0 | 1 | 2,
      conversation: v[11] as string,
    }),
  },
  index: { sql: ['idx'], read: ([v]) => unseal(bytes(v)) },
  original: {
    sql: ['b.blob', 'b.size', 'b.crc'],
    read: ([id, size, crc], { originals }) =>
      id === null || id === undefined
        ? undefined
        : originals.refOf({ id: id as number, size: size as number, crc: crc as number }),
  },
  props: { sql: ['bag'], read: ([v]) => unsealBag(bytes(v)) },
  recipients: { sql: ['recipients'], read: ([v]) => unsealRecipients(bytes(v)) },
  attachments: { sql: ['attachments'], read: ([v]) => unsealAttachments(bytes(v)) },
  keys: {
    sql: ['change_key', 'pcl', 'source_key'],
    read: ([changeKey, pcl, sourceKey], { mailbox }, placed) =>
      itemKeys(mailbox.guid, placed, {
        changeKey: bytes(changeKey),
        predecessors: bytes(pcl),
        sourceKey: bytes(sourceKey),
      }),
  },
}

const MSG_WIDTH = msgColumns.split(',').length
const narrow = msgColumns.replace(/\w+/g, 'm.$&')

/** Below this share of the range single rows are looked up; above, the range is read through. */
const DENSE = 4

/** Fat columns of some items, in the order asked; ones that are gone are left out. */
export function get(reader: Reader, { by, columns: asked }: GetRequest): readonly Item[] {
  for (const column of asked) {
    if (!itemColumns.includes(column)) throw new DomainError('invalid', `column ${String(column)}`)
  }
  const count = 'mids' in by ? by.mids.length : by.uids.length
  if (count > MAX_GET) throw new DomainError('tooMany', `${count} items`)
  const columns = itemColumns.filter((column) => asked.includes(column))
  const names = columns.flatMap((column) => fat[column].sql.map((name) => (name.includes('.') ? name : `i.${name}`)))
  const select = `SELECT ${['m.fid', narrow, ...names].join(', ')}`
  const blob = columns.includes('original') ? ' LEFT JOIN blob b ON b.blob = i.blob' : ''
  const item = columns.length === 0 ? '' : ` JOIN item i ON i.item = m.item${blob}`
  return rows(reader, by, select, item, blob).map((row) => itemOf(reader, columns, row))
}

function rows(reader: Reader, by: GetRequest['by'], select: string, item: string, blob: string): readonly Row[] {
  const { connection, mailbox } = reader
  if ('mids' in by) {
    const text = `${select} FROM item i JOIN msg m ON m.mbx = i.mbx AND m.fid = i.fid AND m.uid = i.uid${blob}
      WHERE i.mbx = ? AND i.mid = ?`
    return each(
      connection,
      text,
      by.mids.map((mid) => [mailbox.id, mid]),
    )
  }
  const folder = mailbox.folder(by.folder)
  const uids: readonly number[] = Array.from(by.uids)
  const [low, high] = [uids.reduce((a, b) => Math.min(a, b), Infinity), uids.reduce((a, b) => Math.max(a, b), 0)]
  const reach = Math.min(high - low + 1, folder.total + folder.hidden)
  if (uids.length * DENSE < reach || uids.length < DENSE) {
    const text = `${select} FROM msg m${item} WHERE m.mbx = ? AND m.fid = ? AND m.uid = ?`
    return each(
      connection,
      text,
      uids.map((uid) => [mailbox.id, folder.id, uid]),
    )
  }
  const text = `${select} FROM msg m${item} WHERE m.mbx = ? AND m.fid = ? AND m.uid BETWEEN ? AND ?`
  const wanted = new Set(uids)
  const found = new Map<number, Row>()
  for (const row of connection.all(text, mailbox.id, folder.id, low, high)) {
    if (wanted.has(row[1] as number)) found.set(row[1] as number, row)
  }
  return uids.flatMap((uid) => {
    const row = found.get(uid)
    return row === undefined ? [] : [row]
  })
}

function each(connection: Statements, text: string, sets: readonly (readonly number[])[]): readonly Row[] {
  const sensible = sets.filter((values) => values.every(Number.isSafeInteger))
  return connection.many(text, sensible).flatMap((row) => (row === undefined ? [] : [row]))
}

function itemOf(reader: Reader, columns: readonly ItemColumn[], row: Row): Item {
  const { item: _, kw, ...placement } = msgRow(row, 1)
  const fields: Fields = {}
  let at = 1 + MSG_WIDTH
  for (const column of columns) {
    const { sql, read } = fat[column]
    const value = read(row.slice(at, at + sql.length), reader, placement)
    if (value !== undefined) fields[column] = value
    at += sql.length
  }
  return {
    ...placement,
    folder: row[0] as Item['folder'],
    keywords: [...reader.mailbox.keywords.words(kw)],
    ...(fields as Partial<Item>),
  }
}
