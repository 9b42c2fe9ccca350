import { constants, randomBytes } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls'
import type { Certificate } from '../certificate/index.ts'
import { HANDSHAKES_PER_TURN, Turnstile } from './turnstile.ts'

export interface TlsSettings {
  readonly certificate: Certificate
  /** For clients that ask for one of their names (RFC 6066 §3). */
  readonly more?: readonly Certificate[]
  readonly minVersion: SecureVersion
  /** Seal the sessions that clients resume; several processes need the same. Default: new ones. */
  readonly ticketKeys?: Uint8Array
}

const dnsNames = ({ names }: Certificate): string[] =>
  names.split(', ').flatMap((name) => (name.startsWith('DNS:') ? [name.slice(4).toLowerCase()] : []))

/** What OpenSSL wants for its ticket keys. */
export const TICKET_KEY_BYTES = 48
/** Session tickets live so long, seconds. */
const SESSION_SECONDS = 86_400

/**
 * The one TLS configuration of all listeners. A reload swaps the context for new handshakes; running sessions keep theirs. The ticket
 * keys stay for the life of the process, so phones resume after a reload as well.
 */
export class TlsHolder {
  /** The one way in for handshakes, of all listeners together. */
  readonly turnstile = new Turnstile(HANDSHAKES_PER_TURN)
  readonly #ticketKeys: Buffer
  readonly #followers = new Set<(options: SecureContextOptions) => void>()
  #settings: TlsSettings
  #options: SecureContextOptions
  #context: SecureContext
  #byName: ReadonlyMap<string, SecureContext>

  constructor(settings: TlsSettings) {
    this.#settings = settings
    this.#ticketKeys =
      settings.ticketKeys === undefined ? randomBytes(TICKET_KEY_BYTES) : Buffer.from(settings.ticketKeys)
    this.#options = this.#make(settings, settings.certificate)
    this.#context = createSecureContext(this.#options)
    this.#byName = this.#named(settings)
  }

  /** All certificates, the one for everybody first. */
  get certificates(): readonly Certificate[] {
    return [this.#settings.certificate, ...(this.#settings.more ?? [])]
  }
  /** For servers: the context of the name a client asks for, undefined for the one of everybody. */
  readonly sni = (name: string, done: (error: Error | null, context?: SecureContext) => void): void => {
    const asked = name.toLowerCase()
    done(null, this.#byName.get(asked) ?? this.#byName.get(`*${asked.slice(asked.indexOf('.'))}`))
  }

  get certificate(): Certificate {
    return this.#settings.certificate
  }
  get context(): SecureContext {
    return this.#context
  }
  get options(): SecureContextOptions {
    return this.#options
  }

  /** Throws (and changes nothing) when OpenSSL does not take the certificate. */
  replace(settings: TlsSettings): void {
    const options = this.#make(settings, settings.certificate)
    const context = createSecureContext(options)
    this.#byName = this.#named(settings)
    this.#context = context
    this.#options = options
    this.#settings = settings
    for (const follow of this.#followers) follow(options)
  }
  /** For servers that keep a context of their own (https). */
  follow(apply: (options: SecureContextOptions) => void): void {
    this.#followers.add(apply)
  }

  #named(settings: TlsSettings): ReadonlyMap<string, SecureContext> {
    const own = new Set(dnsNames(settings.certificate))
    const found = new Map<string, SecureContext>()
    for (const certificate of settings.more ?? []) {
      const context = createSecureContext(this.#make(settings, certificate))
      for (const name of dnsNames(certificate)) if (!own.has(name)) found.set(name, context)
    }
    return found
  }

  #make({ minVersion }: TlsSettings, certificate: Certificate): SecureContextOptions {
    return {
      cert: certificate.certificate,
      key: certificate.key,
      minVersion,
      honorCipherOrder: true,
      // A client that negotiates anew again and again costs much (testssl: Secure Client-Initiated Renegotiation); none needs it.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      sessionIdContext: 'postrider',
      sessionTimeout: SESSION_SECONDS,
      ticketKeys: this.#ticketKeys,
    }
  }
}
