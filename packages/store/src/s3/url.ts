import type { S3Options } from './client.ts'

const HOSTS = /^(?:localhost|[\d.]+|\[[\da-f:.]+\])$/i

/**
 * A bucket as an address: `s3://key:secret@host[:port]/bucket[/prefix][?region=…&style=path|host&tls=off]`, each part percent-encoded. Keys that
 * are not in it come from `keys`. Path style is the default; `undefined` for what is no such address.
 */
export function parseS3Url(
  text: string,
  keys: { readonly accessKey?: string | undefined; readonly secretKey?: string | undefined } = {},
): S3Options | undefined {
  const match =
    /^s3:\/\/(?:([^:@/?#\s]*):([^@/?#\s]*)@)?([^@/?#\s]+)\/([a-z0-9][a-z0-9._-]{1,62})(?:\/([^?#\s]*))?(?:\?([^#\s]*))?$/.exec(
      text,
    )
  if (match === null) return undefined
  const [, accessKey = '', secretKey = '', host = '', bucket = '', prefix = '', query = ''] = match
  const settings = new URLSearchParams(query)
  const style = settings.get('style') ?? 'path'
  const tls = settings.get('tls') ?? 'on'
  if (![...settings.keys()].every((name) => ['region', 'style', 'tls'].includes(name))) return undefined
  if (!['path', 'host'].includes(style) || !['on', 'off'].includes(tls)) return undefined
  const endpoint = `${tls === 'off' ? 'http' : 'https'}://${host}`
  if (!URL.canParse(endpoint) || (style === 'host' && HOSTS.test(new URL(endpoint).hostname))) return undefined
  try {
    const folder = decodeURIComponent(prefix).replace(/\/+$/, '')
    return {
      endpoint,
      bucket,
      prefix: folder === '' ? '' : `${folder}/`,
      region: settings.get('region') ?? 'us-east-1',
      pathStyle: style === 'path',
      accessKey: accessKey === '' ? (keys.accessKey ?? '') : decodeURIComponent(accessKey),
      secretKey: secretKey === '' ? (keys.secretKey ?? '') : decodeURIComponent(secretKey),
    }
  } catch {
    return undefined
  }
}

/** Such an address without its secret. */
export const showS3Url = (text: string): string => text.replace(/^(s3:\/\/[^:@/]*):[^@/]*@/, '$1:***@')
