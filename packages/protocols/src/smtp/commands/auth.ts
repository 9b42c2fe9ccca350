/** AUTH: RFC 4954, mechanisms of `wire/smtp/sasl.ts`, verdicts of the one authenticator. Nothing before TLS (R25). */
import type { Verdict } from '@postrider/domain'
import { decodeSasl, type SaslMechanism, type SaslServer, type SaslStep, saslServer } from '@postrider/wire/smtp'
import { replies } from '../replies.ts'
import type { Answer, SmtpSession } from '../session.ts'

export async function auth(session: SmtpSession, name: string, initial: string | undefined): Promise<Answer> {
  const { connector, connection } = session
  if (connector.authMechanisms.length === 0) return { reply: replies.notImplemented, protocolError: true }
  if (session.hello === undefined || !session.extended) return { reply: replies.helloFirst, protocolError: true }
  if (!connection.secure) return { reply: replies.authNeedsTls }
  if (session.principal !== undefined) return { reply: replies.alreadyAuthenticated, protocolError: true }
  if (session.transaction !== undefined) return { reply: replies.notInTransaction, protocolError: true }
  const mechanism = connector.authMechanisms.find((one): one is SaslMechanism => one === name)
  if (mechanism === undefined) return { reply: replies.mechanismUnknown, protocolError: true }
  const first = initial === undefined ? undefined : decodeSasl(initial)
  if (initial !== undefined && first === undefined) return { reply: replies.authMalformed, protocolError: true }
  const server = saslServer(mechanism)
  return converse(session, server, server.start(first))
}

async function converse(session: SmtpSession, server: SaslServer, begin: SaslStep): Promise<Answer> {
  const { authenticator } = session.services
  const remoteAddress = session.connection.remoteAddress
  let step = begin
  for (;;) {
    if (session.isClosed) return {}
    switch (step.kind) {
      case 'malformed':
        return { reply: replies.authMalformed, protocolError: true }
      case 'password': {
        const { login, password } = step
        return decided(session, await authenticator.verify({ login, password, protocol: 'smtp', remoteAddress }))
      }
      case 'keys':
        step = server.keys(await authenticator.scram(step.login, 'smtp'))
        break
      case 'proof': {
        const verdict = await authenticator.scramDone(step.login, 'smtp', remoteAddress, step.valid)
        if (verdict.ok && !session.isClosed) {
          // RFC 4954 §4: data that goes with success travels as a last challenge.
          const answer = await session.challenge(step.serverFinal.toString('base64'))
          if (answer !== '' && answer !== '=') return { reply: replies.authMalformed, protocolError: true }
        }
        return decided(session, verdict)
      }
      case 'challenge': {
        const line = await session.challenge(step.data.toString('base64'))
        if (line === '*') return { reply: replies.authCancelled }
        const data = line === undefined ? undefined : decodeSasl(line)
        if (data === undefined) return { reply: replies.authMalformed, protocolError: true }
        step = server.respond(data)
      }
    }
  }
}

function decided(session: SmtpSession, verdict: Verdict): Answer {
  const { connector, services } = session
  if (verdict.ok) {
    if (session.isClosed) return {}
    session.login(verdict.principal)
    services.meter.count('smtp_logins_total', { result: 'ok' })
    session.log.info({ account: verdict.principal.account }, 'smtp login')
    return { reply: replies.authenticated }
  }
  services.meter.count('smtp_logins_total', { result: verdict.reason })
  session.log.info({ reason: verdict.reason }, 'smtp login refused')
  if (verdict.reason === 'busy') return { reply: replies.authBusy }
  session.logonFailures++
  const last = session.logonFailures >= connector.maxLogonFailures
  // The authenticator knows how often this has happened on all protocols together.
  const delay = Math.min(verdict.retryAfterMs, connector.authTarpitInterval)
  // One answer for everything a stranger could learn from.
  return last ? { reply: replies.tooManyLogonFailures, close: true, delay } : { reply: replies.authFailed, delay }
}
