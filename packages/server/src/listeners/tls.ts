import { randomBytes } from 'node:crypto'
import { createSecureContext, type SecureContext, type SecureContextOptions, type SecureVersion } from 'node:tls'
import type { Certificate } from '../certificate/index.ts'
import { HANDSHAKES_PER_TURN, Turnstile } from './turnstile.ts'

export interface TlsSettings {
  readonly certificate: Certificate
  readonly minVersion: SecureVersion
}

/** Session tickets live so long, seconds. */
const SESSION_SECONDS = 86_400

/**
 * The one TLS configuration of all listeners. A reload swaps the context for new handshakes; running sessions keep theirs. The ticket
 * keys stay for the life of the process, so phones resume after a reload as well.
 */
export class TlsHolder {
  /** The one way in for handshakes, of all listeners together. */
  readonly turnstile = new Turnstile(HANDSHAKES_PER_TURN)
  readonly #ticketKeys = randomBytes(48)
  readonly #followers = new Set<(options: SecureContextOptions) => void>()
  #settings: TlsSettings
  #options: SecureContextOptions
  #context: SecureContext

  constructor(settings: TlsSettings) {
    this.#settings = settings
    this.#options = this.#make(settings)
    this.#context = createSecureContext(this.#options)
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
    const options = this.#make(settings)
    this.#context = createSecureContext(options)
    this.#options = options
    this.#settings = settings
    for (const follow of this.#followers) follow(options)
  }
  /** For servers that keep a context of their own (https). */
  follow(apply: (options: SecureContextOptions) => void): void {
    this.#followers.add(apply)
  }

  #make({ certificate, minVersion }: TlsSettings): SecureContextOptions {
    return {
      cert: certificate.certificate,
      key: certificate.key,
      minVersion,
      honorCipherOrder: true,
      sessionIdContext: 'postrider',
      sessionTimeout: SESSION_SECONDS,
      ticketKeys: this.#ticketKeys,
    }
  }
}
