/**
 * JMAP: RFC 8620, 8621, 9007, 9404, 9425, and the principals of 9670. In: authenticated HTTP requests and the interfaces of the domain; out:
 * answers, files, events. Everything the web client does goes through here, and so may any other client. Invariants: every access goes through
 * the door; an answer is as new as its question; a state says exactly what came after it; what is sent is durable first. Read next:
 * methods.ts (what there is), core/dispatch.ts (how a request is run), view/view.ts (where the answers come from).
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { MailboxEntry, Principal } from '@postrider/domain'
import { handleApi } from './http/api.ts'
import { handleDownload, handleUpload } from './http/files.ts'
import { sendJson, sendStatus } from './http/respond.ts'
import { paths, sessionObject } from './http/session.ts'
import { inside, type JmapInside } from './inside.ts'
import type { JmapParts } from './parts.ts'
import { handleEvents } from './push/events.ts'
import { MAX_SIZE_REQUEST, MAX_SOCKETS } from './limits.ts'
import { Jmap } from './service.ts'
import { JmapSocket, type TextSocket } from './websocket/socket.ts'

/** Bytes of one message over a WebSocket. */
export const MAX_SOCKET_MESSAGE: number = MAX_SIZE_REQUEST
export { accountIdOf } from './core/ids.ts'
export { paths as jmapPaths } from './http/session.ts'
export type { JmapInside } from './inside.ts'
export { type PushSender, Vapid } from './webpush/index.ts'

export interface JmapService {
  /** One request. `base`: the origin the client came by, for the URLs of the session. Rejects only for our own faults. */
  handle(request: IncomingMessage, response: ServerResponse, principal: Principal, base: string): Promise<void>
  /** A WebSocket that was opened with the subprotocol `jmap`: RFC 8887. Undefined when the user has too many. */
  attach(socket: TextSocket, principal: Principal, base: string): JmapSocket | undefined
  /** The same for pages the server makes itself. */
  readonly inside: JmapInside
  /** Does work of another protocol that changes what `member` has of `owner`'s folders; `gives`: it may give a right. */
  giving(owner: MailboxEntry, member: MailboxEntry, gives: boolean, work: () => Promise<void>): Promise<void>
  /** Takes up what was held for sending. */
  start(): Promise<void>
  /** Ends event sources and timers. */
  drain(): void
}

/** `path` in lower case, as routers have it. */
export const isJmapPath = (path: string): boolean =>
  path === paths.session ||
  path === paths.api ||
  path === paths.events ||
  path.startsWith(paths.upload) ||
  path.startsWith(paths.download)

export function createJmap(parts: JmapParts): JmapService {
  const jmap = new Jmap(parts)
  return {
    inside: inside(jmap),
    start: () => jmap.start(),
    giving: (owner, member, gives, work) =>
      jmap.given.around(owner, member, gives, work, () => jmap.given.has(owner, member)),
    drain() {
      jmap.stop()
      for (const source of [...jmap.sources]) source.close()
    },
    attach(socket, principal, base) {
      const leave = jmap.enter('socket', principal.account, MAX_SOCKETS)
      return leave === undefined ? undefined : new JmapSocket(jmap, principal, base, socket, leave)
    },
    async handle(request, response, principal, base) {
      const path =
        (request.url ?? '')
          .split('?', 1)[0]
          ?.replace(/^https?:\/\/[^/]*/i, '')
          .toLowerCase() ?? ''
      if (path === paths.api) return handleApi(jmap, request, response, principal, base)
      if (path.startsWith(paths.download)) return handleDownload(jmap, request, response, principal)
      if (path.startsWith(paths.upload)) return handleUpload(jmap, request, response, principal)
      if (path === paths.events) return handleEvents(jmap, request, response, principal)
      if (request.method !== 'GET' && request.method !== 'HEAD')
        return sendStatus(request, response, 405, 'Only GET is possible here.', { Allow: 'GET, HEAD' })
      await sendJson(request, response, await sessionObject(jmap, principal, base))
    },
  }
}
