import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Logger, Meter } from '@postrider/domain'
import { type Certificate, readCertificate } from '../certificate/index.ts'
import { writeAtomically } from '../transfer/write-file.ts'
import type { Challenges } from './challenges.ts'
import { AcmeClient, AcmeError, type ChallengeType } from './client.ts'
import { certificateRequest } from './csr.ts'
import { renewalId, RenewalTimes } from './renewal-info.ts'

export interface AcmeSettings {
  readonly directory: string
  readonly email: string
  /** Host names of the certificate; the first is the one clients are told. */
  readonly names: readonly string[]
  readonly challenge: ChallengeType
  /** PEM of the authorities of the directory's own certificate. */
  readonly ca: string | undefined
  readonly binding: { readonly keyId: string; readonly mac: string } | undefined
}

/** What `postrider certificate` and doctor show; kept beside the certificate. */
export interface AcmeState {
  /** ms since 1970. */
  readonly lastTry: number
  readonly nextTry: number
  /** Empty when the last try went well. */
  readonly lastError: string
  readonly failures: number
}

const MINUTE = 60_000
const DAY = 86_400_000
/** After a failure: ten minutes, then twice that, a day at most: authorities count failures by the hour. */
const FIRST_RETRY = 10 * MINUTE
const MAX_RETRY = DAY
/** Timers of Node end at 24 days; and a suspended machine wakes up to a new time. */
const LOOK_EVERY = 60 * MINUTE

export const acmeFile = (dataFolder: string): string => join(dataFolder, 'acme', 'certificate.pem')
const stateFile = (dataFolder: string): string => join(dataFolder, 'acme', 'state.json')

/** The state of the last run, undefined before the first. */
export function acmeState(dataFolder: string): AcmeState | undefined {
  const file = stateFile(dataFolder)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as AcmeState) : undefined
}

/**
 * When a certificate is renewed: when two thirds of its life are over, and up to a fiftieth of it later, so that not all servers of one day come
 * together. `random` is 0…1.
 */
export function renewalTime(from: number, until: number, random: number): number {
  const life = until - from
  return Math.floor(from + (life * 2) / 3 + (life / 50) * random)
}

