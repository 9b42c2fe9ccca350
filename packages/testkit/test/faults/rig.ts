/**
 * A server under load with shim.c before its disk, and the folders that power cuts at moments of that run may leave, each started and held
 * against the ledger.
 */
import assert from 'node:assert/strict'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { sleep, until } from '../../src/process/index.ts'
import { without } from '../../src/programs/index.ts'
import { TestServer } from '../../src/server/index.ts'
import { Disk, type Mode } from './journal.ts'
import { Ledger, reconcile } from './ledger.ts'
import { accounts, load } from './load.ts'
import { buildShim, Control } from './shim.ts'

/** Why tests with the shim are left out, if so. */
export const skipShim: string | false = process.platform === 'linux' ? without('gcc') : 'needs LD_PRELOAD'

const MODES: readonly Mode[] = ['none', 'random', 'random', 'all']

export interface Recording {
  /** The folder as it was before, synced. */
  readonly base: string
  readonly log: string
  readonly ledger: Ledger
}

/** What a scene may do while the load runs. */
export interface Scene {
  readonly server: TestServer
  readonly control: Control
  readonly ledger: Ledger
}

export interface RecordOptions {
  readonly config?: Readonly<Record<string, unknown>>
  /** Runs beside the load, which ends with it. */
  readonly play: (scene: Scene) => Promise<void>
}

/** Lets a server work under load with the shim before its disk. It is running when `play` ends, and then gone. */
export async function record(folder: string, { config = {}, play }: RecordOptions): Promise<Recording> {
  const base = join(folder, 'base')
  const data = join(folder, 'data')
  const log = join(folder, 'log')
  {
    await using first = await TestServer.start({ folder: base, config })
    for (const { user, password } of accounts) await first.addUser(user, password)
  }
  cpSync(base, data, { recursive: true })
  const library = await buildShim(folder)
  const controlFile = join(folder, 'control')
  const control = new Control(controlFile)
  const ledger = new Ledger()
  const env = {
    LD_PRELOAD: library,
    POSTRIDER_FAULT_ROOT: data,
    POSTRIDER_FAULT_LOG: log,
    POSTRIDER_FAULT_CONTROL: controlFile,
  }
  const server = await TestServer.start({ folder: data, env })
  let stop = false
  const loaded = load(server, ledger, () => stop)
  loaded.catch(() => {}) // awaited below
  try {
    await Promise.race([play({ server, control, ledger }), loaded])
  } finally {
    stop = true
    await server.kill()
    control.close()
  }
  await loaded
  return { base, log, ledger }
}

/** Waits until so many more mails are acknowledged than when it was called. */
export async function acknowledged(ledger: Ledger, more: number): Promise<void> {
  const goal = ledger.promised.mails.size + more
  await until(`${more} more mails are acknowledged`, () => ledger.promised.mails.size >= goal, 120_000)
  await sleep(1)
}

/** Starts a server on an image and holds it against the ledger. */
async function verify(image: string, ledger: Ledger, at: number): Promise<void> {
  await using server = await TestServer.start({ folder: image })
  await reconcile(server, ledger.at(at), accounts)
  const { code, stdout, stderr } = await server.command(['store', 'check', '--json'])
  assert.equal(code, 0, stdout + stderr)
}

export interface Cuts {
  readonly count: number
  readonly random: () => number
  /** For the control of the rig: as if the program had never synced. */
  readonly ignoreSyncs?: boolean
  readonly modes?: readonly Mode[]
  /** Not before this moment of the monotonic clock, ms. */
  readonly from?: number
  /** Not behind this one. */
  readonly to?: number
}

/** Cuts the power at moments of a recording; rejects with the first image on which something acknowledged is missing. Answers the disk. */
export async function cutPower(recording: Recording, folder: string, cuts: Cuts): Promise<Disk> {
  const { count, random, modes = MODES, from = 0, to = Number.POSITIVE_INFINITY } = cuts
  const disk = new Disk(recording.base, recording.log, cuts.ignoreSyncs)
  const borders = disk.borders().filter((cut) => disk.timeOf(cut) >= from && disk.timeOf(cut) <= to)
  const first = disk.cutAt(from)
  const last = disk.cutAt(to)
  assert.ok(last - first > 5, `${last - first} changes noted`)
  const moments = Array.from({ length: count }, () => {
    const border = borders[Math.floor(random() * borders.length)] ?? last
    return random() < 0.5 ? border : first + 1 + Math.floor(random() * (last - first))
  }).sort((a, b) => a - b)
  for (const [n, cut] of moments.entries()) {
    const mode = modes[n % modes.length] ?? 'random'
    const image = join(folder, `image-${n}`)
    disk.advance(cut)
    disk.write(image, mode, random)
    try {
      await verify(image, recording.ledger, disk.timeOf(cut))
    } catch (error) {
      throw new Error(`image ${n}, change ${cut} of ${disk.length}, ${mode}: ${String(error)}`, { cause: error })
    }
    rmSync(image, { recursive: true, force: true })
  }
  return disk
}
