import type { ChangeNumber, Folder, FolderId, FolderRole, ItemId, Mid, Uid } from '@postrider/domain'
import type { Row } from './statements.ts'

/** The mailbox row while it is in use. The one writer may keep it: nobody else changes it. */
export interface MailboxRow {
  readonly mailbox: number
  readonly guid: string
  readonly state: string
  readonly epoch: number
  change: number
  lowest: number
  /** Change number of the newest change of the hierarchy. */
  hierarchy: number
  nextId: number
  uidValidity: number
  usedBytes: number
  items: number
  quota: number | null
}

export function mailboxRow(mailbox: number, row: Row): MailboxRow {
  const [guid, state, epoch, change, lowest, hierarchy, nextId, uidValidity, usedBytes, items, quota] = row as [
    string,
    string,
    ...number[],
  ]
  return {
    mailbox,
    guid,
    state,
    epoch: epoch as number,
    change: change as number,
    lowest: lowest as number,
    hierarchy: hierarchy as number,
    nextId: nextId as number,
    uidValidity: uidValidity as number,
    usedBytes: usedBytes as number,
    items: items as number,
    quota: (quota ?? null) as number | null,
  }
}

/** A folder row while it is in use: the domain's Folder, writable. */
export type FolderRow = { -readonly [K in keyof Folder]: Folder[K] }

export function folderRow(row: Row): FolderRow {
  return {
    id: row[0] as FolderId,
    parent: row[1] as FolderId | 0,
    name: row[2] as string,
    class: row[3] as string,
    role: (row[4] ?? undefined) as FolderRole | undefined,
    kind: row[5] as 'generic' | 'search',
    specialUse: (row[6] ?? undefined) as string | undefined,
    subscribed: row[7] === 1,
    cn: row[8] as ChangeNumber,
    createdCn: row[9] as ChangeNumber,
    contentChange: row[10] as ChangeNumber,
    uidValidity: row[11] as number,
    uidNext: row[12] as number,
    total: row[13] as number,
    unread: row[14] as number,
    deleted: row[15] as number,
    hidden: row[16] as number,
    bytes: row[17] as number,
  }
}

/** A narrow row, in the order of `msgColumns`. */
export interface MsgRow {
  readonly uid: Uid
  readonly mid: Mid
  readonly itemId: ItemId
  /** Key of the fat row. */
  readonly item: number
  readonly change: ChangeNumber
  readonly cn: ChangeNumber
  readonly readCn: ChangeNumber
  readonly createdCn: ChangeNumber
  readonly flags: number
  readonly kw: number
  readonly associated: boolean
  readonly size: number
  readonly received: number
}

/** Reads the columns of `msgColumns` from place `at` on. */
export function msgRow(row: Row, at = 0): MsgRow {
  return {
    uid: row[at] as Uid,
    mid: row[at + 1] as Mid,
    itemId: row[at + 2] as ItemId,
    item: row[at + 3] as number,
    change: row[at + 4] as ChangeNumber,
    cn: row[at + 5] as ChangeNumber,
    readCn: row[at + 6] as ChangeNumber,
    createdCn: row[at + 7] as ChangeNumber,
    flags: row[at + 8] as number,
    kw: row[at + 9] as number,
    associated: row[at + 10] === 1,
    size: row[at + 11] as number,
    received: row[at + 12] as number,
  }
}
