import type { Verdict } from '@postrider/domain'
import { bad, no, Refusal } from '../codes.ts'
import { beforeLogin, command } from '../command.ts'
import { requireTls, settle } from '../login.ts'
import { parseScramFirst, ScramExchange } from '../sasl/scram.ts'
import type { Session } from '../session.ts'

/** Who wanted in, and whether he may. */
interface Outcome {
  readonly login: string
  readonly verdict: Verdict
}
type Mechanism = (session: Session, initialResponse: Buffer | undefined) => Promise<Outcome>

/** The SASL mechanisms offered. Anonymous is not one of them (R39). */
const mechanisms = new Map<string, Mechanism>([
  ['PLAIN', plain],
  ['LOGIN', loginMechanism],
  ['SCRAM-SHA-256', scramSha256],
])

/** RFC 9051 §6.2.2, with the initial response of RFC 4959. */
export const authenticate = command({
  name: 'AUTHENTICATE',
  states: beforeLogin,
  updates: 'none',
  async run(session, { mechanism, initialResponse }) {
    const run = mechanisms.get(mechanism)
    if (run === undefined || !session.offers(`AUTH=${mechanism}`)) return no('Unknown mechanism', 'CANNOT')
    requireTls(session)
    const outcome = await run(session, initialResponse === undefined ? undefined : decode(initialResponse))
    return settle(session, outcome.login, outcome.verdict)
  },
})

function decode(text: string): Buffer {
  if (text === '*') throw new Refusal(bad('AUTHENTICATE cancelled'))
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Refusal(bad('Invalid base64'))
  return Buffer.from(text, 'base64')
}

/** Sends a challenge and takes the response. */
async function ask(session: Session, challenge: string): Promise<Buffer> {
  session.out.ascii(`+ ${Buffer.from(challenge, 'utf8').toString('base64')}\r\n`)
  return decode(await session.line())
}

async function verify(session: Session, login: string, password: string): Promise<Outcome> {
  const { remoteAddress } = session.connection
  const { authenticator } = session.context
  return { login, verdict: await authenticator.verify({ login, password, protocol: 'imap', remoteAddress }) }
}

/** RFC 4616. Acting for somebody else (another authzid) is not offered. */
async function plain(session: Session, initialResponse: Buffer | undefined): Promise<Outcome> {
  const response = initialResponse ?? (await ask(session, ''))
  const [authzid = '', login = '', password = '', ...rest] = response.toString('utf8').split('\0')
  if (rest.length > 0 || login === '') throw new Refusal(bad('Invalid PLAIN response'))
  const outcome = await verify(session, login, password)
  if (authzid === '' || authzid === login || !outcome.verdict.ok) return outcome
  return { login, verdict: { ok: false, reason: 'invalid', retryAfterMs: 0 } }
}

/** draft-murchison-sasl-login: what Outlook speaks. */
async function loginMechanism(session: Session, initialResponse: Buffer | undefined): Promise<Outcome> {
  const login = initialResponse ?? (await ask(session, 'Username:'))
  const password = await ask(session, 'Password:')
  return verify(session, login.toString('utf8'), password.toString('utf8'))
}

/** RFC 7677. The client must see our signature before it is logged in: RFC 5802 §3. */
async function scramSha256(session: Session, initialResponse: Buffer | undefined): Promise<Outcome> {
  const { authenticator } = session.context
  const first = parseScramFirst((initialResponse ?? (await ask(session, ''))).toString('utf8'))
  if (first === undefined) throw new Refusal(bad('Invalid SCRAM message'))
  const exchange = new ScramExchange(first, await authenticator.scram(first.login, 'imap'))
  const final = exchange.finish((await ask(session, exchange.serverFirst)).toString('utf8'))
  const rightUser = first.authzid === '' || first.authzid === first.login
  const { remoteAddress } = session.connection
  const verdict = await authenticator.scramDone(first.login, 'imap', remoteAddress, final !== undefined && rightUser)
  if (verdict.ok && final !== undefined) await ask(session, final)
  return { login: first.login, verdict }
}