/** The account's key of an authority: made once, kept for good. */
function accountKey(dataFolder: string, directory: string): KeyObject {
  const file = join(dataFolder, 'acme', `account-${new URL(directory).host.replace(/[^a-z0-9.-]/gi, '_')}.pem`)
  if (existsSync(file)) return createPrivateKey(readFileSync(file, 'utf8'))
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  writeAtomically(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  return privateKey
}

/** Keeps a certificate of an authority: orders the first one, renews it in time, tries again when that fails. */
export class AcmeKeeper {
  readonly #folder: string
  readonly #challenges: Challenges
  readonly #clock: Clock
  readonly #log: Logger
  readonly #meter: Meter
  readonly #onCertificate: (certificate: Certificate) => void
  readonly #random = Math.random()
  readonly #times: RenewalTimes
  #settings: AcmeSettings
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #closed = false

  constructor(parts: {
    readonly dataFolder: string
    readonly settings: AcmeSettings
    readonly challenges: Challenges
    readonly clock: Clock
    readonly log: Logger
    readonly meter: Meter
    /** The new certificate is on disk; take it over. */
    readonly onCertificate: (certificate: Certificate) => void
  }) {
    this.#folder = parts.dataFolder
    this.#times = new RenewalTimes(join(parts.dataFolder, 'acme'))
    this.#settings = parts.settings
    this.#challenges = parts.challenges
    this.#clock = parts.clock
    this.#log = parts.log
    this.#meter = parts.meter
    this.#onCertificate = parts.onCertificate
    mkdirSync(join(this.#folder, 'acme'), { recursive: true, mode: 0o700 })
  }

  /** Looks now, and from then on every hour. */
  start(): void {
    void this.#look()
  }
  configure(settings: AcmeSettings): void {
    const changed = JSON.stringify(settings) !== JSON.stringify(this.#settings)
    this.#settings = settings
    if (!changed) return
    rmSync(stateFile(this.#folder), { force: true })
    void this.#look()
  }
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#ask()
    const due = this.dueAt()
    if (due <= this.#clock.now()) await this.renew().catch(() => {})
    if (this.#closed) return
    const next = Math.min(this.dueAt(), this.#nextAsk())
    const wait = Math.max(1_000, Math.min(LOOK_EVERY, next - this.#clock.now()))
    this.#timer = setTimeout(() => void this.#look(), wait)
    this.#timer.unref()
  }

  /** For commands. */
  report(): { readonly dueAt: number; readonly problem: string | undefined } {
    const state = acmeState(this.#folder)
    return { dueAt: this.dueAt(), problem: state?.lastError === '' ? undefined : state?.lastError }
  }

  /** The certificate in use, if it is for the names that are wanted. */
  #current(): X509Certificate | undefined {
    const file = acmeFile(this.#folder)
    if (!existsSync(file)) return undefined
    try {
      const parsed = new X509Certificate(readFileSync(file))
      return this.#settings.names.some((name) => parsed.checkHost(name) === undefined) ? undefined : parsed
    } catch {
      return undefined
    }
  }
  #renewalId(): string | undefined {
    const current = this.#current()
    return current === undefined ? undefined : renewalId(current)
  }
  #nextAsk(): number {
    const id = this.#renewalId()
    return id === undefined ? Number.MAX_SAFE_INTEGER : this.#times.nextAsk(id, this.#settings.directory)
  }

  /** Asks the authority when it wants the certificate renewed, if it is time to. Nothing depends on the answer. */
  async #ask(): Promise<void> {
    const { directory, email, ca, binding } = this.#settings
    const id = this.#renewalId()
    const now = this.#clock.now()
    if (id === undefined || this.#times.nextAsk(id, directory) > now) return
    try {
      const client = new AcmeClient({ directory, email, key: accountKey(this.#folder, directory), ca, binding })
      const info = await client.renewalInfo(id)
      if (info === undefined) return this.#times.silent(id, directory, now, undefined)
      if (this.#times.heard(id, directory, info, now, Math.random()))
        this.#log.info(
          {
            renewal: new Date(this.dueAt()).toISOString(),
            ...(info.explanation === undefined ? {} : { explanation: info.explanation }),
          },
          'the authority says when the certificate is to be renewed',
        )
    } catch (error) {
      this.#times.silent(id, directory, now, error instanceof AcmeError ? error.retryAfter : undefined)
      this.#log.debug({ err: error }, 'the authority did not say when the certificate is to be renewed')
    }
  }

  /** When the next order is to be made, ms since 1970: what the authority says, else the fixed time. */
  dueAt(): number {
    const wanted = acmeState(this.#folder)
    const retry = wanted !== undefined && wanted.lastError !== '' ? wanted.nextTry : 0
    const current = this.#current()
    if (current === undefined) return retry
    const [from, until] = [Date.parse(current.validFrom), Date.parse(current.validTo)]
    const id = renewalId(current)
    const said = id === undefined ? undefined : this.#times.at(id, this.#settings.directory)
    // Nobody waits until it is over.
    const usual = renewalTime(from, until, this.#random)
    return Math.max(retry, said !== undefined && said < until ? said : usual)
  }

  /** Orders now, whatever the time. Rejects with AcmeError; one at a time, a second call waits for the first. */
  renew(): Promise<void> {
    this.#running ??= this.#order().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #order(): Promise<void> {
    const { directory, email, names, challenge, ca, binding } = this.#settings
    const now = this.#clock.now()
    try {
      const key = accountKey(this.#folder, directory)
      const client = new AcmeClient({ directory, email, key, ca, binding })
      const request = certificateRequest(names)
      this.#log.info({ names, directory, challenge }, 'a certificate is ordered')
      const chain = await client.order(names, request.csr, challenge, this.#challenges.answer, this.#renewalId())
      const file = acmeFile(this.#folder)
      // Key and chain in one file: they change together or not at all.
      writeAtomically(`${file}.candidate`, `${request.key}${chain}`)
      const certificate = readCertificate({ certificate: `${file}.candidate`, key: `${file}.candidate` })
      writeAtomically(file, `${request.key}${chain}`)
      rmSync(`${file}.candidate`)
      this.#save({ lastTry: now, nextTry: this.dueAt(), lastError: '', failures: 0 })
      this.#log.info(
        { names: certificate.names, expires: new Date(certificate.expires).toISOString() },
        'a new certificate',
      )
      this.#meter.count('acme_orders_total', { result: 'ok' })
      this.#onCertificate(certificate)
    } catch (error) {
      const failures = (acmeState(this.#folder)?.failures ?? 0) + 1
      const asked = error instanceof AcmeError ? error.retryAfter : undefined
      const wait = Math.max(asked ?? 0, Math.min(MAX_RETRY, FIRST_RETRY * 2 ** (failures - 1)))
      const message = error instanceof Error ? error.message : String(error)
      this.#save({ lastTry: now, nextTry: now + wait, lastError: message, failures })
      this.#meter.count('acme_orders_total', { result: 'failed' })
      this.#log.warn({ reason: message, minutes: Math.round(wait / MINUTE) }, 'no certificate: tried again later')
      throw error
    }
  }

  #save(state: AcmeState): void {
    writeAtomically(stateFile(this.#folder), JSON.stringify(state))
  }
}
