/**
 * SASL, the server's side, without asking anybody: PLAIN (RFC 4616), LOGIN (draft-murchison-sasl-login), SCRAM-SHA-256 (RFC 5802, RFC 7677).
 * Each step says what is needed next (a line from the client, a verdict, keys); the caller provides it. Used by SMTP and POP3.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Longest user name or password that is looked at. */
export const MAX_SASL_VALUE = 1024

export type SaslStep =
  /** Send this to the client; its answer goes to `respond`. */
  | { kind: 'challenge'; data: Buffer }
  /** Check this password; the exchange is over. */
  | { kind: 'password'; login: string; password: string }
  /** Fetch the SCRAM keys of this login and hand them to `keys`. */
  | { kind: 'keys'; login: string }
  /** The client has proved its password, or not. When it has, `serverFinal` must reach it before success is told. */
  | { kind: 'proof'; login: string; valid: boolean; serverFinal: Buffer }
  /** Not what the mechanism allows; the exchange is over. */
  | { kind: 'malformed' }

export interface SaslKeys {
  salt: Uint8Array
  iterations: number
  storedKey: Uint8Array
  serverKey: Uint8Array
}

export interface SaslServer {
  /** Begins, with the initial response when the client sent one. */
  start(initial: Buffer | undefined): SaslStep
  /** The client's answer to the last challenge. */
  respond(data: Buffer): SaslStep
  /** The answer to a `keys` step. */
  keys(keys: SaslKeys): SaslStep
}

/** The mechanisms we know, strongest first. */
export const saslMechanisms = ['SCRAM-SHA-256', 'PLAIN', 'LOGIN'] as const
export type SaslMechanism = (typeof saslMechanisms)[number]

/** The server's side of one mechanism. `nonce` is for tests. */
export function saslServer(mechanism: SaslMechanism, nonce = () => randomBytes(18).toString('base64')): SaslServer {
  switch (mechanism) {
    case 'PLAIN':
      return new Plain()
    case 'LOGIN':
      return new Login()
    case 'SCRAM-SHA-256':
      return new Scram(nonce())
  }
}

/** Base64 of one line of the exchange; "=" is an empty initial response. Undefined when it is not proper base64. */
export function decodeSasl(text: string): Buffer | undefined {
  if (text === '=' || text === '') return Buffer.alloc(0)
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined
  return Buffer.from(text, 'base64')
}

const malformed: SaslStep = { kind: 'malformed' }
const utf8 = new TextDecoder('utf-8', { fatal: true })

function text(data: Buffer): string | undefined {
  if (data.length > MAX_SASL_VALUE * 4) return undefined
  try {
    return utf8.decode(data)
  } catch {
    return undefined
  }
}

class Plain implements SaslServer {
  start(initial: Buffer | undefined): SaslStep {
    return initial === undefined ? { kind: 'challenge', data: Buffer.alloc(0) } : this.respond(initial)
  }
  respond(data: Buffer): SaslStep {
    const parts = text(data)?.split('\0')
    if (parts?.length !== 3) return malformed
    const [authorization, login, password] = parts as [string, string, string]
    // To act for another identity is not offered here: RFC 4616 §2 lets the server refuse.
    if (authorization !== '' && authorization.toLowerCase() !== login.toLowerCase()) return malformed
    return credentials(login, password)
  }
  keys(): SaslStep {
    return malformed
  }
}

class Login implements SaslServer {
  #login: string | undefined
  start(initial: Buffer | undefined): SaslStep {
    return initial === undefined || initial.length === 0 ? ask('Username:') : this.respond(initial)
  }
  respond(data: Buffer): SaslStep {
    const value = text(data)
    if (value === undefined) return malformed
    if (this.#login !== undefined) return credentials(this.#login, value)
    if (value === '') return malformed
    this.#login = value
    return ask('Password:')
  }
  keys(): SaslStep {
    return malformed
  }
}

function ask(prompt: string): SaslStep {
  return { kind: 'challenge', data: Buffer.from(prompt) }
}

function credentials(login: string, password: string): SaslStep {
  if (login === '' || password === '' || login.length > MAX_SASL_VALUE || password.length > MAX_SASL_VALUE)
    return malformed
  return { kind: 'password', login, password }
}

class Scram implements SaslServer {
  readonly #serverNonce: string
  #login = ''
  #gs2Header = ''
  #clientFirst = ''
  #nonce = ''
  #serverFirst = ''
  #keys: SaslKeys | undefined
  #state: 'first' | 'keys' | 'final' | 'over' = 'first'

