/**
 * Builds shim.c, and the small file through which a test sets what it does to a running program. gcc is asked for by `without('gcc')`.
 */
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../src/process/index.ts'

const CONTROL_BYTES = 4_096
/** Numbers of the control file, in the order of shim.c. */
const places = {
  /** The sync that fails, counted from now; 0: none. Later ones succeed again, as they falsely do on Linux. */
  failSyncIn: 0,
  syncDelayMicros: 1,
  writeDelayMicros: 2,
  clockOffsetNanos: 3,
  syncsSeen: 4,
  syncsFailed: 5,
  /** 1: only syncs of write-ahead logs are counted and fail. */
  failLogsOnly: 7,
} as const
type Place = keyof typeof places

/** What the shim is told while the program runs, and what it has counted. */
export class Control {
  readonly #fd: number

  constructor(path: string) {
    writeFileSync(path, Buffer.alloc(CONTROL_BYTES))
    this.#fd = openSync(path, 'r+')
  }
  set(place: Place, value: number): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigInt64LE(BigInt(Math.round(value)))
    writeSync(this.#fd, bytes, 0, 8, places[place] * 8)
  }
  get(place: Place): number {
    const bytes = Buffer.alloc(8)
    readSync(this.#fd, bytes, 0, 8, places[place] * 8)
    return Number(bytes.readBigInt64LE())
  }
  close(): void {
    closeSync(this.#fd)
  }
}

/** Compiles the shim into `folder`; answers its path. Rejects with what the compiler says. */
export async function buildShim(folder: string): Promise<string> {
  const library = join(folder, 'shim.so')
  const source = join(import.meta.dirname, 'shim.c')
  const { code, stderr } = await run('gcc', ['-shared', '-fPIC', '-O2', '-o', library, source, '-ldl', '-lpthread'])
  if (code !== 0) throw new Error(`gcc: ${stderr}`)
  return library
}
