/**
 * Autodiscover: how a device finds everything from an address and a password. POX for phones (mobilesync schema) and Outlook (outlook schema,
 * [MS-ASCMD] §2.2.1.1, [MS-OXDSCLI]), JSON v2, and Thunderbird's autoconfiguration. In: one request, read whole, and the live `Site`. Out: one
 * answer. Invariant: without a login it speaks of domains, never of people. Read next: pox.ts, json.ts.
 */
import { type Clock, type Directory, systemClock } from '@postrider/domain'
import { autoconfig } from './autoconfig.ts'
import { answerJson } from './json.ts'
import { answerPox, invalidRequest } from './pox.ts'
import type { AutodiscoverAnswer, AutodiscoverRequest, Site } from './site.ts'

export type { AutodiscoverAnswer, AutodiscoverRequest, Reach, Site } from './site.ts'
export { MAX_XML_BYTES as MAX_AUTODISCOVER_BYTES } from './xml-reader.ts'

/** What a path (without query, in any case) is. `undefined`: not ours. */
export function autodiscoverKind(path: string): 'pox' | 'json' | 'autoconfig' | undefined {
  const lower = path.toLowerCase()
  if (lower === '/autodiscover/autodiscover.xml') return 'pox'
  if (lower === '/autodiscover/autodiscover.json' || lower.startsWith('/autodiscover/autodiscover.json/')) return 'json'
  if (lower === '/mail/config-v1.1.xml' || lower === '/.well-known/autoconfig/mail/config-v1.1.xml') return 'autoconfig'
  return undefined
}

const xml = (body: string): AutodiscoverAnswer => ({ status: 200, contentType: 'text/xml; charset=utf-8', body })
const plain = (status: number, body: string): AutodiscoverAnswer => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body,
})

export interface AutodiscoverParts {
  readonly directory: Directory
  readonly clock?: Clock
}

/** Answers one request. POX needs a principal (the server asks for Basic first), the others must work without. */
export function createAutodiscover({ directory, clock = systemClock }: AutodiscoverParts): {
  answer(request: AutodiscoverRequest, site: Site): AutodiscoverAnswer
} {
  return {
    answer({ method, url, body, principal }, site) {
      const [path = '', search = ''] = url.split('?', 2)
      const kind = autodiscoverKind(path)
      if (kind === 'pox') {
        if (principal === undefined) return plain(401, 'Authentication is needed.\n')
        // Exchange answers a GET like a request that makes no sense; some clients probe with it.
        if (method !== 'POST') return xml(invalidRequest(clock.now()))
        return xml(answerPox(body, { directory, site, principal, now: clock.now() }))
      }
      if (kind === undefined) return plain(404, 'Not found.\n')
      if (method !== 'GET' && method !== 'HEAD') return plain(405, 'Only GET is possible here.\n')
      const query = new URLSearchParams(search)
      if (kind === 'json') return answerJson(path, query, directory, site)
      return xml(autoconfig(query, directory, site))
    },
  }
}