  constructor(serverNonce: string) {
    this.#serverNonce = serverNonce
  }

  start(initial: Buffer | undefined): SaslStep {
    return initial === undefined ? { kind: 'challenge', data: Buffer.alloc(0) } : this.respond(initial)
  }

  respond(data: Buffer): SaslStep {
    const message = text(data)
    if (message === undefined) return malformed
    if (this.#state === 'first') return this.#first(message)
    if (this.#state === 'final') return this.#final(message)
    return malformed
  }

  keys(keys: SaslKeys): SaslStep {
    if (this.#state !== 'keys') return malformed
    this.#state = 'final'
    this.#keys = keys
    const salt = Buffer.from(keys.salt).toString('base64')
    this.#serverFirst = `r=${this.#nonce},s=${salt},i=${keys.iterations}`
    return { kind: 'challenge', data: Buffer.from(this.#serverFirst) }
  }

  /** client-first-message: RFC 5802 §7. */
  #first(message: string): SaslStep {
    const match = /^(([ny]|p=[A-Za-z0-9.-]+),(?:a=([^,]*))?,)(n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/s.exec(
      message,
    )
    if (match === null) return malformed
    const [, gs2Header, binding, authorization, bare, name, clientNonce] = match as unknown as string[]
    // "p=" demands channel binding, which was not offered.
    if (binding!.startsWith('p') || clientNonce!.length > 256) return malformed
    const login = unescapeName(name!)
    const asked = authorization === undefined ? undefined : unescapeName(authorization)
    if (login === undefined || login.length > MAX_SASL_VALUE) return malformed
    if (asked !== undefined && asked !== '' && asked.toLowerCase() !== login.toLowerCase()) return malformed
    this.#login = login
    this.#gs2Header = gs2Header!
    this.#clientFirst = bare!
    this.#nonce = clientNonce! + this.#serverNonce
    this.#state = 'keys'
    return { kind: 'keys', login }
  }

  /** client-final-message. */
  #final(message: string): SaslStep {
    this.#state = 'over'
    const [, withoutProof, binding, nonce, proof] =
      /^(c=([A-Za-z0-9+/=]+),r=([^,]+)(?:,[^p][^,]*)*),p=([A-Za-z0-9+/=]+)$/s.exec(message) ?? []
    const keys = this.#keys
    if (keys === undefined || withoutProof === undefined || nonce !== this.#nonce) return malformed
    if (binding !== Buffer.from(this.#gs2Header).toString('base64')) return malformed
    const clientProof = Buffer.from(proof!, 'base64')
    const authMessage = `${this.#clientFirst},${this.#serverFirst},${withoutProof}`
    const signature = hmac(keys.storedKey, authMessage)
    if (clientProof.length !== signature.length) return malformed
    const clientKey = signature.map((byte, i) => byte ^ clientProof[i]!)
    const valid = timingSafeEqual(createHash('sha256').update(clientKey).digest(), keys.storedKey)
    const serverFinal = Buffer.from(`v=${hmac(keys.serverKey, authMessage).toString('base64')}`)
    return { kind: 'proof', login: this.#login, valid, serverFinal }
  }
}

function hmac(key: Uint8Array, message: string): Buffer {
  return createHmac('sha256', key).update(message).digest()
}

/** saslname: "=2C" and "=3D" and no other "=" (RFC 5802 §5.1). */
function unescapeName(name: string): string | undefined {
  if (/=(?!2C|3D)/.test(name)) return undefined
  return name.replace(/=2C/g, ',').replace(/=3D/g, '=')
}
