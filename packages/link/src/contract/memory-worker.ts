/** A worker thread that owns a memory store; its clock stands in memory shared with the test. */
import { parentPort, workerData } from 'node:worker_threads'
import { openMemoryStore } from '@postrider/store/memory'
import { serveOwner } from '../carriers/worker.ts'

const { clock } = workerData as { clock?: SharedArrayBuffer }
const now = clock === undefined ? () => Date.now() : () => new Float64Array(clock)[0] as number
const store = openMemoryStore({ clock: { now, monotonic: now } })
serveOwner(parentPort, store, { closed: () => void store.close() })
