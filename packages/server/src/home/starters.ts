import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { constants } from 'node:os'
import { BroadcastChannel } from 'node:worker_threads'
import { type Channel, connectSocket, startOwnerWorker, TOKEN_BYTES } from '@postrider/link'
import { withSocketPath } from '../control/socket-path.ts'
import type { ProcessStart, ThreadStart } from './seat.ts'
import type { OwnerData, OwnerNews, OwnerOrder } from './side-channel.ts'

/** An owner that was started, seen from outside. */
export interface StartedOwner {
  /** Resolves when it has ended, with its exit code; 128 and the signal's number when it was killed. */
  readonly ended: Promise<number>
  order(order: OwnerOrder): void
  /** The channel for frames. To be asked for once, after the news `open`. Rejects when the owner does not take it. */
  connect(): Promise<Channel>
  /** Closes the channel and waits until the owner has closed its databases and ended; after STOP_MS it is stopped hard. */
  stop(): Promise<number>
}

/** Starts an owner from its module; `hear` is called with its news. */
export type StartOwner = (module: URL, data: OwnerData, hear: (news: OwnerNews) => void) => StartedOwner

/** How long a process has to end by itself after its channel closed. */
const STOP_MS = 10_000

let started = 0

const startThread: StartOwner = (module, data, hear) => {
  const channel = `postrider-owner-${process.pid}-${++started}`
  const side = new BroadcastChannel(channel)
  side.onmessage = (event) => hear((event as { data: OwnerNews }).data)
  const start: ThreadStart = { data, channel }
  const worker = startOwnerWorker(module, start)
  void worker.ended.then(() => side.close())
  return {
    ended: worker.ended,
    order: (order) => side.postMessage(order),
    connect: async () => worker.channel,
    stop: () => worker.stop(),
  }
}

const startProcess: StartOwner = (module, data, hear) => {
  const start: ProcessStart = { data, socket: `${data.thread}.sock`, token: randomBytes(TOKEN_BYTES) }
  const child = fork(module, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const tell = (message: ProcessStart | OwnerOrder): void => {
    // It may be gone: `ended` says so.
    if (child.connected) child.send(message, () => {})
  }
  const ended = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
    child.once('error', (error) => {
      hear({ kind: 'failed', message: error.message })
      if (child.pid === undefined) resolve(1)
    })
  })
  child.on('message', (news) => hear(news as OwnerNews))
  tell(start)
  let channel: Channel | undefined
  return {
    ended,
    order: tell,
    async connect() {
      channel = await withSocketPath(data.folder, start.socket, (path) => connectSocket(path, start.token))
      return channel
    },
    async stop() {
      if (channel !== undefined) channel.close()
      else if (child.connected) child.disconnect()
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      const code = await ended
      clearTimeout(timer)
      return code
    },
  }
}

/** Where owners run. A process may be killed, or run out of memory, without its clients' connections ending. */
export const starters = { thread: startThread, process: startProcess } as const satisfies Record<string, StartOwner>
export type OwnerKind = keyof typeof starters
