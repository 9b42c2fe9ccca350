import type { Directory } from '@postrider/domain'
import { activeSyncUrl, type AutodiscoverAnswer, poxUrl, type Site } from './site.ts'

/** Protocols of Autodiscover v2 that we have an address for; the name is answered as it stands here. */
const urls: readonly (readonly [name: string, url: (site: Site) => string])[] = [
  ['ActiveSync', activeSyncUrl],
  ['AutodiscoverV1', poxUrl],
]

const json = (status: number, value: object): AutodiscoverAnswer => ({
  status,
  contentType: 'application/json; charset=utf-8',
  body: JSON.stringify(value),
})
const refuse = (status: number, code: string, message: string): AutodiscoverAnswer =>
  json(status, { ErrorCode: code, ErrorMessage: message })

/**
 * Autodiscover v2: `autodiscover.json?Email=…&Protocol=…` and `autodiscover.json/v1.0/{email}?Protocol=…`, without authentication. It says
 * where a domain's services are, never whether a user exists.
 */
export function answerJson(path: string, query: URLSearchParams, directory: Directory, site: Site): AutodiscoverAnswer {
  const inPath = /\/v1(?:\.0)?\/([^/]{1,320})\/?$/i.exec(path)?.[1]
  const asked = parameter(query, 'email') ?? (inPath === undefined ? undefined : decodeComponent(inPath))
  if (asked === undefined || !/^[^@\s]{1,64}@[^@\s]{1,255}$/.test(asked))
    return refuse(400, 'MandatoryParameterMissing', 'A valid smtp address must be provided')
  const protocol = parameter(query, 'protocol')
  if (protocol === undefined || protocol === '')
    return refuse(400, 'MandatoryParameterMissing', "A valid value must be provided for the query parameter 'Protocol'")
  const found = urls.find(([name]) => name.toLowerCase() === protocol.toLowerCase())
  if (found === undefined) {
    const supported = urls.map(([name]) => name).join(', ')
    // The value goes back into JSON only; it is cut so that nobody can fill our logs and answers.
    const shown = protocol.slice(0, 40)
    return refuse(
      400,
      'InvalidProtocol',
      `The given protocol value '${shown}' is invalid. Supported values are '${supported}'`,
    )
  }
  const place = directory.resolve(asked)
  if (place.kind === 'outside' && !place.relay) return refuse(404, 'UserNotFound', 'The given user is not found')
  return json(200, { Protocol: found[0], Url: found[1](site) })
}

function parameter(query: URLSearchParams, name: string): string | undefined {
  for (const [key, value] of query) if (key.toLowerCase() === name) return value.trim()
  return undefined
}
function decodeComponent(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
