import { FIRST_EPOCH, movedError } from '@postrider/domain'
import { read } from '../engine/sql/read.ts'
import { write } from '../engine/sql/write.ts'
import type { Connection } from './connection.ts'

const EPOCH = 'epoch'

/** The highest epoch that the database was ever opened with. */
export function storedEpoch(connection: Connection): number {
  const row = connection.all(read.settings).find(([name]) => name === EPOCH)
  return row === undefined ? FIRST_EPOCH : Number(row[1])
}

/**
 * Opens the database for an owner with this epoch (undefined: that of the last one) and answers it. Durable before the answer. Throws `moved`
 * when somebody with a higher epoch had it: this owner was replaced and must not write.
 */
export function takeEpoch(connection: Connection, epoch: number | undefined): number {
  const stored = storedEpoch(connection)
  if (epoch === undefined || epoch === stored) return stored
  if (epoch < stored) throw movedError(stored)
  writeEpoch(connection, epoch)
  return epoch
}

/** Nobody with an epoch below this opens the database again. */
export function writeEpoch(connection: Connection, epoch: number): void {
  connection.execute('BEGIN IMMEDIATE')
  connection.run(write.putSetting, EPOCH, String(epoch))
  connection.execute('COMMIT')
}
