import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Language, Preferences, Principal } from '@postrider/domain'
import { accountIdOf } from '@postrider/protocols/jmap'
import type { WebContext } from '../context.ts'
import { pageHeaders, pagePolicy } from '../headers.ts'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { ask, CallError } from '../mail.ts'
import { answer, redirect } from '../request.ts'
import type { WebSession } from '../sessions.ts'
import { type Folder, foldersOf } from './folders-of.ts'
import type { Flash, Flashes } from './flash.ts'
import type { Posted } from './form.ts'
import { csrfField, type Frame, renderPage } from './page.ts'
import { lightText, type LightTextKey } from './texts.ts'

type Args = Readonly<Record<string, unknown>>
export const lightPolicy = pageHeaders(pagePolicy(undefined))
/** Refresh comes so long after the end, so that it is over by then. */
const BEHIND_END_S = 2

/** One request of the Light version: who asks, in what language, and how pages are answered. */
export class Visit {
  readonly context: WebContext
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly session: WebSession
  readonly url: URL
  /** Undefined for GET. */
  readonly posted: Posted | undefined
  readonly preferences: Preferences
  readonly language: Language
  readonly flashes: Flashes
  #folders: Promise<readonly Folder[]> | undefined

  constructor(
    parts: Pick<
      Visit,
      'context' | 'request' | 'response' | 'session' | 'url' | 'posted' | 'preferences' | 'language' | 'flashes'
    >,
  ) {
    this.context = parts.context
    this.request = parts.request
    this.response = parts.response
    this.session = parts.session
    this.url = parts.url
    this.posted = parts.posted
    this.preferences = parts.preferences
    this.language = parts.language
    this.flashes = parts.flashes
  }

  get principal(): Principal {
    return this.session.principal
  }
  get accountId(): string {
    return accountIdOf(this.principal.mailbox)
  }
  get zone(): string {
    return this.preferences.zone
  }
  get fields(): URLSearchParams {
    return this.posted?.fields ?? new URLSearchParams()
  }
  say = (key: LightTextKey, parameters?: Record<string, string | number>): string =>
    lightText(this.language, key, parameters)
  ask = <T>(name: string, args: Args): Promise<T> =>
    ask<T>(this.context, this.principal, name, { accountId: this.accountId, ...args })

  folders(): Promise<readonly Folder[]> {
    this.#folders ??= foldersOf(this.context, this.principal, this.accountId, this.language)
    return this.#folders
  }
  /** The folders changed. */
  forget(): void {
    this.#folders = undefined
  }

  date(text: string | number): string {
    return new Intl.DateTimeFormat(this.language, {
      dateStyle: 'medium',
      timeStyle: 'short',
      timeZone: this.zone,
    }).format(new Date(text))
  }
  /** The time of today's, the day of this year's. */
  shortDate(text: string): string {
    const show = (at: number, options: Intl.DateTimeFormatOptions): string =>
      new Intl.DateTimeFormat(this.language, { ...options, timeZone: this.zone }).format(at)
    const [at, now] = [Date.parse(text), this.context.clock.now()]
    if (show(at, { dateStyle: 'short' }) === show(now, { dateStyle: 'short' })) return show(at, { timeStyle: 'short' })
    const sameYear = show(at, { year: 'numeric' }) === show(now, { year: 'numeric' })
    return show(at, sameYear ? { day: 'numeric', month: 'short' } : { dateStyle: 'medium' })
  }
  size(bytes: number): string {
    const [unit, value] = bytes < 1_024 * 1_024 ? ['kilobyte', bytes / 1_024] : ['megabyte', bytes / 1_048_576]
    const digits = value < 10 ? 1 : 0
    return new Intl.NumberFormat(this.language, { style: 'unit', unit, maximumFractionDigits: digits }).format(
      Math.max(0.1, value),
    )
  }

  async page(
    title: string,
    body: Html,
    more: Partial<Pick<Frame, 'current' | 'query' | 'error' | 'note'>> & {
      readonly status?: number
      readonly writing?: boolean
    } = {},
  ): Promise<void> {
    const { context, session, language, response } = this
    const deadlines = context.sessions.deadlines(session.id) ?? session.deadlines
    const end = Math.min(deadlines.inactiveAt, deadlines.limitAt)
    const { status = 200, writing = false, ...rest } = more
    const flash = this.flashes.take(session.id)
    const frame: Frame = {
      language,
      organization: context.directory.organization,
      title,
      session,
      folders: await this.folders(),
      endsAt: new Intl.DateTimeFormat(language, { timeStyle: 'short', timeZone: this.zone }).format(end),
      look: this.preferences,
      note: flash === undefined ? undefined : this.#flashHtml(flash),
      ...rest,
    }
    const why = deadlines.inactiveAt < deadlines.limitAt ? 'inactive' : 'limit'
    const seconds = Math.ceil((end - deadlines.now) / 1_000) + BEHIND_END_S
    answer(response, status, renderPage(frame, body), {
      ...lightPolicy,
      'Content-Language': language,
      // What is being written must not vanish: it is kept when it is sent, however late.
      ...(writing ? {} : { Refresh: `${seconds}; url=/signin?why=${why}&next=%2Flight%2F` }),
    })
  }

  #flashHtml({ text, undo }: Flash): Html {
    return html`<p>${text}${undo !== undefined && html` <form method="post" action="/light/undo">${csrfField(this.session)}<button>${this.say('undo')}</button></form>`}</p>`
  }

  /** POST, redirect, GET: with what happened said on the next page. */
  done(to: string, flash?: Flash): void {
    const go = (): void => redirect(this.response, to)
    // What was done is done, said or not.
    if (flash === undefined) go()
    else this.flashes.put(this.session.id, flash).then(go, go)
  }

  /** Words for what a method refused. */
  why(error: unknown): string {
    if (error instanceof CallError) return error.type
    throw error
  }
}
