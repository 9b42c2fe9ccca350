/** What is read: the columns of `msg` in the order the code unpacks them, and the statements over them. */
export const msgColumns = 'uid, mid, item_id, item, chg, cn, read_cn, created_cn, flags, kw, fai, size, received'

const folder = `SELECT f.fid, f.parent, f.name, f.class, f.role, f.kind, f.special_use, f.subscribed, f.cn, f.created_cn,
  c.content_cn, f.uidvalidity, c.uidnext, c.n_total, c.n_unread, c.n_deleted, c.n_hidden, c.n_bytes
  FROM folder f JOIN folder_count c ON c.fid = f.fid AND c.mbx = f.mbx`

export const read = {
  counters: `SELECT name, value FROM counter`,
  settings: `SELECT name, value FROM setting`,
  segments: `SELECT segment, bytes, live, sealed FROM segment ORDER BY segment`,
  mailboxes: `SELECT mbx, state FROM mailbox ORDER BY mbx`,
  mailboxesAfter: `SELECT mbx FROM mailbox WHERE mbx > ? AND state = 'live' ORDER BY mbx LIMIT ?`,
  lastItem: `SELECT max(item) FROM item`,
  mailbox: `SELECT guid, state, epoch, chg, low_chg, hierarchy_chg, next_id, uidvalidity, used_bytes, items, quota
     FROM mailbox WHERE mbx = ?`,
  folder: `${folder} WHERE f.mbx = ? AND f.fid = ?`,
  folders: `${folder} WHERE f.mbx = ? ORDER BY f.fid`,
  folderNamed: `SELECT fid FROM folder WHERE mbx = ? AND parent = ? AND name_key = ?`,
  folderChildren: `SELECT fid FROM folder WHERE mbx = ? AND parent = ? ORDER BY fid`,
  folderCount: `SELECT count(*) AS n FROM folder WHERE mbx = ?`,
  folderRole: `SELECT fid FROM folder WHERE mbx = ? AND role = ?`,
  folderBag: `SELECT bag FROM folder WHERE mbx = ? AND fid = ?`,
  goneFolders: `SELECT fid, chg FROM gone_folder WHERE mbx = ? AND chg > ? ORDER BY chg LIMIT ?`,
  msg: `SELECT ${msgColumns} FROM msg WHERE mbx = ? AND fid = ? AND uid = ?`,
  msgRange: `SELECT ${msgColumns} FROM msg WHERE mbx = ? AND fid = ? AND uid BETWEEN ? AND ? ORDER BY uid`,
  placeOf: `SELECT fid, uid FROM item WHERE mbx = ? AND mid = ?`,
  keywordSets: `SELECT kw, words FROM keyword_set WHERE mbx = ?`,
  permissions: `SELECT fid, member, rights FROM perm WHERE mbx = ? ORDER BY fid, member`,
  states: `SELECT k, value FROM state WHERE mbx = ? AND client = ? AND k >= ? ORDER BY k`,
  stateKeys: `SELECT k FROM state WHERE mbx = ? AND client = ? AND k >= ? ORDER BY k`,
  stateOf: `SELECT value FROM state WHERE mbx = ? AND client = ? AND k = ?`,
  // By the index item_mid alone.
  conversationMids: `SELECT mid FROM item WHERE mbx = ? AND mid > 0 AND conversation = ? ORDER BY mid LIMIT ?`,
  ready: `SELECT block, value FROM ready WHERE mbx = ? AND fid = ? AND block BETWEEN ? AND ? AND kind = ? ORDER BY block`,
  readyKinds: `SELECT kind FROM ready WHERE mbx = ? AND fid = ? GROUP BY kind ORDER BY max(at) DESC, kind`,
  mailsBetween: `SELECT count(*) FROM msg WHERE mbx = ? AND fid = ? AND uid BETWEEN ? AND ? AND fai = 0`,
  once: `SELECT until FROM once WHERE mbx = ? AND k = ?`,
  blob: `SELECT segment, pos, stored, size, crc, refs FROM blob WHERE blob = ?`,
  blobs: `SELECT blob, segment, pos, stored, size, crc FROM blob WHERE blob BETWEEN ? AND ?`,
  originals: `SELECT m.uid, b.blob, b.segment, b.pos, b.stored, b.size, b.crc FROM msg m JOIN item i ON i.item = m.item
     JOIN blob b ON b.blob = i.blob WHERE m.mbx = ? AND m.fid = ? AND m.uid BETWEEN ? AND ? AND m.fai = 0 ORDER BY m.uid`,
  itemFat: `SELECT blob, extra, class, subject, from_address, from_name, display_to, display_cc, sent, message_id, preview,
     has_attachments, importance, conversation, bag, recipients FROM item WHERE item = ?`,
  changedMsgs: `SELECT fid, ${msgColumns} FROM msg WHERE mbx = ? AND chg > ? ORDER BY chg LIMIT ?`,
  changedMsgsOf: `SELECT fid, ${msgColumns} FROM msg WHERE mbx = ? AND chg > ? AND +fid = ? ORDER BY chg LIMIT ?`,
  gone: `SELECT chg, fid, uid, mid, item_id, why FROM gone WHERE mbx = ? AND chg > ? ORDER BY chg LIMIT ?`,
  goneOf: `SELECT chg, fid, uid, mid, item_id, why FROM gone WHERE mbx = ? AND chg > ? AND fid = ? ORDER BY chg LIMIT ?`,
  agedGone: `SELECT chg FROM gone WHERE mbx = ? AND at < ? ORDER BY chg LIMIT ?`,
  agedGoneFolders: `SELECT chg FROM gone_folder WHERE mbx = ? AND at < ? ORDER BY chg LIMIT ?`,
  oldestGone: `SELECT at FROM gone WHERE mbx = ? ORDER BY chg LIMIT 1`,
  oldestGoneFolder: `SELECT at FROM gone_folder WHERE mbx = ? ORDER BY chg LIMIT 1`,
  queueEntry: `SELECT id, mbx, dest, due, lease, held, expires, created, attempts, blob, body FROM queue WHERE id = ?`,
  queueDue: `SELECT id, due, dest, mbx FROM queue WHERE held = 0 AND due <= ? AND lease <= ? ORDER BY due, id`,
  queueList: `SELECT id, mbx, dest, due, lease, held, expires, created, attempts, blob, body FROM queue
     WHERE id > ? ORDER BY id`,
  queueOf: `SELECT id, blob FROM queue WHERE mbx = ? ORDER BY id`,
} as const
