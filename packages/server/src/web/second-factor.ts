import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import type { Clock, MailboxId, MailboxService } from '@postrider/domain'
import { STATE_CLIENT } from './record.ts'
import { base32, totpStep } from './totp.ts'

/** The second step of sign-in: the app's secret, sealed, and digests of recovery codes, in the user's mailbox. */

const KEY = 'second-factor'
const VERSION = 1
const RECOVERY_CODES = 10
const SECRET_BYTES = 20
/** Wrong codes of one account within this time, then it has to wait. */
const MAX_WRONG = 10
const WRONG_MS = 15 * 60_000
const MAX_COUNTED = 10_000

interface Stored {
  readonly v: number
  readonly sealed: string
  readonly active: boolean
  readonly lastStep: number
  readonly recovery: readonly string[]
}

/** What the web client's side asks of it: the same in this process or in the main one. */
export type SecondStep = Pick<SecondFactor, (typeof secondStepMethods)[number]>
export const secondStepMethods = ['active', 'begin', 'pending', 'confirm', 'renew', 'left', 'remove', 'check'] as const

export interface SecondFactorParts {
  readonly service: Pick<MailboxService, 'apply' | 'state'>
  readonly clock: Clock
  /** The installation's own secret: what seals. */
  readonly secret: Uint8Array
}

export class SecondFactor {
  readonly #parts: SecondFactorParts
  readonly #key: Buffer
  readonly #wrong = new Map<MailboxId, { count: number; until: number }>()
  /** One check at a time for a mailbox, so that a code works once. */
  readonly #turns = new Map<MailboxId, Promise<unknown>>()

  constructor(parts: SecondFactorParts) {
    this.#parts = parts
    this.#key = Buffer.from(hkdfSync('sha256', parts.secret, '', 'postrider second factor', 32))
  }

