import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Connection } from './connection.ts'
import { read } from '../engine/sql/read.ts'

/** One file for each number, named by it, with the name of the database that has it. */
const FOLDER = '.numbers'

/**
 * The number of a database, which references and queue ids carry: the one it was made with, or for a new one the first that no other of the
 * folder has, from `first` on. Several owners may make databases at the same time: a number belongs to whoever makes its file.
 */
export function databaseNumber(home: string, name: string, first = 0): number {
  const folder = join(home, FOLDER)
  mkdirSync(folder, { recursive: true })
  const own = numberInside(join(home, name, 'mailbox.sqlite'))
  if (own !== undefined) {
    take(folder, own, name)
    return own
  }
  const files = readdirSync(folder).filter((file) => readFileSync(join(folder, file), 'utf8') === name)
  if (files[0] !== undefined) return Number(files[0])
  for (let number = first; ; number++) if (take(folder, number, name)) return number
}

function take(folder: string, number: number, name: string): boolean {
  try {
    writeFileSync(join(folder, String(number)), name, { flag: 'wx', flush: true })
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function numberInside(path: string): number | undefined {
  if (!existsSync(path)) return undefined
  // Read only: closing it must not copy the log, which is the owner's to do.
  const connection = new Connection(path, { readOnly: true })
  try {
    const settings = connection.get(`SELECT 1 FROM sqlite_master WHERE name = 'setting'`)
    if (settings === undefined) return undefined
    const row = connection.all(read.settings).find(([name]) => name === 'number')
    return row === undefined ? undefined : Number(row[1])
  } finally {
    connection.close()
  }
}
