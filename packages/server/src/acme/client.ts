import type { KeyObject } from 'node:crypto'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { readRenewalInfo, type RenewalInfo } from './renewal-info.ts'
import { accountBinding, base64url, jwkOf, signed, thumbprint } from './jws.ts'

const TIMEOUT_MS = 30_000
const MAX_ANSWER = 1024 * 1024
/** An order is looked at so often and for so long. */
const FIRST_POLL_MS = 500
const MAX_POLL_MS = 10_000
const ORDER_MS = 300_000
/** A stale nonce is the server's to give anew: RFC 8555 §6.5. */
const NONCE_TRIES = 12

/** The authority refuses or cannot be reached; `retryAfter` in ms when it says when to come again. */
export class AcmeError extends Error {
  override readonly name = 'AcmeError'
  readonly type: string
  readonly retryAfter: number | undefined
  constructor(message: string, type = '', retryAfter?: number) {
    super(message)
    this.type = type
    this.retryAfter = retryAfter
  }
}

export type ChallengeType = 'http-01' | 'tls-alpn-01'
export interface AcmeAccess {
  readonly directory: string
  readonly email: string
  readonly key: KeyObject
  /** Certificate authorities of the directory's own certificate; undefined: the usual ones. */
  readonly ca: string | undefined
  readonly binding: { readonly keyId: string; readonly mac: string } | undefined
}
/** Puts the answer to a challenge in place; what it gives back takes it away. */
export type Answerer = (type: ChallengeType, name: string, token: string, authorization: string) => () => void

interface Answer {
  readonly status: number
  readonly location: string
  readonly text: string
  readonly retryAfter: number | undefined
}
interface Directory {
  readonly newNonce: string
  readonly newAccount: string
  readonly newOrder: string
  /** RFC 9773 §4. */
  readonly renewalInfo?: string
  readonly meta?: { readonly externalAccountRequired?: boolean }
}
interface Problem {
  readonly type?: string
  readonly detail?: string
  readonly subproblems?: readonly { readonly detail?: string }[]
}
interface Order {
  readonly status: string
  readonly authorizations: readonly string[]
  readonly finalize: string
  readonly certificate?: string
  readonly error?: Problem
}
interface Authorization {
  readonly status: string
  readonly identifier: { readonly value: string }
  readonly challenges: readonly {
    readonly type: string
    readonly url: string
    readonly token: string
    readonly error?: Problem
  }[]
}

const textOf = (problem: Problem | undefined): string =>
  [
    problem?.detail ?? problem?.type ?? 'no reason',
    ...(problem?.subproblems ?? []).map((one) => one.detail ?? ''),
  ].join(' ')
const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Seconds or an HTTP date → ms from now. */
function retryAfterOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isFinite(ms) && ms > 0 ? ms : undefined
}

/** One account at one authority. */
export class AcmeClient {
  readonly #access: AcmeAccess
  #directory: Directory | undefined
  #nonce: string | undefined
  #account: string | undefined

  constructor(access: AcmeAccess) {
    this.#access = access
  }

  /**
   * A certificate for these names: order, challenges, finalisation (RFC 8555 §7.4). Answers the PEM chain. Rejects with AcmeError in words an
   * administrator can act on. `replaces`: the id of the certificate that this one replaces, for authorities that want to know (RFC 9773 §5).
   */
  async order(
    names: readonly string[],
    csr: Uint8Array,
    type: ChallengeType,
    answer: Answerer,
    replaces?: string,
  ): Promise<string> {
    const made = await this.#newOrder(names, replaces)
    const order = parse<Order>(made.text)
    for (const url of order.authorizations) await this.#authorize(url, type, answer)
    await this.#post(order.finalize, { csr: base64url(csr) })
    const done = await this.#poll<Order>(
      made.location,
      (one) => one.status === 'valid',
      (one) => one.error,
    )
    if (done.certificate === undefined) throw new AcmeError('The authority gives no certificate with its valid order.')
    return (await this.#post(done.certificate, undefined)).text
  }

