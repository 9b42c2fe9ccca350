import type { ArgumentReader } from '../reader.ts'

/** Arguments of commands about the connection: RFC 9051 §6.1, §6.2, RFC 2971, RFC 4978, RFC 5161, RFC 2177. */
export const sessionCommands = {
  CAPABILITY: none,
  NOOP: none,
  LOGOUT: none,
  STARTTLS: none,
  IDLE: none,
  AUTHENTICATE: (r: ArgumentReader) => {
    const mechanism = r.space().keyword()
    // RFC 4959: `=` stands for an empty initial response.
    const initialResponse = r.optionalSpace() ? r.astring() : undefined
    return { mechanism, initialResponse: initialResponse === '=' ? '' : initialResponse }
  },
  LOGIN: (r: ArgumentReader) => ({ user: r.space().text(), password: r.space().text() }),
  ENABLE: (r: ArgumentReader) => ({ capabilities: atoms(r) }),
  COMPRESS: (r: ArgumentReader) => ({ algorithm: r.space().keyword() }),
  ID: (r: ArgumentReader) => ({ parameters: readId(r) }),
} as const

export function none(): object {
  return {}
}

function atoms(r: ArgumentReader): string[] {
  const names = [r.space().keyword()]
  while (r.optionalSpace() && names.length < 64) names.push(r.keyword())
  return names
}

/** RFC 2971 §3.3: at most 30 pairs; keys in lower case. */
function readId(r: ArgumentReader): ReadonlyMap<string, string> {
  const parameters = new Map<string, string>()
  r.space()
  if (r.takeWord('NIL')) return parameters
  const strings = r.list(() => r.nstring())
  if (strings.length > 60 || strings.length % 2 === 1) r.fail('Invalid ID parameters')
  for (let i = 0; i < strings.length; i += 2) {
    const key = strings[i]
    if (key === undefined) r.fail('Invalid ID parameters')
    parameters.set(key.toLowerCase().slice(0, 30), (strings[i + 1] ?? '').slice(0, 1024))
  }
  return parameters
}
