import type { Kind } from '../kinds.ts'

export interface Setting<T> {
  readonly kind: Kind<T>
  readonly default: T
  readonly en: string
  readonly fr: string
  /** The name an Exchange administrator looks for. */
  readonly exchange?: string
  /** A running server takes it over by `postrider reload`; others need a restart. */
  readonly live?: boolean
}

export const setting = <T>(
  kind: Kind<T>,
  standard: T,
  en: string,
  fr: string,
  more: { exchange?: string; live?: boolean } = {},
): Setting<T> => ({ kind, default: standard, en, fr, ...more })

export const KB = 1024
export const MB = 1024 * KB
export const GB = 1024 * MB
export const SECOND = 1_000
export const MINUTE = 60 * SECOND
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
