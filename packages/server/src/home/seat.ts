import { once } from 'node:events'
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import type { MailboxService } from '@postrider/domain'
import { type Channel, listenSocket, type OwnerOptions, serveChannel, serveOwner } from '@postrider/link'
import { withSocketPath } from '../control/socket-path.ts'
import type { OwnerData, OwnerNews, OwnerOrder } from './side-channel.ts'

/** What an owner's thread is started with, as workerData. */
export interface ThreadStart {
  readonly data: OwnerData
  /** Name of the BroadcastChannel for news and orders. */
  readonly channel: string
}
/** What an owner's process is told first. */
export interface ProcessStart {
  readonly data: OwnerData
  /** File of the data folder, and what the caller will show there. */
  readonly socket: string
  readonly token: Uint8Array
}

/** The place an owner works in, seen from inside: a thread, or a process of its own. */
export interface Seat {
  readonly data: OwnerData
  tell(news: OwnerNews): void
  /** Calls the listener for every order from now on. */
  hear(listener: (order: OwnerOrder) => void): void
  /** Memory of its own, bytes. */
  memoryBytes(): number
  /** Serves, and tells that it is open. */
  serve(service: MailboxService, options: OwnerOptions): Promise<void>
  /** Lets go of everything that keeps the place running. */
  leave(): void
}

/** Takes further callers until it is closed. */
async function welcomeGuests(
  { guests, folder }: OwnerData,
  service: MailboxService,
  { log }: OwnerOptions,
): Promise<{ close(): void } | undefined> {
  if (guests === undefined) return undefined
  const channels = new Set<Channel>()
  const listening = await withSocketPath(folder, guests.socket, (path) =>
    listenSocket(path, guests.token, (channel) => {
      channels.add(channel)
      serveChannel(service, channel, { ...(log === undefined ? {} : { log }), closed: () => channels.delete(channel) })
    }),
  )
  return {
    close() {
      listening.close()
      for (const channel of [...channels]) channel.close()
    },
  }
}
/** The main process has gone or wants an end: nobody else is served any more. */
function closeGuests(guests: { close(): void } | undefined, options: OwnerOptions): void {
  guests?.close()
  options.closed?.()
}

/** The place this module was started in. */
export const takeSeat = (): Promise<Seat> => (parentPort === null ? processSeat() : Promise.resolve(threadSeat()))

function threadSeat(): Seat {
  const { data, channel: name } = workerData as ThreadStart
  const channel = new BroadcastChannel(name)
  const tell = (news: OwnerNews): void => channel.postMessage(news)
  return {
    data,
    tell,
    hear(listener) {
      channel.onmessage = (event) => listener((event as { data: OwnerOrder }).data)
    },
    memoryBytes: () => 0,
    async serve(service, options) {
      const guests = await welcomeGuests(data, service, options)
      serveOwner(parentPort, service, { ...options, closed: () => closeGuests(guests, options) })
      tell({ kind: 'open' })
    },
    leave() {
      channel.close()
      parentPort?.close()
    },
  }
}

/**
 * News and orders go over the channel that Node opens to a child, frames over the socket. The main process says when to stop, by closing the
 * frames: signals for the whole group (Ctrl-C) are its business. When it dies, this process ends at once, as if both had been killed together:
 * the next start recovers from the journal and must not find the databases taken.
 */
async function processSeat(): Promise<Seat> {
  process.umask(0o077)
  process.title = 'postrider-owner'
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  // An exit would wait for what the threads are doing.
  const orphaned = (): void => void process.kill(process.pid, 'SIGKILL')
  process.once('disconnect', orphaned)
  const [{ data, socket, token }] = (await once(process, 'message')) as [ProcessStart]
  const tell = (news: OwnerNews): void => {
    if (process.connected) process.send?.(news, undefined, undefined, () => {})
  }
  return {
    data,
    tell,
    hear(listener) {
      process.on('message', (order) => listener(order as OwnerOrder))
    },
    memoryBytes: () => process.memoryUsage.rss(),
    async serve(service, options) {
      const guests = await welcomeGuests(data, service, options)
      await withSocketPath(data.folder, socket, async (path) => {
        const { promise, resolve } = Promise.withResolvers<Channel>()
        let taken = false
        const listening = await listenSocket(path, token, (channel) => {
          if (taken) channel.close()
          taken = true
          resolve(channel)
        })
        tell({ kind: 'open' })
        const channel = await promise
        listening.close()
        serveChannel(service, channel, { ...options, closed: () => closeGuests(guests, options) })
      })
    },
    leave() {
      process.off('disconnect', orphaned)
      if (process.connected) process.disconnect?.()
    },
  }
}
