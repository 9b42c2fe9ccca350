import type { JmapService } from '@postrider/protocols/jmap'
import { isJmapPath, jmapPaths } from '@postrider/protocols/jmap'
import { type Route, reply } from './router.ts'
import { hostOf } from './site.ts'

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
      name: 'jmap',
      matches: isJmapPath,
      protocol: 'web',
      session: true,
      handle: (request, response, principal) => jmap.handle(request, response, principal!, base(request.headers.host)),
    },
  ]
}
