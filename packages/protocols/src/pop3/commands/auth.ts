/** USER and PASS (RFC 1939 §7), AUTH (RFC 5034). All of them only inside TLS (R25), all through the one authenticator. */
import type { Verdict } from '@postrider/domain'
import { listing } from '@postrider/wire/pop3'
import { decodeSasl, type SaslServer, type SaslStep, saslServer } from '@postrider/wire/smtp'
import type { Answer, Pop3Session } from '../session.ts'
import { say } from '../texts.ts'

export function user(session: Pop3Session, name: string): Answer {
  if (!session.connection.secure) return session.err('tlsFirst', 'AUTH')
  session.user = name
  // The same for everybody: who exists is not told here.
  return session.ok('sendPassword')
}

export async function pass(session: Pop3Session, password: string): Promise<Answer> {
  if (!session.connection.secure) return session.err('tlsFirst', 'AUTH')
  if (session.user === undefined) return session.err('sendUserFirst')
  const login = session.user
  session.user = undefined
  const { remoteAddress } = session.connection
  const { authenticator } = session.services
  return decided(session, await authenticator.verify({ login, password, protocol: 'pop3', remoteAddress }))
}

export async function auth(
  session: Pop3Session,
  name: string | undefined,
  initial: string | undefined,
): Promise<Answer> {
  const { settings, connection, language } = session
  const offered = connection.secure ? settings.authMechanisms : []
  if (name === undefined) return { text: listing(say(language, 'mechanisms'), offered) }
  if (!connection.secure) return session.err('tlsFirst', 'AUTH')
  const mechanism = offered.find((one) => one === name)
  if (mechanism === undefined) return session.err('mechanismUnknown')
  const first = initial === undefined ? undefined : decodeSasl(initial)
  if (initial !== undefined && first === undefined) return session.err('authMalformed')
  const server = saslServer(mechanism)
  return converse(session, server, server.start(first))
}

async function converse(session: Pop3Session, server: SaslServer, begin: SaslStep): Promise<Answer> {
  const { authenticator } = session.services
  const { remoteAddress } = session.connection
  let step = begin
  for (;;) {
    if (session.isClosed) return { text: '' }
    switch (step.kind) {
      case 'malformed':
        return session.err('authMalformed')
      case 'password': {
        const { login, password } = step
        return decided(session, await authenticator.verify({ login, password, protocol: 'pop3', remoteAddress }))
      }
      case 'keys':
        step = server.keys(await authenticator.scram(step.login, 'pop3'))
        break
      case 'proof': {
        const verdict = await authenticator.scramDone(step.login, 'pop3', remoteAddress, step.valid)
        if (verdict.ok) {
          const answer = await session.challenge(step.serverFinal.toString('base64'))
          if (answer !== '' && answer !== '=') return session.err('authMalformed')
        }
        return decided(session, verdict)
      }
      case 'challenge': {
        const line = await session.challenge(step.data.toString('base64'))
        if (line === '*') return session.err('authCancelled')
        const data = line === undefined ? undefined : decodeSasl(line)
        if (data === undefined) return session.err('authMalformed')
        step = server.respond(data)
      }
    }
  }
}

async function decided(session: Pop3Session, verdict: Verdict): Promise<Answer> {
  if (session.isClosed) return { text: '' }
  session.services.meter.count('pop3_logins_total', { result: verdict.ok ? 'ok' : verdict.reason })
  if (verdict.ok) return session.enter(verdict.principal)
  session.log.info({ reason: verdict.reason }, 'pop3 login refused')
  if (verdict.reason === 'busy') return session.err('loginBusy', 'SYS/TEMP')
  const delay = Math.min(verdict.retryAfterMs, session.settings.authTarpitInterval)
  const close = ++session.logonFailures >= session.settings.maxLogonFailures
  // R39, R40: whatever the reason, one answer (RFC 3206 §4).
  return { ...session.err(close ? 'tooManyFailures' : 'loginFailed', 'AUTH'), delay, close }
}
