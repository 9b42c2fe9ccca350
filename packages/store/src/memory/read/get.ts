import {
  DomainError,
  type GetRequest,
  type Item,
  type ItemColumn,
  type ItemKeys,
  itemColumns,
  MAX_GET,
  type Uid,
} from '@postrider/domain'
import type { Mailbox } from '../mailbox.ts'
import { copyOf } from '../plain.ts'
import type { Row } from '../rows.ts'

export function get(mailbox: Mailbox, { by, columns }: GetRequest): readonly Item[] {
  for (const column of columns) {
    if (!itemColumns.includes(column)) throw new DomainError('invalid', `column ${String(column)}`)
  }
  const count = 'mids' in by ? by.mids.length : by.uids.length
  if (count > MAX_GET) throw new DomainError('tooMany', `${count} items`)
  return rowsOf(mailbox, by).map((row) => itemOf(mailbox, row, columns))
}

function rowsOf(mailbox: Mailbox, by: GetRequest['by']): Row[] {
  if ('mids' in by) return by.mids.map((mid) => mailbox.rows.get(mid)).filter((row) => row !== undefined)
  const folder = mailbox.folder(by.folder)
  return Array.from(by.uids, (uid) => folder.rows.get(uid as Uid)).filter((row) => row !== undefined)
}

function itemOf(mailbox: Mailbox, row: Row, columns: readonly ItemColumn[]): Item {
  const { content, keywords, ...placement } = row
  const fat = new Map<string, unknown>()
  for (const column of columns) {
    const value = column === 'keys' ? keysOf(mailbox.guid, row) : content[column]
    if (value !== undefined) fat.set(column, copyOf(value))
  }
  return { ...placement, keywords: [...keywords], ...Object.fromEntries(fat) }
}

/** A GID: [MS-OXCDATA] §2.2.1.3, the store's GUID and a 48-bit counter, big endian. */
function globalId(guid: Uint8Array, counter: number): Uint8Array {
  const id = new Uint8Array(22)
  id.set(guid)
  const view = new DataView(id.buffer)
  view.setUint16(16, Math.floor(counter / 2 ** 32))
  view.setUint32(18, counter % 2 ** 32)
  return id
}

/** [MS-OXCFXICS] §2.2.1.2: the change key is the XID of the last change; there is one replica, so it alone is the list (SizedXid). */
function keysOf(guid: Uint8Array, row: Row): ItemKeys {
  const changeKey = globalId(guid, row.cn)
  return {
    changeKey,
    predecessors: Uint8Array.of(changeKey.length, ...changeKey),
    sourceKey: globalId(guid, row.mid),
  }
}