  async #newOrder(names: readonly string[], replaces: string | undefined): Promise<Answer> {
    const { newOrder, renewalInfo } = await this.#begin()
    const order = { identifiers: names.map((value) => ({ type: 'dns', value })) }
    if (replaces === undefined || renewalInfo === undefined) return this.#post(newOrder, order)
    try {
      return await this.#post(newOrder, { ...order, replaces })
    } catch (error) {
      // Replaced already, or none of theirs: a certificate is wanted all the same.
      if (!(error instanceof AcmeError) || !/:(?:alreadyReplaced|malformed|unauthorized)$/.test(error.type)) throw error
      return this.#post(newOrder, order)
    }
  }

  /** When the authority wants a certificate renewed (RFC 9773 §4.1); undefined when it does not say such things. Rejects with AcmeError. */
  async renewalInfo(id: string): Promise<RenewalInfo | undefined> {
    const { renewalInfo: place } = parse<Directory>((await this.#request('GET', this.#access.directory)).text)
    if (place === undefined) return undefined
    const { status, text, retryAfter } = await this.#request('GET', `${place.replace(/\/$/, '')}/${id}`)
    const read = status === 200 ? readRenewalInfo(parse<object>(text)) : undefined
    if (read === undefined) throw new AcmeError(`The authority says nothing of the renewal: ${status}`, '', retryAfter)
    return { ...read, retryAfter }
  }

  async #begin(): Promise<Directory> {
    if (this.#directory !== undefined && this.#account !== undefined) return this.#directory
    const { directory: url, email, key, binding } = this.#access
    const directory = parse<Directory>((await this.#request('GET', url)).text)
    this.#directory = directory
    if (directory.meta?.externalAccountRequired === true && binding === undefined)
      throw new AcmeError(
        'This authority wants an account of its own: set acme.externalAccountKeyId and acme.externalAccountKeyFile.',
      )
    const { location } = await this.#post(directory.newAccount, {
      termsOfServiceAgreed: true,
      ...(email === '' ? {} : { contact: [`mailto:${email}`] }),
      ...(binding === undefined
        ? {}
        : { externalAccountBinding: accountBinding(key, directory.newAccount, binding.keyId, binding.mac) }),
    })
    this.#account = location
    return directory
  }

  async #authorize(url: string, type: ChallengeType, answer: Answerer): Promise<void> {
    const authorization = parse<Authorization>((await this.#post(url, undefined)).text)
    if (authorization.status === 'valid') return
    const name = authorization.identifier.value
    const challenge = authorization.challenges.find((one) => one.type === type)
    if (challenge === undefined) throw new AcmeError(`The authority does not offer ${type} for ${name}.`)
    const undo = answer(type, name, challenge.token, `${challenge.token}.${thumbprint(this.#access.key)}`)
    try {
      await this.#post(challenge.url, {})
      await this.#poll<Authorization>(
        url,
        (one) => one.status === 'valid',
        (one) => one.challenges.find(({ type: other }) => other === type)?.error,
        name,
      )
    } finally {
      undo()
    }
  }

  /** Looks again until it is done. */
  async #poll<T extends { readonly status: string }>(
    url: string,
    done: (value: T) => boolean,
    problem: (value: T) => Problem | undefined,
    about = 'The order',
  ): Promise<T> {
    const end = performance.now() + ORDER_MS
    for (let wait = FIRST_POLL_MS; ; wait = Math.min(MAX_POLL_MS, wait * 2)) {
      const { text, retryAfter } = await this.#post(url, undefined)
      const value = parse<T>(text)
      if (done(value)) return value
      if (value.status === 'invalid') throw new AcmeError(`${about} was refused: ${textOf(problem(value))}`)
      if (performance.now() > end) throw new AcmeError(`${about} is still ${value.status} after five minutes.`)
      await sleep(Math.min(retryAfter ?? wait, MAX_POLL_MS))
    }
  }

  async #post(url: string, payload: unknown): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      const nonce = this.#nonce ?? (await this.#freshNonce())
      this.#nonce = undefined
      const { key } = this.#access
      const who = this.#account === undefined ? { jwk: jwkOf(key) } : { kid: this.#account }
      const answer = await this.#request('POST', url, JSON.stringify(signed(key, { ...who, nonce, url }, payload)))
      if (answer.status < 400) return answer
      const problem = parse<Problem>(answer.text)
      if (problem.type?.endsWith(':badNonce') === true && tries < NONCE_TRIES) continue
      if (problem.type?.endsWith(':accountDoesNotExist') === true) this.#account = undefined
      throw new AcmeError(`The authority says: ${textOf(problem)}`, problem.type, answer.retryAfter)
    }
  }

  async #freshNonce(): Promise<string> {
    await this.#request('HEAD', this.#directory?.newNonce ?? '')
    if (this.#nonce === undefined) throw new AcmeError('The authority gives no nonce.')
    return this.#nonce
  }

  #request(method: string, url: string, body?: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const failed = (why: string): void => reject(new AcmeError(`${url} cannot be reached: ${why}`))
      if (!URL.canParse(url)) return failed('it is no address')
      const request = new URL(url).protocol === 'http:' ? plainRequest : tlsRequest
      const { ca } = this.#access
      const headers = {
        'User-Agent': 'postrider',
        ...(body === undefined
          ? {}
          : { 'Content-Type': 'application/jose+json', 'Content-Length': Buffer.byteLength(body) }),
      }
      const outgoing = request(
        url,
        { method, headers, agent: false, ...(ca === undefined ? {} : { ca }) },
        (response) => {
          const nonce = response.headers['replay-nonce']
          if (typeof nonce === 'string') this.#nonce = nonce
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk: string) => {
            text += chunk
            if (text.length > MAX_ANSWER) response.destroy(new Error('the answer is too long'))
          })
          response.on('error', (error) => failed(error.message))
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              location: response.headers.location ?? '',
              text,
              retryAfter: retryAfterOf(response.headers['retry-after']),
            }),
          )
        },
      )
      outgoing.setTimeout(TIMEOUT_MS, () => outgoing.destroy(new Error('no answer')))
      outgoing.on('error', (error) => failed(error.message))
      outgoing.end(body)
    })
  }
}

function parse<T>(text: string): T {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as T
  } catch {
    // said below
  }
  throw new AcmeError(`The authority answers something else than JSON: ${text.slice(0, 80)}`)
}
