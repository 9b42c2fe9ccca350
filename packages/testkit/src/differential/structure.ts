import type { Value } from '../imap/response.ts'

/**
 * BODY and BODYSTRUCTURE in one form: types, encodings, dispositions and names of parameters compare without case (RFC 2045 §5.1, §6.1), one
 * language may stand alone or in a list (RFC 9051 §9 `body-fld-lang`).
 */
export function canonicalStructure(value: Value): Value {
  if (!isList(value)) return value
  const parts = value.findIndex((one) => !isList(one))
  if (parts > 0) {
    const [subtype, parameters, ...extension] = value.slice(parts)
    const children = value.slice(0, parts).map(canonicalStructure)
    return [...children, lower(subtype), ...(parameters === undefined ? [] : [pairs(parameters)]), ...common(extension)]
  }
  const [type, subtype, parameters, id, description, encoding, size, ...rest] = value
  const head = [lower(type), lower(subtype), pairs(parameters), id, description, lower(encoding), size]
  const kind = `${text(type)}/${text(subtype)}`.toLowerCase()
  if (text(type).toLowerCase() === 'text') return defined([...head, rest[0], rest[1], ...common(rest.slice(2))])
  if (kind === 'message/rfc822') {
    const [envelope, body, lines, md5, ...extension] = rest
    return defined([...head, envelope, body && canonicalStructure(body), lines, md5, ...common(extension)])
  }
  return defined([...head, rest[0], ...common(rest.slice(1))])
}

const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value)
const text = (value: Value | undefined): string => (value !== undefined && 'text' in value ? value.text : '')
const defined = (values: readonly (Value | undefined)[]): Value[] => values.filter((one) => one !== undefined)

function lower(value: Value | undefined): Value {
  return value !== undefined && 'text' in value ? { text: value.text.toLowerCase() } : (value ?? { atom: 'NIL' })
}

function pairs(value: Value | undefined): Value {
  if (!isList(value)) return value ?? { atom: 'NIL' }
  return value.map((one, i) => (i % 2 === 0 ? lower(one) : one))
}

/** Disposition, language, location. */
function common([disposition, language, ...rest]: readonly Value[]): Value[] {
  if (disposition === undefined) return []
  const shown = isList(disposition) ? [lower(disposition[0]), pairs(disposition[1])] : disposition
  const languages = language !== undefined && 'text' in language ? [language] : language
  return defined([shown, languages, ...rest])
}