  async active(mailbox: MailboxId): Promise<boolean> {
    return (await this.#load(mailbox))?.active === true
  }

  /** A new secret, not active until a code of it was shown. */
  async begin(mailbox: MailboxId): Promise<Uint8Array> {
    const secret = randomBytes(SECRET_BYTES)
    const old = await this.#load(mailbox)
    if (old?.active === true) throw new RangeError('the second step is active already')
    await this.#save(mailbox, {
      v: VERSION,
      sealed: this.#seal(secret, mailbox),
      active: false,
      lastStep: 0,
      recovery: [],
    })
    return secret
  }

  /** The secret that waits for its first code. */
  async pending(mailbox: MailboxId): Promise<Uint8Array | undefined> {
    const stored = await this.#load(mailbox)
    return stored === undefined || stored.active ? undefined : this.#open(stored.sealed, mailbox)
  }

  /** Makes it active when the code is right; answers the recovery codes, which are shown this once. */
  confirm(mailbox: MailboxId, code: string): Promise<readonly string[] | undefined> {
    return this.#alone(mailbox, async () => {
      const stored = await this.#load(mailbox)
      const secret = stored === undefined ? undefined : this.#open(stored.sealed, mailbox)
      if (stored === undefined || stored.active || secret === undefined) return undefined
      const step = totpStep(secret, digits(code), this.#parts.clock.now(), stored.lastStep)
      if (step === undefined) return undefined
      const codes = newCodes()
      await this.#save(mailbox, { ...stored, active: true, lastStep: step, recovery: codes.map(digestOf) })
      return codes
    })
  }

  /** New recovery codes, shown this once; the old ones open nothing any more. Undefined when the second step is off. */
  renew(mailbox: MailboxId): Promise<readonly string[] | undefined> {
    return this.#alone(mailbox, async () => {
      const stored = await this.#load(mailbox)
      if (stored?.active !== true) return undefined
      const codes = newCodes()
      await this.#save(mailbox, { ...stored, recovery: codes.map(digestOf) })
      return codes
    })
  }

  /** How many recovery codes were not used yet. */
  async left(mailbox: MailboxId): Promise<number> {
    return (await this.#load(mailbox))?.recovery.length ?? 0
  }

  remove(mailbox: MailboxId): Promise<void> {
    return forgetSecondFactor(this.#parts.service, mailbox)
  }

  /** Checks a code of the app or a recovery code; each works once. ms to wait when there were too many wrong ones. */
  check(mailbox: MailboxId, code: string): Promise<{ readonly ok: boolean; readonly waitMs: number }> {
    return this.#alone(mailbox, async () => {
      const now = this.#parts.clock.now()
      const wrong = this.#wrong.get(mailbox)
      if (wrong !== undefined && wrong.count >= MAX_WRONG && wrong.until > now)
        return { ok: false, waitMs: wrong.until - now }
      const stored = await this.#load(mailbox)
      const secret = stored === undefined ? undefined : this.#open(stored.sealed, mailbox)
      if (stored?.active === true && secret !== undefined) {
        const step = totpStep(secret, digits(code), now, stored.lastStep)
        const used = digestOf(code)
        const changed =
          step !== undefined
            ? { ...stored, lastStep: step }
            : stored.recovery.includes(used)
              ? { ...stored, recovery: stored.recovery.filter((one) => one !== used) }
              : undefined
        if (changed !== undefined) {
          await this.#save(mailbox, changed)
          this.#wrong.delete(mailbox)
          return { ok: true, waitMs: 0 }
        }
      }
      const running = wrong !== undefined && wrong.until > now
      this.#wrong.delete(mailbox)
      this.#wrong.set(mailbox, { count: running ? wrong.count + 1 : 1, until: running ? wrong.until : now + WRONG_MS })
      if (this.#wrong.size > MAX_COUNTED)
        for (const oldest of this.#wrong.keys()) {
          this.#wrong.delete(oldest)
          break
        }
      return { ok: false, waitMs: 0 }
    })
  }

  async #alone<T>(mailbox: MailboxId, work: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(mailbox) ?? Promise.resolve()
    const turn = before.then(work, work)
    const settled = turn.catch(() => undefined)
    this.#turns.set(mailbox, settled)
    try {
      return await turn
    } finally {
      if (this.#turns.get(mailbox) === settled) this.#turns.delete(mailbox)
    }
  }

  async #load(mailbox: MailboxId): Promise<Stored | undefined> {
    const entries = await this.#parts.service.state(mailbox, STATE_CLIENT, KEY)
    const value = entries.find(({ key }) => key === KEY)?.value
    if (value === undefined) return undefined
    // Ours alone writes it; what cannot be read must not open the door, so this throws.
    const stored = JSON.parse(Buffer.from(value).toString('utf8')) as Stored
    if (stored.v !== VERSION) throw new TypeError('a second factor of an unknown version')
    return stored
  }
  async #save(mailbox: MailboxId, stored: Stored): Promise<void> {
    const value = Buffer.from(JSON.stringify(stored))
    await this.#parts.service.apply(mailbox, [{ op: 'putState', client: STATE_CLIENT, key: KEY, value }])
  }
  #seal(secret: Uint8Array, mailbox: MailboxId): string {
    const nonce = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce).setAAD(Buffer.from(String(mailbox)))
    return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()]).toString('base64')
  }
  #open(sealed: string, mailbox: MailboxId): Uint8Array {
    const bytes = Buffer.from(sealed, 'base64')
    const cipher = createDecipheriv('aes-256-gcm', this.#key, bytes.subarray(0, 12)).setAAD(
      Buffer.from(String(mailbox)),
    )
    cipher.setAuthTag(bytes.subarray(-16))
    return Buffer.concat([cipher.update(bytes.subarray(12, -16)), cipher.final()])
  }
}

/** Takes the second step away: for its owner, and for an administrator when the owner has lost it. */
export async function forgetSecondFactor(service: Pick<MailboxService, 'apply'>, mailbox: MailboxId): Promise<void> {
  await service.apply(mailbox, [{ op: 'deleteState', client: STATE_CLIENT, key: KEY }])
}

const newCodes = (): readonly string[] =>
  Array.from({ length: RECOVERY_CODES }, () =>
    base32(randomBytes(10))
      .toLowerCase()
      .replace(/(.{4})(?=.)/g, '$1-'),
  )
const digits = (code: string): string => code.replace(/\s/g, '')
/** Recovery codes have 80 random bits: a plain digest is enough. */
const digestOf = (code: string): string =>
  createHash('sha256')
    .update(code.toLowerCase().replace(/[^a-z2-7]/g, ''))
    .digest('base64url')
