/** The search database: rebuildable, so a schema of another version is thrown away and filled again. */
export const SEARCH_VERSION = 3
export const searchSchema: readonly string[] = [
  // How far the index follows the item rows: `item`; the dead rows it has forgotten: `dead`.
  `CREATE TABLE position (name TEXT PRIMARY KEY, value {int} NOT NULL) {clustered}`,
  // The newest documents of a mailbox, too few for a block.
  `CREATE TABLE tail (mbx {int} NOT NULL, item {int} NOT NULL, document {blob} NOT NULL, PRIMARY KEY (mbx, item)) {clustered}`,
  `CREATE TABLE block (
     block {rowid}, mbx {int} NOT NULL, first {int} NOT NULL, last {int} NOT NULL, dead {int} NOT NULL, items {blob} NOT NULL)`,
  `CREATE UNIQUE INDEX block_first ON block (mbx, first)`,
  `CREATE TABLE gram (block {rowid}, bits {blob} NOT NULL)`,
  `CREATE TABLE part (block {int} NOT NULL, field {int} NOT NULL, data {blob} NOT NULL)`,
  `CREATE UNIQUE INDEX part_block ON part (block, field)`,
]

export const searchSql = {
  position: `SELECT value FROM position WHERE name = ?`,
  putPosition: `INSERT INTO position (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
  tail: `SELECT item, document FROM tail WHERE mbx = ? ORDER BY item`,
  addTail: `INSERT INTO tail (mbx, item, document) VALUES (?, ?, ?) ON CONFLICT (mbx, item) DO NOTHING`,
  emptyTail: `DELETE FROM tail WHERE mbx = ?`,
  removeTail: `DELETE FROM tail WHERE mbx = ? AND item = ? RETURNING 1`,
  blocks: `SELECT block, first, last, items FROM block WHERE mbx = ? AND last >= ? AND first <= ? ORDER BY first`,
  blockOf: `SELECT block, first, last, dead, items FROM block WHERE mbx = ? AND first <= ? ORDER BY first DESC LIMIT 1`,
  addBlock: `INSERT INTO block (mbx, first, last, dead, items) VALUES (?, ?, ?, 0, ?) RETURNING block`,
  deadInBlock: `UPDATE block SET dead = ? WHERE block = ?`,
  removeBlock: `DELETE FROM block WHERE block = ?`,
  grams: `SELECT bits FROM gram WHERE block = ?`,
  addGrams: `INSERT INTO gram (block, bits) VALUES (?, ?)`,
  removeGrams: `DELETE FROM gram WHERE block = ?`,
  part: `SELECT data FROM part WHERE block = ? AND field = ?`,
  addPart: `INSERT INTO part (block, field, data) VALUES (?, ?, ?)`,
  removeParts: `DELETE FROM part WHERE block = ?`,
  // In the mailbox database, read only.
  newItems: `SELECT item, mbx, blob, subject, from_name, from_address, bag, recipients, attachments FROM item
     WHERE item > ? ORDER BY item LIMIT ?`,
  oneItem: `SELECT item, mbx, blob, subject, from_name, from_address, bag, recipients, attachments FROM item WHERE item = ?`,
  itemLives: `SELECT 1 FROM item WHERE item = ?`,
  deadItems: `SELECT dead, item, mbx FROM dead WHERE dead > ? ORDER BY dead LIMIT ?`,
  blob: `SELECT segment, pos, stored, size, crc FROM blob WHERE blob = ?`,
} as const
