import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { writeAtomically } from '../transfer/write-file.ts'

/** Of one machine, of the running server, or sent in another way. */
const own =
  /^(?:control\.sock|.*\.sock|postrider\.(?:lock|pid|json)|ready\.json|mailboxes|before-.*|backup-work|restoring.*|standby\..*|directory\.db(?:-wal|-shm|-sums)?|.*\.new)$/
/** Certificates, keys and notes are small. */
const MAX_FILE_BYTES = 64 * 1024 * 1024

export interface SentFile {
  readonly path: string
  readonly mode: number
  /** Changes when the file does. */
  readonly mark: string
}

/** The small files of a data folder that a standby needs too. */
export function smallFiles(dataFolder: string): SentFile[] {
  const files: SentFile[] = []
  const walk = (folder: string, except: RegExp | undefined): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (except?.test(entry.name)) continue
      const path = join(folder, entry.name)
      if (entry.isDirectory()) walk(path, undefined)
      else if (entry.isFile()) {
        const { size, mtimeMs, mode, ino } = statSync(path)
        if (size <= MAX_FILE_BYTES)
          files.push({ path: relative(dataFolder, path), mode: mode & 0o777, mark: `${size} ${mtimeMs} ${ino}` })
      }
    }
  }
  walk(dataFolder, own)
  const numbers = join(dataFolder, 'mailboxes', '.numbers')
  if (existsSync(numbers)) walk(numbers, undefined)
  return files
}

/** Changes when the directory was written to. */
export function directoryMark(dataFolder: string): string {
  return ['directory.db', 'directory.db-wal']
    .map((name) => {
      const path = join(dataFolder, name)
      if (!existsSync(path)) return '-'
      const { size, mtimeMs } = statSync(path)
      return `${size} ${mtimeMs}`
    })
    .join()
}

/** A path of the other server below this folder. Throws when it leads elsewhere. */
function below(dataFolder: string, path: string): string {
  const whole = resolve(dataFolder, path)
  if (!whole.startsWith(`${resolve(dataFolder)}${sep}`)) throw new Error(`a path out of the data folder: ${path}`)
  return whole
}

export function keepFile(dataFolder: string, path: string, mode: number, bytes: Uint8Array): void {
  const file = below(dataFolder, path)
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  if (bytes.length === 0) writeFileSync(file, '', { mode })
  else writeAtomically(file, bytes)
  chmodSync(file, mode)
}

export function dropFile(dataFolder: string, path: string): void {
  rmSync(below(dataFolder, path), { force: true })
}

export const fileBytes = (dataFolder: string, path: string): Buffer => readFileSync(below(dataFolder, path))
