/**
 * Shapes: what an argument may be, said once, read and typed by the same table. A reader answers the value or throws Misfit with the
 * path of what does not fit.
 */
import { isObject, type Json, type JsonObject, record } from './json.ts'

/** A value that does not fit its shape. */
export class Misfit extends Error {
  override readonly name = 'Misfit'
  readonly path: string
  constructor(path: string, wanted: string) {
    super(`${path === '' ? 'the value' : path} is not ${wanted}`)
    this.path = path
  }
}

export type Shape<T> = (value: Json, path: string) => T
/** A shape with a value for its absence. */
export interface Absent<T> {
  readonly shape: Shape<T>
  readonly absent: T
}
export type Fields = Readonly<Record<string, Shape<unknown> | Absent<unknown>>>
export type FieldsOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends (value: Json, path: string) => infer T
    ? T
    : F[K] extends { readonly absent: infer T }
      ? T
      : never
}

const misfit = (path: string, wanted: string): never => {
  throw new Misfit(path, wanted)
}

export const string: Shape<string> = (value, path) => (typeof value === 'string' ? value : misfit(path, 'a string'))
export const boolean: Shape<boolean> = (value, path) =>
  typeof value === 'boolean' ? value : misfit(path, 'true or false')
/** RFC 8620 §1.3. */
export const integer: Shape<number> = (value, path) =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value : misfit(path, 'an integer')
export const unsigned: Shape<number> = (value, path) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : misfit(path, 'an unsigned integer')
/** RFC 8620 §1.2: 1 to 255 of A-Za-z0-9, minus and underscore. */
export const isId = (text: string): boolean => /^[A-Za-z0-9_-]{1,255}$/.test(text)
export const id: Shape<string> = (value, path) =>
  typeof value === 'string' && isId(value) ? value : misfit(path, 'an id')
/** An id, or `#` and a creation id: RFC 8620 §5.3. */
export const idOrCreation: Shape<string> = (value, path) =>
  typeof value === 'string' && isId(value.startsWith('#') ? value.slice(1) : value) ? value : misfit(path, 'an id')
/** RFC 8620 §1.4: a UTCDate, as ms since 1970. */
export const utcDate: Shape<number> = (value, path) => {
  const text = typeof value === 'string' ? value : ''
  const fits = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d*[1-9])?Z$/.test(text)
  const time = fits ? Date.parse(text.replace(/(\.\d{3})\d+/, '$1')) : Number.NaN
  return Number.isNaN(time) ? misfit(path, 'a UTC date') : time
}
export const jsonObject: Shape<JsonObject> = (value, path) => (isObject(value) ? value : misfit(path, 'an object'))

export const oneOf =
  <const T extends string>(...words: readonly T[]): Shape<T> =>
  (value, path) =>
    words.find((word) => word === value) ?? misfit(path, `one of ${words.join(', ')}`)

export const nullable =
  <T>(shape: Shape<T>): Shape<T | null> =>
  (value, path) =>
    value === null ? null : shape(value, path)

export const list =
  <T>(shape: Shape<T>): Shape<readonly T[]> =>
  (value, path) =>
    Array.isArray(value)
      ? (value as readonly Json[]).map((one, i) => shape(one, `${path}/${i}`))
      : misfit(path, 'an array')

/** An object of any keys; `key` checks these. */
export const mapOf =
  <T>(key: Shape<string>, shape: Shape<T>): Shape<ReadonlyMap<string, T>> =>
  (value, path) => {
    if (!isObject(value)) return misfit(path, 'an object')
    return new Map(Object.entries(value).map(([k, v]) => [key(k, `${path}/${k}`), shape(v, `${path}/${k}`)]))
  }

/** May be left out; then it is `absent`. */
export const optional = <T>(shape: Shape<T>, absent: T): Absent<T> => ({ shape, absent })
/** May be left out or null. */
export const maybe = <T>(shape: Shape<T>): Absent<T | null> => ({ shape: nullable(shape), absent: null })

/** An object of just these fields: an unknown one does not fit. */
export const object =
  <const F extends Fields>(fields: F): Shape<FieldsOf<F>> =>
  (value, path) => {
    if (!isObject(value)) return misfit(path, 'an object')
    const inside = path === '' ? '' : `${path}/`
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(fields, key)) misfit(`${inside}${key}`, 'known here')
    }
    const out = record<unknown>()
    for (const [key, field] of Object.entries(fields)) {
      const given = Object.hasOwn(value, key) ? value[key] : undefined
      if (typeof field === 'function') {
        if (given === undefined) misfit(`${inside}${key}`, 'there')
        out[key] = field(given as Json, `${inside}${key}`)
      } else out[key] = given === undefined ? field.absent : field.shape(given, `${inside}${key}`)
    }
    return out as FieldsOf<F>
  }
