import type { JmapService } from '@postrider/protocols/jmap'
import { isJmapPath, jmapPaths, MAX_SOCKET_MESSAGE } from '@postrider/protocols/jmap'
import { type Route, reply } from './router.ts'
import { hostOf } from './site.ts'
import { openSocket } from './websocket.ts'

/**
 * The places of JMAP: the well-known one (RFC 8620 §2.2), which leads to the session, and JMAP's own behind authentication. URLs of the
 * session carry the configured origin, else the one the client came by.
 */
export function jmapRoutes(jmap: JmapService, externalUrl: () => string): Route[] {
  const base = (hostHeader: string | undefined): string => {
    if (externalUrl() !== '') return new URL(externalUrl()).origin
    const asked = hostOf(hostHeader)
    return asked === undefined ? '' : `https://${asked.host}${asked.port === 443 ? '' : `:${asked.port}`}`
  }
  return [
    {
      name: 'jmap-well-known',
      matches: (path) => path === jmapPaths.wellKnown,
      handle: (_request, response) =>
        reply(response, 307, '', { Location: jmapPaths.session, 'Cache-Control': 'no-store' }),
    },
    {
      name: 'jmap-socket',
      matches: (path) => path === jmapPaths.socket,
      protocol: 'jmap',
      session: true,
      handle: (request, response, principal) =>
        openSocket(request, response, { protocol: 'jmap', maxMessage: MAX_SOCKET_MESSAGE }, (socket) => {
          const transport = {
            send: (text: string) => socket.send(text),
            close: (code: number, reason: string) => socket.close(code, reason),
            get waiting() {
              return socket.bufferedAmount
            },
          }
          const attached = jmap.attach(transport, principal!, base(request.headers.host))
          if (attached === undefined) return undefined
          return {
            message: (data, binary) => void attached.take(data, binary),
            closed: () => attached.gone(),
          }
        }),
    },
    {
      name: 'jmap',
      matches: isJmapPath,
      protocol: 'jmap',
      session: true,
      handle: (request, response, principal) => jmap.handle(request, response, principal!, base(request.headers.host)),
    },
  ]
}
