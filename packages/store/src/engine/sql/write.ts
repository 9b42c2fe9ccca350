import { msgColumns } from './read.ts'

/** What is written. One row each; many rows are many calls in one transaction. */
export const write = {
  putCounter: `INSERT INTO counter (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  putSetting: `INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  removeSetting: `DELETE FROM setting WHERE name = ?`,
  addMailbox: `INSERT INTO mailbox (mbx, guid, state, epoch, created, chg, low_chg, hierarchy_chg, next_id, uidvalidity,
     used_bytes, items, quota) VALUES (?, ?, 'live', 1, ?, 0, 0, 0, 1, 0, 0, 0, ?)`,
  putMailbox: `UPDATE mailbox SET chg = ?, low_chg = ?, hierarchy_chg = ?, next_id = ?, uidvalidity = ?, used_bytes = ?,
     items = ?, quota = ? WHERE mbx = ?`,
  dyingMailbox: `UPDATE mailbox SET state = 'dying' WHERE mbx = ?`,
  removeMailbox: `DELETE FROM mailbox WHERE mbx = ?`,
  addFolder: `INSERT INTO folder (mbx, fid, parent, name, name_key, class, role, kind, special_use, subscribed, cn,
     created_cn, uidvalidity, bag) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  addFolderCount: `INSERT INTO folder_count (fid, mbx, content_cn, uidnext, n_total, n_unread, n_deleted, n_hidden, n_bytes)
     VALUES (?, ?, ?, 1, 0, 0, 0, 0, 0)`,
  putFolderCount: `UPDATE folder_count SET content_cn = ?, uidnext = ?, n_total = ?, n_unread = ?, n_deleted = ?,
     n_hidden = ?, n_bytes = ? WHERE fid = ? AND mbx = ?`,
  removeFolderCount: `DELETE FROM folder_count WHERE fid = ? AND mbx = ?`,
  nameFolder: `UPDATE folder SET parent = ?, name = ?, name_key = ?, special_use = ?, subscribed = ?, cn = ?
     WHERE mbx = ? AND fid = ?`,
  renumberFolder: `UPDATE folder SET uidvalidity = ? WHERE mbx = ? AND fid = ?`,
  bagFolder: `UPDATE folder SET bag = ? WHERE mbx = ? AND fid = ?`,
  removeFolder: `DELETE FROM folder WHERE mbx = ? AND fid = ?`,
  goneFolder: `INSERT INTO gone_folder (mbx, chg, fid, at) VALUES (?, ?, ?, ?)`,
  addMsg: `INSERT INTO msg (mbx, fid, ${msgColumns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  removeMsg: `DELETE FROM msg WHERE mbx = ? AND fid = ? AND uid = ?`,
  flagMsg: `UPDATE msg SET flags = ?, kw = ?, chg = ?, cn = ?, read_cn = ? WHERE mbx = ? AND fid = ? AND uid = ?`,
  // Rows of one stretch of UIDs: new numbers are the UID and a difference.
  copyMsgs: `INSERT INTO msg (mbx, fid, ${msgColumns}) SELECT mbx, ?, uid + ?, uid + ?, item_id, uid + ?, uid + ?, uid + ?, 0,
     uid + ?, flags, kw, fai, size, received FROM msg WHERE mbx = ? AND fid = ? AND uid BETWEEN ? AND ?`,
  moveMsgs: `INSERT INTO msg (mbx, fid, ${msgColumns}) SELECT mbx, ?, uid + ?, uid + ?, item_id, item, 2 * uid + ?, 2 * uid + ?, 0,
     2 * uid + ?, flags, kw, fai, size, received FROM msg WHERE mbx = ? AND fid = ? AND uid BETWEEN ? AND ?`,
  goneMsgs: `INSERT INTO gone (mbx, chg, fid, uid, mid, item_id, why, at) SELECT mbx, ? * uid + ?, fid, uid, mid, item_id, ?, ?
     FROM msg WHERE mbx = ? AND fid = ? AND uid BETWEEN ? AND ?`,
  removeMsgs: `DELETE FROM msg WHERE mbx = ? AND fid = ? AND uid BETWEEN ? AND ?`,
  flagMsgs: `UPDATE msg SET flags = (flags & ?) | ?, kw = ?, chg = uid + ?, cn = uid + ?
     WHERE mbx = ? AND fid = ? AND uid BETWEEN ? AND ?`,
  readMsgs: `UPDATE msg SET flags = (flags & ?) | ?, chg = uid + ?, read_cn = uid + ?
     WHERE mbx = ? AND fid = ? AND uid BETWEEN ? AND ?`,
  stampMsg: `UPDATE msg SET item = ?, chg = ?, cn = ? WHERE mbx = ? AND fid = ? AND uid = ?`,
  addItem: `INSERT INTO item (item, mbx, mid, item_id, fid, uid, blob, extra, class, subject, from_address, from_name,
     display_to, display_cc, sent, message_id, preview, has_attachments, importance, conversation, idx, bag, recipients,
     attachments) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  copyItem: `INSERT INTO item (item, mbx, mid, item_id, fid, uid, blob, extra, class, subject, from_address, from_name,
     display_to, display_cc, sent, message_id, preview, has_attachments, importance, conversation, idx, bag, recipients,
     attachments) SELECT ?, mbx, ?, item_id, ?, ?, blob, extra, class, subject, from_address, from_name, display_to,
     display_cc, sent, message_id, preview, has_attachments, importance, conversation, idx, bag, recipients, attachments
     FROM item WHERE item = ? RETURNING blob, extra`,
  moveItem: `UPDATE item SET mid = ?, fid = ?, uid = ?, change_key = NULL, pcl = NULL, source_key = NULL WHERE item = ?`,
  // The fat rows of a stretch of UIDs.
  copyItems: `INSERT INTO item (item, mbx, mid, item_id, fid, uid, blob, extra, class, subject, from_address, from_name,
     display_to, display_cc, sent, message_id, preview, has_attachments, importance, conversation, idx, bag, recipients,
     attachments) SELECT m.uid + ?, i.mbx, m.uid + ?, i.item_id, ?, m.uid + ?, i.blob, i.extra, i.class, i.subject, i.from_address,
     i.from_name, i.display_to, i.display_cc, i.sent, i.message_id, i.preview, i.has_attachments, i.importance, i.conversation,
     i.idx, i.bag, i.recipients, i.attachments FROM msg m JOIN item i ON i.item = m.item
     WHERE m.mbx = ? AND m.fid = ? AND m.uid BETWEEN ? AND ? RETURNING blob, extra`,
  moveItems: `UPDATE item SET mid = uid + ?, fid = ?, uid = uid + ?, change_key = NULL, pcl = NULL, source_key = NULL
     WHERE item IN (SELECT item FROM msg WHERE mbx = ? AND fid = ? AND uid BETWEEN ? AND ?)`,
  updateItem: `UPDATE item SET item = ?, class = ?, subject = ?, from_address = ?, from_name = ?, display_to = ?,
     display_cc = ?, sent = ?, message_id = ?, preview = ?, has_attachments = ?, importance = ?, conversation = ?,
     bag = ?, recipients = ?, change_key = NULL, pcl = NULL WHERE item = ?`,
  rethreadItem: `UPDATE item SET uid = ?, conversation = ? WHERE item = ?`,
  retireItem: `UPDATE item SET mid = -item WHERE item = ?`,
  removeItem: `DELETE FROM item WHERE item = ? RETURNING blob, extra`,
  removeItems: `DELETE FROM item WHERE item BETWEEN ? AND ? RETURNING blob, extra`,
  addGone: `INSERT INTO gone (mbx, chg, fid, uid, mid, item_id, why, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  // Before the item rows of a stretch go.
  deadItems: `INSERT INTO dead (dead, mbx, item) SELECT item + ?, mbx, item FROM item WHERE item BETWEEN ? AND ?`,
  addDead: `INSERT INTO dead (dead, mbx, item) VALUES (?, ?, ?)`,
  removeDead: `DELETE FROM dead WHERE dead <= ?`,
  addKeywordSet: `INSERT INTO keyword_set (mbx, kw, words) VALUES (?, ?, ?)`,
  putPermission: `INSERT INTO perm (mbx, fid, member, rights) VALUES (?, ?, ?, ?)
     ON CONFLICT (mbx, fid, member) DO UPDATE SET rights = excluded.rights`,
  removePermission: `DELETE FROM perm WHERE mbx = ? AND fid = ? AND member = ?`,
  removePermissions: `DELETE FROM perm WHERE mbx = ? AND fid = ?`,
  putState: `INSERT INTO state (mbx, client, k, value) VALUES (?, ?, ?, ?)
     ON CONFLICT (mbx, client, k) DO UPDATE SET value = excluded.value`,
  changeState: `UPDATE state SET value = ? WHERE mbx = ? AND client = ? AND k = ?`,
  removeState: `DELETE FROM state WHERE mbx = ? AND client = ? AND k = ?`,
  removeStates: `DELETE FROM state WHERE mbx = ? AND client = ?`,
  putReady: `INSERT INTO ready (mbx, fid, block, kind, at, value) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (mbx, fid, block, kind) DO UPDATE SET at = excluded.at, value = excluded.value`,
  removeReady: `DELETE FROM ready WHERE mbx = ? AND fid = ? AND block BETWEEN ? AND ?`,
  removeReadyKind: `DELETE FROM ready WHERE mbx = ? AND fid = ? AND kind = ?`,
  putOnce: `INSERT INTO once (mbx, k, until) VALUES (?, ?, ?)
     ON CONFLICT (mbx, k) DO UPDATE SET until = excluded.until`,
  expireOnce: `DELETE FROM once WHERE (mbx, k) IN (SELECT mbx, k FROM once WHERE until <= ? ORDER BY until LIMIT ?)
     RETURNING 1`,
  addQueue: `INSERT INTO queue (id, mbx, dest, due, lease, held, expires, created, attempts, blob, body)
     VALUES (?, ?, ?, ?, 0, 0, ?, ?, 0, ?, ?)`,
  putQueue: `UPDATE queue SET due = ?, lease = ?, held = ?, attempts = ?, body = ? WHERE id = ?`,
  claimQueue: `UPDATE queue SET lease = ? WHERE id = ?
     RETURNING id, mbx, dest, due, lease, held, expires, created, attempts, blob, body`,
  removeQueue: `DELETE FROM queue WHERE id = ? RETURNING blob`,
  addBlob: `INSERT INTO blob (blob, segment, pos, stored, size, crc, refs) VALUES (?, ?, ?, ?, ?, ?, 1)`,
  referBlobs: `UPDATE blob SET refs = refs + 1 WHERE blob BETWEEN ? AND ?`,
  releaseBlobs: `UPDATE blob SET refs = refs - 1 WHERE blob BETWEEN ? AND ?`,
  removeBlobs: `DELETE FROM blob WHERE blob BETWEEN ? AND ? AND refs = 1 RETURNING segment, stored, blob`,
  moveBlob: `UPDATE blob SET segment = ?, pos = ? WHERE blob = ? AND segment = ? AND pos = ? RETURNING blob`,
  putSegment: `INSERT INTO segment (segment, place, bytes, live, sealed) VALUES (?, 'local', ?, ?, ?)
     ON CONFLICT (segment) DO UPDATE SET bytes = excluded.bytes, live = excluded.live, sealed = excluded.sealed`,
  removeSegment: `DELETE FROM segment WHERE segment = ?`,
  pruneGone: `DELETE FROM gone WHERE mbx = ? AND chg <= ?`,
  pruneGoneFolder: `DELETE FROM gone_folder WHERE mbx = ? AND chg <= ?`,
} as const

const WIPED_ROWS = 2_000
const wiped = (table: string, key: string): readonly [string, number] => [
  `DELETE FROM ${table} WHERE (mbx, ${key}) IN (SELECT mbx, ${key} FROM ${table} WHERE mbx = ? LIMIT ?) RETURNING 1`,
  WIPED_ROWS,
]

/** What it takes to wipe a mailbox, in slices. */
export const wipe = {
  items: `SELECT item FROM item WHERE mbx = ? LIMIT ?`,
  tables: [
    wiped('msg', 'fid, uid'),
    wiped('gone', 'chg'),
    wiped('gone_folder', 'chg'),
    wiped('keyword_set', 'kw'),
    wiped('perm', 'fid, member'),
    wiped('named_prop', 'propid'),
    wiped('receive_folder', 'class'),
    wiped('state', 'client, k'),
    wiped('once', 'k'),
    wiped('ready', 'fid, block, kind'),
    [
      `DELETE FROM folder_count WHERE (fid, mbx) IN (SELECT c.fid, c.mbx FROM folder f JOIN folder_count c
         ON c.fid = f.fid AND c.mbx = f.mbx WHERE f.mbx = ? LIMIT ?) RETURNING 1`,
      WIPED_ROWS,
    ],
    wiped('folder', 'fid'),
  ],
} as const
