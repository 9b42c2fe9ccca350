/**
 * The web client's side of the server: sign-in, sessions (R16, R17), the page and files of the browser client, bodies of mail made safe, and
 * the Light version (R18). In: HTTP requests; out: pages and JSON. Invariants: nothing but what the user does extends a session and nothing
 * extends it beyond eight hours; what changes anything shows a token beside the cookie; no answer runs a script that is not ours. Read next:
 * sessions.ts (the rules at work), signin.ts, context.ts (who asks), light/.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { alone } from '@postrider/domain'
import type { Principal } from '@postrider/domain'
import type { Route } from '../http/router.ts'
import { Passkeys } from './account/passkeys.ts'
import { WebApi } from './api.ts'
import { serveBody, servePicture } from './body.ts'
import { Bundle } from './bundle.ts'
import { sessionCheck, type SessionCheck, type WebContext, type WebParts } from './context.ts'
import { createLight } from './light/index.ts'
import { pictureFetcher } from './picture.ts'
import { answer, redirect } from './request.ts'
import { SecondFactor } from './second-factor.ts'
import { WebSessions } from './sessions.ts'
import { serveMail } from './shell.ts'
import { SignIn } from './signin.ts'
import { PASSKEY_SCRIPT_PATH } from './signin-script.ts'

export type { SessionCheck } from './context.ts'

export interface Web {
  readonly routes: readonly Route[]
  /** The cookie as a second kind of authentication. */
  readonly check: SessionCheck
  /** Whether the password alone is not enough for this user. */
  needsSecondStep(principal: Principal): Promise<boolean>
  /** Ends event streams: the server stops. */
  drain(): void
  close(): void
}

export function createWeb(parts: WebParts & { readonly dataFolder: string }): Web {
  const { service, directory, authenticator, clock, config, together = alone() } = parts
  const log = parts.log.child({ protocol: 'web' })
  const sessions = new WebSessions({
    service,
    directory,
    authenticator,
    clock,
    log,
    inactivityMs: () => config()['web.inactivityTimeout'],
    together,
  })
  const secondFactor = parts.secondFactor ?? new SecondFactor({ service, clock, secret: directory.secret })
  const passkeys = new Passkeys({ service, directory, clock, log, together })
  const context: WebContext = { ...parts, log, sessions, secondFactor, passkeys, together }
  const organization = (): string => directory.organization
  const signIn = new SignIn({
    sessions,
    secondFactor,
    passkeys,
    externalUrl: () => config().externalUrl,
    authenticator,
    clock,
    log,
    organization,
    secret: directory.secret,
    together,
    traces: parts.traces,
  })
  const api = new WebApi(context)
  const bundle = new Bundle(parts.dataFolder, log)
  const pictures = pictureFetcher(clock)
  const light = createLight(context)
  const under = (place: string) => (path: string) => path === place || path.startsWith(`${place}/`)
  const routes: Route[] = [
    {
      name: 'signin',
      matches: (path) => ['/signin', '/signin/code', '/signin/passkey', PASSKEY_SCRIPT_PATH].includes(path),
      handle: (request, response) => signIn.handle(request, response),
    },
    {
      name: 'signout',
      matches: (path) => path === '/signout',
      handle: (request, response) => api.signOut(request, response),
    },
    {
      name: 'web',
      matches: under('/web'),
      handle: (request, response) => api.handle(request, response, (request.url ?? '').split('?', 1)[0] ?? ''),
    },
    {
      name: 'mail-body',
      matches: (path) => path.startsWith('/mail/body/'),
      handle: (request, response) => serveBody(context, request, response),
    },
    {
      name: 'mail-picture',
      matches: (path) => path === '/mail/picture',
      handle: (request, response) => servePicture(context, pictures, request, response),
    },
    {
      name: 'mail',
      matches: under('/mail'),
      handle: (request, response) => serveMail(context, bundle, request, response),
    },
    { name: 'light', matches: under('/light'), handle: (request, response) => light.handle(request, response) },
    {
      name: 'icon',
      matches: (path) => path === '/favicon.ico',
      handle(request, response) {
        if (!bundle.serve(request, response, 'icon.svg')) answer(response, 404, 'Not found.\n')
      },
    },
    // Where users of Exchange look for it.
    // What people type from habit.
    ...['/owa', '/exchange', '/webmail', '/login'].map((path) => ({
      name: 'owa',
      matches: under(path),
      handle: (_request: IncomingMessage, response: ServerResponse) => redirect(response, '/mail/'),
    })),
  ]
  return {
    routes,
    check: sessionCheck(context),
    needsSecondStep: ({ mailbox }) => secondFactor.active(mailbox),
    drain: () => api.drain(),
    close: () => sessions.close(),
  }
}
