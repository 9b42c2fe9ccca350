import { createHmac, randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bodyOf } from '../http/body.ts'
import type { HttpTraces } from '../http/looking-on.ts'
import {
  alone,
  type Authenticator,
  type Clock,
  type Language,
  type Logger,
  type Principal,
  type Together,
} from '@postrider/domain'
import { cookieOf, LOCK_COOKIE, lockCookie, readTicket, SESSION_COOKIE, setCookie, ticketText } from './cookie.ts'
import { pageHeaders, pagePolicy } from './headers.ts'
import {
  addressOf,
  answer,
  answerJson,
  formOf,
  isForeign,
  LANGUAGE_COOKIE,
  languageOf,
  ownPath,
  redirect,
  sameText,
  urlOf,
} from './request.ts'
import { HARD_LIMIT_MS } from './rules.ts'
import { readCredential } from './account/api.ts'
import { type Passkeys, placeOf } from './account/passkeys.ts'
import type { SecondStep } from './second-factor.ts'
import { principalOf, type WebSessions } from './sessions.ts'
import { PASSKEY_SCRIPT_PATH, passkeyScript, passkeyScriptTag } from './signin-script.ts'
import { renderCode, renderSignIn, type SignInPage, signInStyle } from './signin-page.ts'
import { webText } from './texts.ts'

export interface SignInParts {
  readonly sessions: WebSessions
  readonly secondFactor: SecondStep
  readonly passkeys: Passkeys
  readonly externalUrl: () => string
  readonly authenticator: Pick<Authenticator, 'verify'>
  readonly clock: Clock
  readonly log: Logger
  readonly organization: () => string
  /** Binds tokens to this installation. */
  readonly secret: Uint8Array
  readonly together?: Together
  readonly traces?: HttpTraces | undefined
}

const FORM_COOKIE = '__Host-postrider-form'
const STEP_COOKIE = '__Host-postrider-step'
const LIGHT_COOKIE = '__Host-postrider-light'
const YEAR_SECONDS = 31_536_000
/** Between password and code. */
const STEP_MS = 5 * 60_000
const MAX_STEPS = 10_000
const STEPS = 'web steps'
/** Wrong codes for one password given; the account's own budget is in `SecondFactor`. */
const MAX_STEP_TRIES = 5

/** Somebody whose password was right and whose code is awaited. */
interface Step {
  readonly principal: Principal
  readonly computer: 'private' | 'public'
  readonly to: string
  readonly light: boolean
  readonly expires: number
  tries: number
}

export const signInHeaders = pageHeaders(pagePolicy(signInStyle))
const scriptedHeaders = pageHeaders(pagePolicy(signInStyle, true))
const MAX_JSON = 65_536

/** `/signin`, `/signin/code`: works without script, tells nobody who has an account here, costs equal time. */
export class SignIn {
  readonly #parts: SignInParts
  readonly #together: Together
  readonly #steps = new Map<string, Step>()

