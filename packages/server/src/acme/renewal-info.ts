/**
 * When an authority wants a certificate renewed: RFC 9773. It may be sooner than anybody would by himself (a mass revocation), so it is asked again as
 * often as it says. What it said is kept beside the certificate; without it the fixed time counts.
 */
import type { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeAtomically } from '../transfer/write-file.ts'

const MINUTE = 60_000
/** RFC 9773 §4.3.2: reasonable limits for what Retry-After says. */
const MIN_ASK = MINUTE
const MAX_ASK = 86_400_000
/** RFC 9773 §4.3.3: so long after an answer that says nothing of it, and after none. */
const USUAL_ASK = 6 * 60 * MINUTE

/** ms since 1970. */
export interface Window {
  readonly start: number
  readonly end: number
}
export interface RenewalInfo {
  readonly window: Window
  readonly explanation: string | undefined
  /** ms from now. */
  readonly retryAfter: number | undefined
}

interface Kept {
  /** Of which certificate, at which authority. */
  readonly id: string
  readonly directory: string
  /** When it is asked again. */
  readonly nextAsk: number
  /** A moment of the window, chosen once for it; undefined: the authority says nothing. */
  readonly at?: number
  readonly window?: Window
}

/** RFC 9773 §4.1: the issuer's key and the serial number, as the certificate has them. Undefined without an authority key identifier. */
export function renewalId(certificate: X509Certificate): string | undefined {
  const der = certificate.raw
  // The extension's OID 2.5.29.35 (RFC 5280 §4.2.1.1), an OCTET STRING, in it a SEQUENCE that begins with [0], the key identifier.
  const oid = der.indexOf(Buffer.from([0x06, 0x03, 0x55, 0x1d, 0x23]))
  if (oid < 0) return undefined
  const at = oid + 5
  const [octets, , sequence, , tag, length] = der.subarray(at, at + 6)
  if (octets !== 0x04 || sequence !== 0x30 || tag !== 0x80 || length === undefined || length > 127) return undefined
  const keyId = der.subarray(at + 6, at + 6 + length)
  const hex = certificate.serialNumber
  const serial = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
  // As the DER encoding has it: a leading zero keeps it positive.
  const positive = (serial[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), serial]) : serial
  return `${keyId.toString('base64url')}.${positive.toString('base64url')}`
}

/** Reads the RenewalInfo object: RFC 9773 §4.2. Undefined when it is none. */
export function readRenewalInfo(value: unknown): { window: Window; explanation: string | undefined } | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { suggestedWindow, explanationURL } = value as Record<string, unknown>
  if (typeof suggestedWindow !== 'object' || suggestedWindow === null) return undefined
  const [start, end] = ['start', 'end'].map((name) =>
    Date.parse(String((suggestedWindow as Record<string, unknown>)[name])),
  )
  if (start === undefined || end === undefined || !(end > start)) return undefined
  return { window: { start, end }, explanation: typeof explanationURL === 'string' ? explanationURL : undefined }
}

/** What is known of the certificate in use. */
export class RenewalTimes {
  readonly #file: string

  constructor(folder: string) {
    this.#file = join(folder, 'renewal.json')
  }

  #kept(id: string, directory: string): Kept | undefined {
    if (!existsSync(this.#file)) return undefined
    const kept = JSON.parse(readFileSync(this.#file, 'utf8')) as Kept
    return kept.id === id && kept.directory === directory ? kept : undefined
  }

  /** When the authority wants it renewed. */
  at(id: string, directory: string): number | undefined {
    return this.#kept(id, directory)?.at
  }
  /** When it is to be asked. */
  nextAsk(id: string, directory: string): number {
    return this.#kept(id, directory)?.nextAsk ?? 0
  }

  /** Takes an answer; `random` is 0…1. A window that stays keeps its moment. Answers whether another moment was chosen. */
  heard(id: string, directory: string, info: RenewalInfo, now: number, random: number): boolean {
    const { window, retryAfter } = info
    const before = this.#kept(id, directory)
    const stays = before?.window?.start === window.start && before.window.end === window.end
    const at = stays ? before?.at : Math.floor(window.start + (window.end - window.start) * random)
    const nextAsk = now + Math.min(MAX_ASK, Math.max(MIN_ASK, retryAfter ?? USUAL_ASK))
    this.#keep({ id, directory, window, nextAsk, ...(at === undefined ? {} : { at }) })
    return !stays
  }
  /** The authority says nothing of it, or could not be asked: what it said before holds. */
  silent(id: string, directory: string, now: number, retryAfter: number | undefined): void {
    const before = this.#kept(id, directory)
    const nextAsk = now + Math.min(MAX_ASK, Math.max(MIN_ASK, retryAfter ?? USUAL_ASK))
    this.#keep({ ...before, id, directory, nextAsk })
  }
  #keep(kept: Kept): void {
    writeAtomically(this.#file, JSON.stringify(kept))
  }
}
