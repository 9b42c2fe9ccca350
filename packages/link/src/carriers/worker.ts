import type { MailboxService } from '@postrider/domain'
import { type MessagePort, Worker } from 'node:worker_threads'
import type { Channel } from '../channel.ts'
import { type OwnerOptions, serveChannel } from '../owner.ts'
import { type Leaving, PortChannel } from './port.ts'

/** How long a worker has to end by itself after its channel closed. */
export const WORKER_STOP_MS = 10_000

/**
 * The young generation of an owner's heap, MB. V8 collects the whole heap again and again where the old generation may grow by less than the young one
 * holds, and what an owner keeps in JavaScript is little (13 MB): with V8's default of 64 that was every 300 mails.
 */
const YOUNG_MB = 12

/** An owner in a worker thread, seen from outside. */
export interface OwnerWorker {
  readonly channel: Channel
  /** Resolves when the thread has ended, with its exit code. */
  readonly ended: Promise<number>
  /** Closes the channel and waits until the worker has closed its service and ended; after WORKER_STOP_MS it is stopped hard. */
  stop(): Promise<number>
}

/** Starts a worker thread from a module that calls `serveOwner`. `workerData` is what the module finds under that name. */
export function startOwnerWorker(url: URL, workerData: unknown): OwnerWorker {
  const worker = new Worker(url, { workerData, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } })
  const ended = new Promise<number>((resolve) => worker.once('exit', resolve))
  const channel = new PortChannel(worker, () => {}, 'turn')
  return {
    channel,
    ended,
    async stop() {
      channel.close()
      const timer = setTimeout(() => void worker.terminate(), WORKER_STOP_MS)
      const code = await ended
      clearTimeout(timer)
      return code
    },
  }
}

/** A channel over a port of a MessageChannel. */
export const portChannel = (port: MessagePort, leaving: Leaving = 'task'): Channel =>
  new PortChannel(port, () => port.close(), leaving)

/**
 * Inside a worker: serves `service` over the worker's own port (parentPort). When `closed` is called, the other side has closed: close the service
 * there; the thread then ends by itself.
 */
export function serveOwner(port: MessagePort | null, service: MailboxService, options: OwnerOptions = {}): void {
  if (port === null) throw new TypeError('serveOwner runs in a worker thread')
  serveChannel(service, portChannel(port), options)
}