  constructor(parts: SignInParts) {
    this.#parts = parts
    this.#together = parts.together ?? alone()
    this.#together.read(STEPS, (id, step) => {
      if (step === undefined) this.#steps.delete(id)
      else this.#steps.set(id, step as Step)
    })
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = urlOf(request)
    const path = url.pathname.toLowerCase()
    if (path === PASSKEY_SCRIPT_PATH) return this.#script(request, response)
    if (path === '/signin/passkey')
      return request.method === 'POST' ? this.#passkey(request, response) : redirect(response, '/signin')
    const code = path === '/signin/code'
    if (request.method === 'POST') return code ? this.#code(request, response) : this.#password(request, response)
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answer(response, 405, 'Only GET and POST are possible here.\n', { Allow: 'GET, HEAD, POST' })
    if (code) {
      const step = this.#stepOf(request)
      return step === undefined ? redirect(response, '/signin') : this.#codePage(request, response, 200, undefined)
    }
    const next = ownPath(url.searchParams.get('next') ?? url.searchParams.get('then'))
    const chosen = url.searchParams.get('language')
    const cookies = chosen === 'en' || chosen === 'fr' ? [setCookie(LANGUAGE_COOKIE, chosen, YEAR_SECONDS)] : []
    const language = chosen === 'en' || chosen === 'fr' ? chosen : languageOf(request)
    const why = url.searchParams.get('why') ?? ''
    const known = why === 'inactive' || why === 'limit' || why === 'signedout' || why === 'revoked'
    const light = next?.startsWith('/light') === true || (next === undefined && cookieOf(request, LIGHT_COOKIE) === '1')
    this.#page(request, response, 200, {
      next,
      language,
      note: known ? webText(language, why) : undefined,
      cookies,
      light,
      locked: !light && cookieOf(request, LOCK_COOKIE) === '1',
    })
  }

  async #password(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await formOf(request)
    if (form === undefined) return answer(response, 400, 'Bad request.\n')
    const language = languageOf(request)
    const say = (key: Parameters<typeof webText>[1], parameters?: Record<string, string>) =>
      webText(language, key, parameters)
    const login = (form.get('login') ?? '').trim().slice(0, 320)
    const password = (form.get('password') ?? '').slice(0, 1_024)
    const computer = form.get('computer') === 'public' ? 'public' : 'private'
    const next = ownPath(form.get('next'))
    const light = form.get('light') === '1'
    const again = (status: number, faults: SignInPage['faults'], headers: Record<string, string> = {}): void =>
      this.#page(request, response, status, { language, login, computer, light, next, faults, headers })
    if (isForeign(request) || !this.#formHolds(request, form.get('csrf') ?? ''))
      return again(403, { form: say('stale') })
    if (login === '' || password === '')
      return again(422, {
        ...(login === '' ? { login: say('missingLogin') } : {}),
        ...(password === '' ? { password: say('missingPassword') } : {}),
      })
    const verdict = await this.#parts.authenticator.verify({
      login,
      password,
      protocol: 'web',
      remoteAddress: addressOf(request),
    })
    if (!verdict.ok) {
      const { reason, retryAfterMs } = verdict
      this.#parts.log.info({ protocol: 'web', address: addressOf(request), login, reason }, 'login refused')
      if (reason === 'throttled' || reason === 'busy') {
        const seconds = Math.max(1, Math.ceil(retryAfterMs / 1_000))
        const minutes = String(Math.ceil(seconds / 60))
        return again(429, { form: say('throttled', { minutes }) }, { 'Retry-After': String(seconds) })
      }
      // Which of the reasons it was is nobody's business: equal text, equal time.
      if (retryAfterMs > 0) await new Promise((resolve) => setTimeout(resolve, retryAfterMs).unref())
      return again(422, { form: say('wrong') })
    }
    const { principal } = verdict
    const wantsLight = light || form.get('noscript') === '1'
    const to = targetOf(next, wantsLight)
    if (!(await this.#parts.secondFactor.active(principal.mailbox)))
      return this.#admit(request, response, principal, { computer, to, light: wantsLight })
    const id = randomBytes(32).toString('base64url')
    const now = this.#parts.clock.now()
    for (const [key, step] of this.#steps)
      if (step.expires <= now || this.#steps.size >= MAX_STEPS) this.#steps.delete(key)
    await this.#keep(id, { principal, computer, to, light: wantsLight, expires: now + STEP_MS, tries: 0 })
    redirect(response, '/signin/code', { 'Set-Cookie': setCookie(STEP_COOKIE, id) })
  }

  async #code(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await formOf(request)
    const found = this.#stepOf(request)
    if (
      form === undefined ||
      found === undefined ||
      isForeign(request) ||
      !this.#formHolds(request, form.get('csrf') ?? '')
    )
      return redirect(response, '/signin')
    const language = languageOf(request)
    const code = (form.get('code') ?? '').trim().slice(0, 64)
    if (code === '') return this.#codePage(request, response, 422, webText(language, 'codeMissing'))
    const { id, step } = found
    step.tries++
    await this.#keep(id, step.tries > MAX_STEP_TRIES ? undefined : step)
    if (step.tries > MAX_STEP_TRIES) return redirect(response, '/signin')
    const { ok, waitMs } = await this.#parts.secondFactor.check(step.principal.mailbox, code)
    if (!ok) {
      this.#parts.log.info(
        { protocol: 'web', address: addressOf(request), account: step.principal.account, reason: 'code' },
        'login refused',
      )
      const text =
        waitMs > 0
          ? webText(language, 'throttled', { minutes: String(Math.ceil(waitMs / 60_000)) })
          : webText(language, 'codeWrong')
      return this.#codePage(request, response, waitMs > 0 ? 429 : 422, text)
    }
    await this.#keep(id, undefined)
    await this.#admit(request, response, step.principal, step)
  }

  /** The next request may come to another process. */
  #keep(id: string, step: Step | undefined): Promise<void> {
    if (step === undefined) this.#steps.delete(id)
    else this.#steps.set(id, step)
    return this.#together.post(STEPS, id, step, STEP_MS)
  }

  /** Passkeys: a challenge for whoever asks, a session for whoever answers it. Everything that is wrong is answered alike. */
  async #passkey(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { passkeys, externalUrl, log } = this.#parts
    const body = await bodyOf(request, MAX_JSON)
    const refuse = (status: number): void => answerJson(response, status, {})
    let asked: Readonly<Record<string, unknown>>
    try {
      asked = { ...(JSON.parse(body?.toString('utf8') ?? '') as typeof asked) }
    } catch {
      return refuse(400)
    }
    const form = cookieOf(request, FORM_COOKIE) ?? ''
    if (isForeign(request) || typeof asked.csrf !== 'string' || !this.#formHolds(request, asked.csrf))
      return refuse(403)
    const place = placeOf(request.headers.host, externalUrl())
    if (place === undefined) return refuse(422)
    if (asked.act === 'ask') return answerJson(response, 200, { options: passkeys.ask(form, place) })
    const answered = readCredential(asked.credential)
    const entry = answered === undefined ? undefined : await passkeys.signIn(form, place, answered)
    if (entry === undefined) {
      log.info({ protocol: 'web', address: addressOf(request), reason: 'passkey' }, 'login refused')
      return refuse(422)
    }
    const light = asked.light === true
    const next = ownPath(typeof asked.next === 'string' ? asked.next : undefined)
    const cookies = await this.#open(request, principalOf(entry), {
      computer: asked.computer === 'public' ? 'public' : 'private',
      light,
      passkey: true,
    })
    answerJson(response, 200, { to: targetOf(next, light) }, { 'Set-Cookie': cookies })
  }

  #script(request: IncomingMessage, response: ServerResponse): void {
    const known = request.headers['if-none-match'] === passkeyScriptTag
    answer(response, known ? 304 : 200, known ? '' : passkeyScript, {
      'Content-Type': 'text/javascript; charset=utf-8',
      'Cache-Control': 'no-cache',
      ETag: passkeyScriptTag,
    })
  }

  async #admit(
    request: IncomingMessage,
    response: ServerResponse,
    principal: Principal,
    step: Pick<Step, 'computer' | 'to' | 'light'>,
  ): Promise<void> {
    redirect(response, step.to, { 'Set-Cookie': await this.#open(request, principal, step) })
  }

  /** A new session; its cookies. */
  async #open(
    request: IncomingMessage,
    principal: Principal,
    { computer, light, passkey = false }: Pick<Step, 'computer' | 'light'> & { readonly passkey?: boolean },
  ): Promise<readonly string[]> {
    const { sessions, log, traces } = this.#parts
    // Whatever session this browser had is over: no ticket from before the sign-in lives on (session fixation).
    const old = readTicket(cookieOf(request, SESSION_COOKIE))
    const held = await sessions.find(old)
    if (held.ok && old !== undefined) await sessions.end(old.mailbox, held.session.id)
    const agent = request.headers['user-agent'] ?? ''
    traces?.belongsTo(request, principal.address)
    const { ticket } = await sessions.open(principal, { computer, address: addressOf(request), agent })
    log.info({ protocol: 'web', account: principal.account, address: addressOf(request) }, 'signed in')
    const age = computer === 'private' ? HARD_LIMIT_MS / 1_000 : undefined
    return [
      setCookie(SESSION_COOKIE, ticketText(ticket), age),
      setCookie(FORM_COOKIE, '', 0),
      setCookie(STEP_COOKIE, '', 0),
      setCookie(LIGHT_COOKIE, light ? '1' : '', light ? YEAR_SECONDS : 0),
      // Where nothing is kept nothing is locked.
      ...(computer === 'public' ? [lockCookie(false)] : passkey && !light ? [lockCookie(true)] : []),
    ]
  }

  #stepOf(request: IncomingMessage): { readonly id: string; readonly step: Step } | undefined {
    const id = cookieOf(request, STEP_COOKIE) ?? ''
    const step = this.#steps.get(id)
    return step === undefined || step.expires <= this.#parts.clock.now() ? undefined : { id, step }
  }

  /** The form's token belongs to the cookie that came with the form: only we can make the pair (login CSRF). */
  #tokenOf(cookie: string): string {
    return createHmac('sha256', this.#parts.secret).update(`web form ${cookie}`).digest('base64url')
  }
  #formHolds(request: IncomingMessage, token: string): boolean {
    const cookie = cookieOf(request, FORM_COOKIE) ?? ''
    return /^[\w-]{43}$/.test(cookie) && sameText(token, this.#tokenOf(cookie))
  }
  #formCookie(request: IncomingMessage): { readonly csrf: string; readonly cookie: string } {
    const had = cookieOf(request, FORM_COOKIE) ?? ''
    const cookie = /^[\w-]{43}$/.test(had) ? had : randomBytes(32).toString('base64url')
    return { csrf: this.#tokenOf(cookie), cookie: setCookie(FORM_COOKIE, cookie) }
  }

  #page(
    request: IncomingMessage,
    response: ServerResponse,
    status: number,
    page: Partial<SignInPage> & { language: Language; cookies?: readonly string[]; headers?: Record<string, string> },
  ): void {
    const { csrf, cookie } = this.#formCookie(request)
    const { cookies = [], headers = {}, ...rest } = page
    const text = renderSignIn({
      organization: this.#parts.organization(),
      csrf,
      next: undefined,
      login: '',
      computer: 'private',
      light: false,
      faults: {},
      note: undefined,
      locked: false,
      passkeys: placeOf(request.headers.host, this.#parts.externalUrl()) !== undefined,
      ...rest,
    })
    answer(response, status, text, {
      ...scriptedHeaders,
      'Content-Language': page.language,
      'Set-Cookie': [cookie, ...cookies],
      ...headers,
    })
  }

  #codePage(request: IncomingMessage, response: ServerResponse, status: number, fault: string | undefined): void {
    const language = languageOf(request)
    const { csrf, cookie } = this.#formCookie(request)
    const text = renderCode({ language, organization: this.#parts.organization(), csrf, fault })
    answer(response, status, text, { ...signInHeaders, 'Content-Language': language, 'Set-Cookie': cookie })
  }
}

/** Where the signed-in user goes: where he wanted to, in the client he chose. */
function targetOf(next: string | undefined, light: boolean): string {
  if (light) return next?.startsWith('/light') === true ? next : '/light/'
  return next?.startsWith('/mail') === true ? next : '/mail/'
}
