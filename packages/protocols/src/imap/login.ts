import { timed, type Verdict } from '@postrider/domain'
import { type Answer, no, ok, Refusal } from './codes.ts'
import type { Session } from './session.ts'

/** All wrong credentials look alike: R39, R40, reliability P17. */
const failed = no('Wrong name or password', 'AUTHENTICATIONFAILED')

/** RFC 9051 §6.2.3, R25: no password before TLS. */
export function requireTls(session: Session): void {
  if (!session.connection.secure) {
    throw new Refusal(no('Only inside TLS: use STARTTLS first', 'PRIVACYREQUIRED'))
  }
}

/**
 * Turns the authenticator's verdict into a logged-in session or an answer that says no more than needed. The mailbox is opened here:
 * who has none cannot log in. `login` is what was typed, for the log (banning by address and name).
 */
export async function settle(session: Session, login: string, verdict: Verdict): Promise<Answer> {
  const { context } = session
  if (!verdict.ok) {
    context.log.info({ remote: session.connection.remoteAddress, login, reason: verdict.reason }, 'imap login refused')
    await wait(session, Math.min(verdict.retryAfterMs, context.settings.tarpit))
    if (++session.failedLogins >= context.settings.maxFailedLogins) session.bye('Too many failed logins')
    if (verdict.reason === 'throttled') return no('Too many failed logins, try again later', 'UNAVAILABLE')
    if (verdict.reason === 'busy') return no('The server is busy, try again', 'UNAVAILABLE')
    return failed
  }
  const { principal } = verdict
  const leave = context.sessions.enter(principal.account, context.settings.maxConnectionsPerUser)
  if (leave === undefined) return no('Too many connections of this user', 'LIMIT')
  try {
    const mailbox = await context.door.open(principal, principal.mailbox)
    const forget = context.authenticator.session(principal, () => session.bye('Access was withdrawn', 'UNAVAILABLE'))
    const unregister = (): void => {
      forget()
      leave()
    }
    session.connection.belongsTo?.(principal.address)
    session.state = { name: 'authenticated', user: { principal, mailbox, unregister } }
  } catch (error) {
    leave()
    throw error
  }
  session.widenLimits()
  context.log.info({ remote: session.connection.remoteAddress, account: principal.account }, 'imap login')
  return ok('Logged in', `CAPABILITY ${session.capabilities()}`)
}

/** Waits in the shared wheel, so that a thousand guessers cost a thousand small entries. */
function wait(session: Session, ms: number): Promise<void> {
  if (ms <= 0) return Promise.resolve()
  return new Promise((resolve) => session.context.wheel.add(timed(resolve), ms))
}
