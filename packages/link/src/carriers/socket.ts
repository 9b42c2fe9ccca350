import { timingSafeEqual } from 'node:crypto'
import { chmodSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import type { Channel } from '../channel.ts'
import { MAX_IN_FLIGHT_BYTES } from '../messages.ts'
import { streamChannel } from './stream.ts'

/** Bytes of the secret that a caller shows first. */
export const TOKEN_BYTES = 32
/** How long a caller has to show it. */
const HELLO_MS = 5_000
/** Connections that have not shown it yet. */
const MAX_STRANGERS = 16

/**
 * Listens on a unix socket that only this user can connect to (0600), and calls `joined` with a channel for every caller that shows the token.
 * Others are cut off. A dead socket file in the way is removed. Rejects when the path cannot be listened on. `close` ends the listening, not
 * the channels.
 */
export async function listenSocket(
  path: string,
  token: Uint8Array,
  joined: (channel: Channel) => void,
): Promise<{ close(): void }> {
  const strangers = new Set<Socket>()
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    if (strangers.size >= MAX_STRANGERS) {
      socket.destroy()
      return
    }
    strangers.add(socket)
    const timer = setTimeout(() => socket.destroy(), HELLO_MS)
    const known = (): void => {
      clearTimeout(timer)
      strangers.delete(socket)
    }
    socket.once('close', known)
    const look = (): void => {
      const shown = socket.read(TOKEN_BYTES) as Buffer | null
      if (shown === null) return
      socket.off('readable', look)
      known()
      if (shown.length === TOKEN_BYTES && timingSafeEqual(shown, token))
        joined(streamChannel(socket, { unreadLimit: MAX_IN_FLIGHT_BYTES }))
      else socket.destroy()
    }
    socket.on('readable', look)
  })
  rmSync(path, { force: true })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => {
      server.off('error', reject)
      resolve()
    })
  })
  chmodSync(path, 0o600)
  return {
    close() {
      server.close()
      for (const socket of strangers) socket.destroy()
      rmSync(path, { force: true })
    },
  }
}

/** A channel to who listens there. Rejects when nobody does; who knows another token closes the channel at once. */
export function connectSocket(path: string, token: Uint8Array): Promise<Channel> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.write(token)
      resolve(streamChannel(socket))
    })
  })
}
