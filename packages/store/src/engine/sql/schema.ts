/** Schema version 1 of a mailbox database: storage.md §6, mapi.md §4. Keys begin with the mailbox. */
export const schema1: readonly string[] = [
  // Numbers of the whole database: next item row, next blob, next queue entry.
  `CREATE TABLE counter (name TEXT PRIMARY KEY, value {int} NOT NULL) {clustered}`,
  // What the database is: its number among those of the store, its name.
  `CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) {clustered}`,
  `CREATE TABLE mailbox (
     mbx {int} PRIMARY KEY, guid TEXT NOT NULL, state TEXT NOT NULL, epoch {int} NOT NULL, created {int} NOT NULL,
     chg {int} NOT NULL, low_chg {int} NOT NULL, hierarchy_chg {int} NOT NULL, next_id {int} NOT NULL,
     uidvalidity {int} NOT NULL, used_bytes {int} NOT NULL, items {int} NOT NULL, quota {int})`,
  `CREATE TABLE folder (
     mbx {int} NOT NULL, fid {int} NOT NULL, parent {int} NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL,
     class TEXT NOT NULL, role TEXT, kind TEXT NOT NULL, special_use TEXT, subscribed {int} NOT NULL,
     cn {int} NOT NULL, created_cn {int} NOT NULL, uidvalidity {int} NOT NULL, bag {blob}, PRIMARY KEY (mbx, fid)) {clustered}`,
  `CREATE UNIQUE INDEX folder_name ON folder (mbx, parent, name_key)`,
  // What every delivery changes, apart from the rest and by folder first: the inboxes of all mailboxes lie side by side, and a batch of
  // deliveries to many of them writes few pages.
  `CREATE TABLE folder_count (
     fid {int} NOT NULL, mbx {int} NOT NULL, content_cn {int} NOT NULL, uidnext {int} NOT NULL, n_total {int} NOT NULL,
     n_unread {int} NOT NULL, n_deleted {int} NOT NULL, n_hidden {int} NOT NULL, n_bytes {int} NOT NULL,
     PRIMARY KEY (fid, mbx)) {clustered}`,
  // The narrow row: what folder lists, flags and the change feed read. chg = max(cn, read_cn).
  `CREATE TABLE msg (
     mbx {int} NOT NULL, fid {int} NOT NULL, uid {int} NOT NULL, mid {int} NOT NULL, item_id {int} NOT NULL,
     item {int} NOT NULL, chg {int} NOT NULL, cn {int} NOT NULL, read_cn {int} NOT NULL, created_cn {int} NOT NULL,
     flags {int} NOT NULL, kw {int} NOT NULL, fai {int} NOT NULL, size {int} NOT NULL, received {int} NOT NULL,
     PRIMARY KEY (mbx, fid, uid)) {clustered}`,
  `CREATE UNIQUE INDEX msg_chg ON msg (mbx, chg)`,
  // The fat row, append-only. change_key, pcl and source_key are kept only where they cannot be derived from cn and mid.
  `CREATE TABLE item (
     item {rowid}, mbx {int} NOT NULL, mid {int} NOT NULL, item_id {int} NOT NULL, fid {int} NOT NULL, uid {int} NOT NULL,
     blob {int}, extra TEXT, class TEXT NOT NULL, subject TEXT NOT NULL, from_address TEXT NOT NULL, from_name TEXT NOT NULL,
     display_to TEXT NOT NULL, display_cc TEXT NOT NULL, sent {int}, message_id TEXT NOT NULL, preview TEXT NOT NULL,
     has_attachments {int} NOT NULL, importance {int} NOT NULL, conversation TEXT NOT NULL,
     idx {blob}, bag {blob}, recipients {blob}, attachments {blob},
     change_key {blob}, pcl {blob}, source_key {blob})`,
  `CREATE UNIQUE INDEX item_mid ON item (mbx, mid)`,
  `CREATE INDEX item_id ON item (mbx, item_id) WHERE item_id <> mid`,
  // Tombstones of items and of folders.
  `CREATE TABLE gone (
     mbx {int} NOT NULL, chg {int} NOT NULL, fid {int} NOT NULL, uid {int} NOT NULL, mid {int} NOT NULL,
     item_id {int} NOT NULL, why {int} NOT NULL, at {int} NOT NULL, PRIMARY KEY (mbx, chg)) {clustered}`,
  `CREATE TABLE gone_folder (
     mbx {int} NOT NULL, chg {int} NOT NULL, fid {int} NOT NULL, at {int} NOT NULL, PRIMARY KEY (mbx, chg)) {clustered}`,
  // Sets of keywords, interned by mailbox; words is a JSON array. 0, the empty set, has no row.
  `CREATE TABLE keyword_set (mbx {int} NOT NULL, kw {int} NOT NULL, words TEXT NOT NULL, PRIMARY KEY (mbx, kw)) {clustered}`,
  `CREATE TABLE perm (
     mbx {int} NOT NULL, fid {int} NOT NULL, member TEXT NOT NULL, rights {int} NOT NULL,
     PRIMARY KEY (mbx, fid, member)) {clustered}`,
  `CREATE TABLE named_prop (
     mbx {int} NOT NULL, propid {int} NOT NULL, guid TEXT NOT NULL, kind {int} NOT NULL, lid {int}, name TEXT,
     PRIMARY KEY (mbx, propid)) {clustered}`,
  `CREATE UNIQUE INDEX named_prop_name ON named_prop (mbx, guid, kind, lid, name)`,
  `CREATE TABLE receive_folder (
     mbx {int} NOT NULL, class TEXT NOT NULL, fid {int} NOT NULL, PRIMARY KEY (mbx, class)) {clustered}`,
  `CREATE TABLE state (mbx {int} NOT NULL, client TEXT NOT NULL, k TEXT NOT NULL, value {blob} NOT NULL)`,
  `CREATE UNIQUE INDEX state_key ON state (mbx, client, k)`,
  `CREATE TABLE once (mbx {int} NOT NULL, k TEXT NOT NULL, until {int} NOT NULL, PRIMARY KEY (mbx, k)) {clustered}`,
  `CREATE INDEX once_until ON once (until)`,
  // The outbound queue; body is JSON with what is never searched for.
  `CREATE TABLE queue (
     id {rowid}, mbx {int} NOT NULL, dest TEXT NOT NULL, due {int} NOT NULL, lease {int} NOT NULL, held {int} NOT NULL,
     expires {int} NOT NULL, created {int} NOT NULL, attempts {int} NOT NULL, blob {int} NOT NULL, body TEXT NOT NULL)`,
  `CREATE INDEX queue_due ON queue (held, due)`,
  // Where an original lies and how many rows name it.
  `CREATE TABLE blob (
     blob {rowid}, segment {int} NOT NULL, pos {int} NOT NULL, stored {int} NOT NULL, size {int} NOT NULL,
     crc {int} NOT NULL, refs {int} NOT NULL)`,
  `CREATE TABLE segment (
     segment {int} PRIMARY KEY, place TEXT NOT NULL, bytes {int} NOT NULL, live {int} NOT NULL, sealed {int} NOT NULL)`,
  // Item rows that went, until the search index has forgotten them.
  `CREATE TABLE dead (dead {rowid}, mbx {int} NOT NULL, item {int} NOT NULL)`,
]
