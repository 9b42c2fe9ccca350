import { createHash, createHmac, type webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import {
  type Clock,
  type Logger,
  type MailboxEntry,
  mailboxId,
  type MailboxId,
  type MailboxService,
  type Principal,
  type Together,
} from '@postrider/domain'
import type { SharedDirectory } from '@postrider/store/directory'
import { STATE_CLIENT } from '../record.ts'
import { sameText } from '../request.ts'
import { CHALLENGE_MS, Challenges } from './challenges.ts'
import { algorithms, type Assertion, checkAssertion, readRegistration, type Registration } from './webauthn.ts'

/** The passkeys of users: kept in their mailboxes, several each, made in a session, used in place of password and second step. */

const PREFIX = 'passkey/'
const VERSION = 1
const MAX_PASSKEYS = 20
const MAX_NAME = 100
const REGISTER = 'passkey register'
const SIGN_IN = 'passkey sign-in'

interface Stored {
  readonly v: number
  /** base64url. */
  readonly id: string
  readonly name: string
  readonly account: string
  readonly rpId: string
  readonly key: webcrypto.JsonWebKey
  readonly algorithm: number
  readonly signCount: number
  readonly backedUp: boolean
  readonly created: number
  readonly lastUsed: number | undefined
}
export type ShownPasskey = Pick<Stored, 'id' | 'name' | 'created' | 'lastUsed' | 'backedUp'>

/** Where the browser is: the name its keys belong to, and the origins pages of ours have. */
export interface Place {
  readonly rpId: string
  readonly origins: readonly string[]
}

/** Of a Host header; undefined where no passkey can be: an address is no domain (WebAuthn §5.1.2 `rpId`). */
export function placeOf(hostHeader: string | undefined, externalUrl: string): Place | undefined {
  if (hostHeader === undefined || !URL.canParse(`https://${hostHeader}`)) return undefined
  const { hostname, origin } = new URL(`https://${hostHeader}`)
  if (hostname === '' || hostname.startsWith('[') || isIP(hostname) !== 0) return undefined
  const outside = externalUrl !== '' && URL.canParse(externalUrl) ? new URL(externalUrl) : undefined
  return { rpId: hostname, origins: [origin, ...(outside?.hostname === hostname ? [outside.origin] : [])] }
}

export interface PasskeysParts {
  readonly service: Pick<MailboxService, 'apply' | 'state'>
  readonly directory: SharedDirectory
  readonly clock: Clock
  readonly log: Logger
  readonly together?: Together
}

const keyOf = (id: string): string => PREFIX + createHash('sha256').update(id).digest('base64url').slice(0, 32)

export class Passkeys {
  readonly #parts: PasskeysParts
  readonly #challenges: Challenges
  constructor(parts: PasskeysParts) {
    this.#parts = parts
    const { directory, clock, together } = parts
    this.#challenges = new Challenges({
      secret: directory.secret,
      clock,
      ...(together === undefined ? {} : { together }),
    })
  }

  async list({ mailbox, account }: Pick<Principal, 'mailbox' | 'account'>): Promise<readonly ShownPasskey[]> {
    return (await this.#all(mailbox, account)).map(({ id, name, created, lastUsed, backedUp }) => ({
      id,
      name,
      created,
      lastUsed,
      backedUp,
    }))
  }

  /** PublicKeyCredentialCreationOptionsJSON (Level 3 §5.1.9). `session`: the one it must be finished in. */
  async begin(principal: Principal, session: string, { rpId }: Place): Promise<Readonly<Record<string, unknown>>> {
    const known = await this.#all(principal.mailbox, principal.account)
    return {
      challenge: this.#challenges.make(REGISTER, session),
      rp: { id: rpId, name: this.#parts.directory.organization },
      user: { id: this.#handle(principal.mailbox), name: principal.address, displayName: principal.displayName },
      pubKeyCredParams: algorithms.map((alg) => ({ type: 'public-key', alg })),
      timeout: CHALLENGE_MS,
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      excludeCredentials: known.filter((one) => one.rpId === rpId).map(({ id }) => ({ type: 'public-key', id })),
    }
  }

  /** Keeps the new key; undefined when the answer is not one to this session's challenge. Durable when it resolves. */
  async finish(
    principal: Principal,
    session: string,
    place: Place,
    answer: Registration,
    name: string,
  ): Promise<ShownPasskey | undefined> {
    const challenge = challengeOf(answer.clientDataJSON)
    if (challenge === undefined || !this.#challenges.holds(challenge, REGISTER, session)) return undefined
    const made = readRegistration(answer, { challenge, ...place })
    if (made === undefined || !(await this.#challenges.use(challenge))) return undefined
    const known = await this.#all(principal.mailbox, principal.account)
    if (known.length >= MAX_PASSKEYS || known.some(({ id }) => id === made.id)) return undefined
    const stored: Stored = {
      v: VERSION,
      ...made,
      name: nameOf(name) || place.rpId,
      account: principal.account,
      rpId: place.rpId,
      created: this.#parts.clock.now(),
      lastUsed: undefined,
    }
    await this.#save(principal.mailbox, stored)
    return stored
  }

  async rename(principal: Principal, id: string, name: string): Promise<boolean> {
    const found = (await this.#all(principal.mailbox, principal.account)).find((one) => one.id === id)
    if (found === undefined || nameOf(name) === '') return false
    await this.#save(principal.mailbox, { ...found, name: nameOf(name) })
    return true
  }
  async remove(principal: Principal, id: string): Promise<boolean> {
    const found = (await this.#all(principal.mailbox, principal.account)).find((one) => one.id === id)
    if (found === undefined) return false
    await this.#parts.service.apply(principal.mailbox, [{ op: 'deleteState', client: STATE_CLIENT, key: keyOf(id) }])
    return true
  }

  /** PublicKeyCredentialRequestOptionsJSON, the same for everybody: who asks learns of no account. `form`: what the answer must come with. */
  ask(form: string, { rpId }: Place): Readonly<Record<string, unknown>> {
    return {
      challenge: this.#challenges.make(SIGN_IN, form),
      rpId,
      allowCredentials: [],
      userVerification: 'required',
      timeout: CHALLENGE_MS,
    }
  }

  /** Who shows a passkey; undefined for everything that is none, or nobody's, or of somebody who may not come in. */
  async signIn(form: string, place: Place, answer: Assertion): Promise<MailboxEntry | undefined> {
    const { directory, clock, log } = this.#parts
    const challenge = challengeOf(answer.clientDataJSON)
    if (challenge === undefined || !this.#challenges.holds(challenge, SIGN_IN, form)) return undefined
    const mailbox = this.#mailboxOf(answer.userHandle)
    if (mailbox === undefined || directory.mailbox(mailbox) === undefined) return undefined
    const stored = await this.#load(mailbox, answer.id)
    const entry = stored === undefined ? undefined : directory.account(stored.account)
    if (stored === undefined || entry === undefined || entry.mailbox !== mailbox) return undefined
    if (stored.rpId !== place.rpId) return undefined
    const checked = checkAssertion(answer, { challenge, ...place }, stored)
    if (checked === 'copied')
      log.warn(
        { account: entry.account, passkey: stored.name },
        'a passkey was refused: its counter did not rise, so it may be a copy',
      )
    if (checked === undefined || checked === 'copied') return undefined
    if (!entry.enabled || !entry.protocols.web || !(await this.#challenges.use(challenge))) return undefined
    await this.#save(mailbox, { ...stored, signCount: checked.signCount, lastUsed: clock.now() })
    return entry
  }

  /** The user's handle (§4): says nothing about him, and only we can make it. */
  #handle(mailbox: MailboxId): string {
    const number = Buffer.alloc(6)
    number.writeUIntBE(Number(mailbox), 0, 6)
    const mac = createHmac('sha256', this.#parts.directory.secret).update('passkey user').update(number).digest()
    return Buffer.concat([number, mac.subarray(0, 16)]).toString('base64url')
  }
  #mailboxOf(handle: string): MailboxId | undefined {
    const bytes = Buffer.from(handle, 'base64url')
    if (bytes.length !== 22) return undefined
    const number = bytes.readUIntBE(0, 6)
    if (number < 1 || !sameText(this.#handle(mailboxId(number)), handle)) return undefined
    return mailboxId(number)
  }

  async #all(mailbox: MailboxId, account: string): Promise<readonly Stored[]> {
    const entries = await this.#parts.service.state(mailbox, STATE_CLIENT, PREFIX)
    return entries
      .flatMap(({ value }) => decode(value) ?? [])
      .filter((one) => one.account === account)
      .sort((a, b) => a.created - b.created)
  }
  async #load(mailbox: MailboxId, id: string): Promise<Stored | undefined> {
    const key = keyOf(id)
    const entries = await this.#parts.service.state(mailbox, STATE_CLIENT, key)
    const stored = decode(entries.find((one) => one.key === key)?.value)
    return stored?.id === id ? stored : undefined
  }
  async #save(mailbox: MailboxId, stored: Stored): Promise<void> {
    const value = Buffer.from(JSON.stringify(stored))
    await this.#parts.service.apply(mailbox, [{ op: 'putState', client: STATE_CLIENT, key: keyOf(stored.id), value }])
  }
}

const nameOf = (text: string): string =>
  text
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, MAX_NAME)

/** The challenge the browser says it answers; whether it is ours is looked at elsewhere. */
function challengeOf(clientDataJSON: string): string | undefined {
  try {
    const data = JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString('utf8')) as { challenge?: unknown }
    return typeof data.challenge === 'string' && data.challenge.length <= 100 ? data.challenge : undefined
  } catch {
    return undefined
  }
}

/** Ours alone writes it; what cannot be read opens nothing. */
function decode(value: Uint8Array | undefined): Stored | undefined {
  if (value === undefined) return undefined
  try {
    const stored = JSON.parse(Buffer.from(value).toString('utf8')) as Stored
    return stored.v === VERSION && typeof stored.id === 'string' ? stored : undefined
  } catch {
    return undefined
  }
}
