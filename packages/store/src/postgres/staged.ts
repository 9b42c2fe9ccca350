/** The segment of what lies in `staged`: real ones count from 1. */
export const STAGED = 0

/** Originals on their way to a segment. */
export const stagedSql = {
  add: `INSERT INTO staged (blob, part, at, bytes) VALUES (?, ?, ?, ?)`,
  remove: `DELETE FROM staged WHERE blob = ?`,
  parts: `SELECT blob, bytes FROM staged WHERE blob = ANY(?::bigint[]) ORDER BY blob, part`,
  waiting: `SELECT blob, stored, size, crc FROM blob WHERE segment = 0 ORDER BY blob`,
  unnamed: `DELETE FROM staged s WHERE at <= ? AND NOT EXISTS (SELECT 1 FROM blob b WHERE b.blob = s.blob)`,
} as const
