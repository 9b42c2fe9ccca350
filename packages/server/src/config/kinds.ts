import { type Phrase, SpokenError, verbatim } from '@postrider/domain'
import type { Node } from './jsonc.ts'

/** A value of the file is not what its setting wants; `message` says what it wants. */
export class ValueError extends SpokenError {
  override readonly name = 'ValueError'
}

/** A type of setting: how it is read, shown and explained. */
export interface Kind<T> {
  /** For people: `whole number 0…65535`. */
  readonly type: Phrase
  read(node: Node): T
  /** As it would stand in the file. */
  show(value: T): unknown
}

const scalar = (node: Node): string | number | boolean | null | undefined =>
  node.kind === 'scalar' ? node.value : undefined

export const text = (
  type: Phrase = { en: 'text', fr: 'texte' },
  check: (value: string) => boolean = () => true,
): Kind<string> => ({
  type,
  read(node) {
    const value = scalar(node)
    if (typeof value !== 'string' || /[\u0000-\u001f\u007f]/.test(value) || (value !== '' && !check(value)))
      throw new ValueError({
        en: `must be ${type.en} in double quotes`,
        fr: `doit être ${type.fr}, entre guillemets droits ("…")`,
      })
    return value
  },
  show: (value) => value,
})

/** A setting that is shown without its secret part. */
export const hidden = (of: Kind<string>, show: (value: string) => string): Kind<string> => ({ ...of, show })

export const flag: Kind<boolean> = {
  type: { en: 'true or false', fr: 'true ou false' },
  read(node) {
    const value = scalar(node)
    if (typeof value !== 'boolean')
      throw new ValueError({
        en: 'must be true or false, without quotes',
        fr: 'doit être true ou false, sans guillemets',
      })
    return value
  },
  show: (value) => value,
}

export const integer = (min: number, max: number): Kind<number> => ({
  type: { en: `whole number ${min}…${max}`, fr: `nombre entier ${min}…${max}` },
  read(node) {
    const value = scalar(node)
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      throw new ValueError({
        en: `must be a whole number from ${min} to ${max}`,
        fr: `doit être un nombre entier de ${min} à ${max}`,
      })
    return value
  },
  show: (value) => value,
})

export const oneOf = <const T extends string>(...words: readonly T[]): Kind<T> => ({
  type: verbatim(words.map((word) => `"${word}"`).join(', ')),
  read(node) {
    const value = words.find((word) => word === scalar(node))
    if (value === undefined) {
      const all = words.map((word) => `"${word}"`).join(', ')
      throw new ValueError({ en: `must be one of ${all}`, fr: `doit être l’un de ${all}` })
    }
    return value
  },
  show: (value) => value,
})

export const list = <T>(of: Kind<T>, max = 100): Kind<readonly T[]> => ({
  type: { en: `list: ${of.type.en}`, fr: `liste : ${of.type.fr}` },
  read(node) {
    if (node.kind !== 'array') throw new ValueError({ en: 'must be a list: [ … ]', fr: 'doit être une liste : [ … ]' })
    if (node.items.length > max)
      throw new ValueError({ en: `must have at most ${max} entries`, fr: `ne doit pas avoir plus de ${max} éléments` })
    return node.items.map((item) => of.read(item))
  },
  show: (value) => value.map((item) => of.show(item)),
})

const units = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])
const showSpan = (ms: number): string => {
  if (ms === 0) return '0s'
  for (const [unit, size] of [...units].reverse()) if (ms % size === 0) return `${ms / size}${unit}`
  return `${ms}ms`
}
/** Milliseconds inside; `"30s"`, `"5m"` in the file. Limits in ms. */
export const duration = (min: number, max: number): Kind<number> => ({
  type: { en: `time ${showSpan(min)}…${showSpan(max)}`, fr: `durée ${showSpan(min)}…${showSpan(max)}` },
  read(node) {
    const value = scalar(node)
    const parts = typeof value === 'string' ? /^(\d{1,12})\s*(ms|s|m|h|d)$/.exec(value.trim()) : null
    const ms = parts === null ? Number.NaN : Number(parts[1]) * (units.get(parts[2] ?? '') ?? 1)
    if (!(ms >= min && ms <= max))
      throw new ValueError({
        en: `must be a time from "${showSpan(min)}" to "${showSpan(max)}", with its unit: ms, s, m, h or d`,
        fr: `doit être une durée de "${showSpan(min)}" à "${showSpan(max)}", avec son unité : ms, s, m, h ou d`,
      })
    return ms
  },
  show: showSpan,
})

const sizes = new Map([
  ['', 1],
  ['B', 1],
  ['KB', 1024],
  ['MB', 1024 ** 2],
  ['GB', 1024 ** 3],
  ['TB', 1024 ** 4],
])
const showSize = (bytes: number): string => {
  for (const [unit, size] of [...sizes].reverse())
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit || 'B'}`
  return `${bytes}B`
}
/** Bytes of a size as people and Exchange write it: `25MB`, `2GB`; undefined when it is none. 1 KB is 1024 bytes. */
export function parseSize(value: string): number | undefined {
  const parts = /^(\d{1,15})(?:\.(\d{1,3}))?\s*([KMGT]?B?)$/i.exec(value.trim())
  if (parts === null) return undefined
  const unit = parts[3]!.toUpperCase()
  const factor = sizes.get(unit) ?? sizes.get(`${unit}B`)
  const bytes = factor === undefined ? Number.NaN : Math.round(Number(`${parts[1]}.${parts[2] ?? '0'}`) * factor)
  return Number.isSafeInteger(bytes) ? bytes : undefined
}
/** Bytes inside; `"36MB"` or a number of bytes in the file. */
export const size = (min: number, max: number): Kind<number> => ({
  type: { en: `size ${showSize(min)}…${showSize(max)}`, fr: `taille ${showSize(min)}…${showSize(max)}` },
  read(node) {
    const value = scalar(node)
    const bytes = typeof value === 'string' ? parseSize(value) : typeof value === 'number' ? value : undefined
    if (bytes === undefined || !Number.isInteger(bytes) || bytes < min || bytes > max)
      throw new ValueError({
        en: `must be a size from "${showSize(min)}" to "${showSize(max)}"`,
        fr: `doit être une taille de "${showSize(min)}" à "${showSize(max)}"`,
      })
    return bytes
  },
  show: showSize,
})
