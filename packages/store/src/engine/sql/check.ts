import { READY_UIDS } from '@postrider/domain'

/** What `check` counts. */
export const check = {
  folderCounters: `SELECT f.fid, c.content_cn, c.uidnext, c.n_total, c.n_unread, c.n_deleted, c.n_hidden, c.n_bytes
     FROM folder f LEFT JOIN folder_count c ON c.fid = f.fid AND c.mbx = f.mbx WHERE f.mbx = ? ORDER BY f.fid`,
  folderCounts: `SELECT fid, max(chg), max(uid), sum(1 - fai), sum(CASE WHEN fai = 0 AND (flags & ?) = 0 THEN 1 ELSE 0 END),
     sum(CASE WHEN fai = 0 AND (flags & ?) = ? THEN 1 ELSE 0 END), sum(fai), sum(CASE WHEN fai = 0 THEN size ELSE 0 END)
     FROM msg WHERE mbx = ? GROUP BY fid`,
  mailboxCounters: `SELECT chg, next_id, used_bytes, items FROM mailbox WHERE mbx = ?`,
  mailboxCounts: `SELECT coalesce(max(chg), 0), coalesce(max(mid), 0), coalesce(sum(size), 0), count(*)
     FROM msg WHERE mbx = ?`,
  lonelyMsgs: `SELECT m.mbx, m.mid FROM msg m LEFT JOIN item i ON i.item = m.item
     WHERE i.item IS NULL OR i.mbx <> m.mbx OR i.mid <> m.mid OR i.fid <> m.fid OR i.uid <> m.uid LIMIT ?`,
  lonelyItems: `SELECT i.mbx, i.mid FROM item i LEFT JOIN msg m ON m.mbx = i.mbx AND m.fid = i.fid AND m.uid = i.uid
     JOIN mailbox b ON b.mbx = i.mbx WHERE m.uid IS NULL AND b.state = 'live' LIMIT ?`,
  // Blocks of ready answers that nobody can have kept: of no folder, still growing, without a mail, or of a mail that is no more.
  staleReady: `SELECT r.mbx, r.fid, r.block FROM ready r JOIN mailbox x ON x.mbx = r.mbx AND x.state = 'live'
     LEFT JOIN folder_count c ON c.fid = r.fid AND c.mbx = r.mbx
     WHERE c.fid IS NULL OR (r.block + 1) * ${READY_UIDS} > c.uidnext OR NOT EXISTS (SELECT 1 FROM msg m
       WHERE m.mbx = r.mbx AND m.fid = r.fid AND m.uid BETWEEN r.block * ${READY_UIDS} AND (r.block + 1) * ${READY_UIDS} - 1)
     UNION SELECT r.mbx, r.fid, r.block FROM msg m LEFT JOIN item i ON i.item = m.item
       JOIN ready r ON r.mbx = m.mbx AND r.fid = m.fid AND r.block = m.uid / ${READY_UIDS} WHERE i.item IS NULL
     ORDER BY 1, 2, 3 LIMIT ?`,
  columns: `SELECT item, mbx, mid, idx, bag, recipients, attachments FROM item WHERE item > ? ORDER BY item LIMIT ?`,
  named: `SELECT blob FROM item WHERE blob IS NOT NULL UNION ALL SELECT blob FROM queue`,
  extra: `SELECT extra FROM item WHERE extra IS NOT NULL`,
  placesOfBlobs: `SELECT mbx, fid, uid, blob, extra FROM item`,
  blobRefs: `SELECT blob, refs FROM blob`,
  blobs: `SELECT blob, segment, pos, stored, size, crc FROM blob WHERE blob > ? ORDER BY blob LIMIT ?`,
  segmentUse: `SELECT segment, sum(stored), max(pos + stored) FROM blob GROUP BY segment`,
} as const
