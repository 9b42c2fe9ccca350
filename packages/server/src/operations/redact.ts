/** Names of fields whose values never reach a log, at any place of the first two levels. */
const secrets: ReadonlySet<string> = new Set([
  'password',
  'secret',
  'token',
  'authorization',
  'cookie',
  'body',
  'passphrase',
])
const CENSORED = '(secret)'

type Fields = Record<string, unknown>

/** Errors have a serializer of their own, which asks here too. */
const isInner = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !(value instanceof Error)

/**
 * The same fields where none is a secret, else a copy that says so in place of the value. By hand: the logger's own way looks every path up in
 * every line, which costs several times what the line does.
 */
export function redacted(fields: Fields, levels = 2): Fields {
  let copy: Fields | undefined
  for (const name in fields) {
    const value = fields[name]
    const safe = secrets.has(name) ? CENSORED : levels > 1 && isInner(value) ? redacted(value, levels - 1) : value
    if (safe === value) continue
    copy ??= { ...fields }
    copy[name] = safe
  }
  return copy ?? fields
}
