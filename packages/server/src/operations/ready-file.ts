import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { FirstMailbox } from '../first-start.ts'

export interface ReadyFile {
  readonly pid: number
  readonly listeners: Readonly<Record<string, { readonly host: string; readonly port: number }>>
  readonly mailbox: FirstMailbox | undefined
}

/** Written aside and renamed: whoever sees the file sees all of it. It holds a password, so it is the owner's alone. */
export function writeReadyFile(file: string, ready: ReadyFile): void {
  mkdirSync(dirname(resolve(file)), { recursive: true })
  const aside = `${file}.${process.pid}.tmp`
  writeFileSync(aside, `${JSON.stringify(ready, null, 2)}\n`, { mode: 0o600 })
  renameSync(aside, file)
}
export function removeReadyFile(file: string): void {
  rmSync(file, { force: true })
}
