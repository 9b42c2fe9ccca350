import { setPriority } from 'node:os'
import { damageOfIndex } from '../sqlite/whereabouts.ts'
import { removeIndex } from './index-database.ts'
import { Indexer } from './indexer.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'

/** From this many calls a second on, indexing takes turns with the deliveries: it rests this many times as long as it worked. */
const paces: readonly { readonly callsPerSecond: number; readonly rest: number }[] = [
  { callsPerSecond: 1_000, rest: 12 },
  { callsPerSecond: 200, rest: 4 },
  { callsPerSecond: 0, rest: 0.2 },
]
/** A broken index is tried again after this time, ms. */
const RETRY_MS = 5_000
const NICE = 10

const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

export interface Served {
  take(message: ToWorker): Promise<void>
  close(): Promise<void>
}

/** The indexing thread: works while there is something to do, gently while the store is busy, sleeps otherwise. */
export function serveIndex({ databases, activity }: WorkerStart, post: (message: FromWorker) => void): Served {
  // On Linux this is the priority of the calling thread alone; elsewhere it would be the whole process.
  if (process.platform === 'linux') setPriority(0, NICE)
  const calls = new Int32Array(activity)
  const open = new Map<string, Indexer>()
  let wake: () => void = () => {}
  let woken = true
  let hurry = false
  let closed = false
  let end: () => void = () => {}
  const ending = new Promise<void>((resolve) => {
    end = resolve
  })

  const indexer = (name: string): Indexer => {
    let one = open.get(name)
    if (one === undefined) {
      const database = databases.find((each) => each.name === name)
      if (database === undefined) throw new Error(`no database ${name}`)
      one = new Indexer(database, (reason) =>
        post({ kind: 'trouble', database: name, message: `index made anew: ${reason}` }),
      )
      open.set(name, one)
    }
    return one
  }

  /** One step; false when there was nothing to do. */
  const step = (name: string): boolean => {
    const { item, dead, done } = indexer(name).step()
    if (!done) post({ kind: 'progress', database: name, item, dead })
    return !done
  }

  const failed = async (name: string, error: unknown): Promise<void> => {
    post({ kind: 'trouble', database: name, message: String(error) })
    try {
      open.get(name)?.close()
    } catch (cause) {
      post({ kind: 'trouble', database: name, message: String(cause) })
    }
    open.delete(name)
    const path = databases.find((each) => each.name === name)?.index
    // The damage may be in the mailbox database: then a new index would not help.
    if (path !== undefined && damageOfIndex(path) !== undefined) {
      removeIndex(path)
      // Made anew at once, so that the searching thread finds it.
      indexer(name)
      post({ kind: 'reset', database: name })
    }
    await Promise.race([sleep(RETRY_MS), ending])
  }

  const pause = async (workedMs: number, before: number, startedAt: number): Promise<void> => {
    if (hurry) return sleep(0)
    const seconds = Math.max(0.001, (performance.now() - startedAt) / 1000)
    const rate = (Atomics.load(calls, 0) - before) / seconds
    const { rest } = paces.find((one) => rate >= one.callsPerSecond) ?? { rest: 0 }
    return sleep(workedMs * rest)
  }

  const loop = async (): Promise<void> => {
    let before = Atomics.load(calls, 0)
    let startedAt = performance.now()
    while (!closed) {
      let worked = false
      for (const { name } of databases) {
        if (closed) return
        const began = performance.now()
        try {
          if (!step(name)) continue
        } catch (error) {
          await failed(name, error)
          continue
        }
        worked = true
        const took = performance.now() - began
        await pause(took, before, startedAt)
        before = Atomics.load(calls, 0)
        startedAt = performance.now()
      }
      if (worked || closed) continue
      hurry = false
      if (!woken) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      woken = false
    }
  }
  const running = loop()

  return {
    async take(message) {
      if (message.kind === 'hurry') hurry = true
      if (message.kind === 'checkpoint') {
        post({ kind: 'checkpointed', id: message.id, left: indexer(message.database).checkpoint() })
        return
      }
      woken = true
      wake()
    },
    async close() {
      closed = true
      wake()
      end()
      await running
      for (const one of open.values()) one.close()
    },
  }
}
