import { msgColumns } from './read.ts'

/** What `store repair` asks and writes. */
export const repair = {
  itemsWithoutPlace: `SELECT i.item, i.mbx, i.mid, i.item_id, i.fid, i.uid, coalesce(b.size, 0), i.sent FROM item i
     JOIN mailbox x ON x.mbx = i.mbx AND x.state = 'live' LEFT JOIN blob b ON b.blob = i.blob
     LEFT JOIN msg m ON m.mbx = i.mbx AND m.fid = i.fid AND m.uid = i.uid WHERE m.uid IS NULL AND i.mid > 0`,
  nextChange: `UPDATE mailbox SET chg = max(chg, coalesce((SELECT max(m.chg) FROM msg m WHERE m.mbx = mailbox.mbx), 0)) + 1
     WHERE mbx = ? RETURNING chg`,
  place: `INSERT INTO msg (mbx, fid, ${msgColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, ?, ?)`,
  missingFolders: `SELECT DISTINCT m.mbx, m.fid FROM msg m JOIN mailbox x ON x.mbx = m.mbx AND x.state = 'live'
     LEFT JOIN folder f ON f.mbx = m.mbx AND f.fid = m.fid WHERE f.fid IS NULL`,
  folder: `INSERT INTO folder (mbx, fid, parent, name, name_key, class, kind, subscribed, cn, created_cn, uidvalidity)
     VALUES (?, ?, 0, ?, ?, 'IPF.Note', 'generic', 1, ?, ?, ?)`,
  foldersWithoutCounters: `SELECT f.mbx, f.fid FROM folder f LEFT JOIN folder_count c ON c.fid = f.fid AND c.mbx = f.mbx
     WHERE c.fid IS NULL`,
  folderCounters: `INSERT INTO folder_count (fid, mbx, content_cn, uidnext, n_total, n_unread, n_deleted, n_hidden, n_bytes)
     VALUES (?, ?, 0, 1, 0, 0, 0, 0, 0)`,
  placesWithoutItem: `SELECT m.mbx, m.fid, m.uid, m.mid, m.item_id FROM msg m LEFT JOIN item i ON i.item = m.item
     WHERE i.item IS NULL`,
  removePlace: `DELETE FROM msg WHERE mbx = ? AND fid = ? AND uid = ?`,
  tombstone: `INSERT INTO gone (mbx, chg, fid, uid, mid, item_id, why, at) VALUES (?, ?, ?, ?, ?, ?, 0, ?)`,
  countBlob: `UPDATE blob SET refs = ? WHERE blob = ?`,
  dropBlob: `DELETE FROM blob WHERE blob = ?`,
  blob: `INSERT INTO blob (blob, segment, pos, stored, size, crc, refs) VALUES (?, ?, ?, ?, ?, ?, ?)`,
  segment: `INSERT INTO segment (segment, place, bytes, live, sealed) VALUES (?, 'local', ?, ?, ?)
     ON CONFLICT (segment) DO UPDATE SET bytes = excluded.bytes, live = excluded.live, sealed = excluded.sealed`,
  setFolderCounters: `UPDATE folder_count SET content_cn = ?, uidnext = ?, n_total = ?, n_unread = ?, n_deleted = ?,
     n_hidden = ?, n_bytes = ? WHERE fid = ? AND mbx = ?`,
  setMailboxCounters: `UPDATE mailbox SET chg = ?, next_id = ?, used_bytes = ?, items = ? WHERE mbx = ?`,
} as const
