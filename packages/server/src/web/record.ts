import type { Times } from './rules.ts'

/** What is stored of a session in its user's mailbox: never the secret, only what recognises it. */
export interface SessionRecord extends Times {
  readonly id: string
  readonly account: string
  /** SHA-256 of the secret, base64url. */
  readonly digest: string
  /** Version of the password it was opened with. */
  readonly version: number
  /** A version it goes on with, and until when that is believed: this session is changing the password. */
  readonly next?: { readonly version: number; readonly until: number }
  /** A public computer keeps nothing when the browser closes. */
  readonly computer: 'private' | 'public'
  /** Where it was opened from, for the user's list. */
  readonly address: string
  readonly agent: string
}

const VERSION = 1
export const STATE_CLIENT = 'web'
export const KEY_PREFIX = 'session/'

export const encodeRecord = (record: SessionRecord): Uint8Array =>
  Buffer.from(JSON.stringify({ v: VERSION, ...record }))

/** Undefined for bytes that are no such record: the user signs in again. */
export function decodeRecord(bytes: Uint8Array | undefined): SessionRecord | undefined {
  if (bytes === undefined) return undefined
  try {
    const raw = JSON.parse(Buffer.from(bytes).toString('utf8')) as Partial<SessionRecord> & { v?: unknown }
    const { id, account, digest, version, next, computer, address, agent, created, lastAct } = raw
    const texts = [id, account, digest, address, agent].every((one) => typeof one === 'string')
    const numbers = [version, created, lastAct].every((one) => Number.isFinite(one))
    if (raw.v !== VERSION || !texts || !numbers || (computer !== 'private' && computer !== 'public')) return undefined
    const more = Number.isFinite(next?.version) && Number.isFinite(next?.until) ? { next } : {}
    return { id, account, digest, version, ...more, computer, address, agent, created, lastAct } as SessionRecord
  } catch {
    return undefined
  }
}
