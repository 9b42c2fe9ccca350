import type { IncomingMessage, ServerResponse } from 'node:http'
import { bodyOf } from '../../http/body.ts'
import { audit, type WebContext } from '../context.ts'
import { lockCookie } from '../cookie.ts'
import { answerJson } from '../request.ts'
import type { WebSession } from '../sessions.ts'
import { base32, totpUri } from '../totp.ts'
import { appProtocols, makeAppPassword, ownAppPasswords, takeBackAppPassword } from './app-passwords.ts'
import { deviceName, deviceStatus, guardedActs, orderOwnDevice, ownDevices, recoveryPassword } from './devices.ts'
import { changePassword, passwordRules } from './new-password.ts'
import { placeOf } from './passkeys.ts'
import { passwordRight } from './password.ts'
import { qrSvg } from './qr.ts'

/** What the full client's options ask of the account: second step, app passwords, passkeys, mobile devices. The pages of Light do the same by forms. */

const MAX_JSON = 131_072
type Asked = Readonly<Record<string, unknown>>
interface Visit {
  readonly context: WebContext
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly session: WebSession
  readonly asked: Asked
}
const text = ({ asked }: Visit, name: string): string => (typeof asked[name] === 'string' ? asked[name] : '')
/** `type`: what was wrong, for the client's words. */
const refuse = ({ response }: Visit, type: string, detail = ''): void => answerJson(response, 422, { type, detail })
const done = ({ response }: Visit, value: Asked = {}, headers: Readonly<Record<string, string>> = {}): void =>
  answerJson(response, 200, value, headers)
/** Answers and says false when the password is not right. */
async function guarded(visit: Visit): Promise<boolean> {
  const { context, request, session } = visit
  if (await passwordRight(context, request, session.principal, text(visit, 'password'))) return true
  refuse(visit, 'password')
  return false
}

async function overview(visit: Visit): Promise<void> {
  const { context, request, session } = visit
  const { principal } = session
  const { secondFactor } = context
  const active = await secondFactor.active(principal.mailbox)
  const pending = active ? undefined : await secondFactor.pending(principal.mailbox)
  done(visit, {
    secondStep: active ? 'on' : pending === undefined ? 'off' : 'pending',
    ...(pending === undefined ? {} : keyOf(visit, pending)),
    ...(active ? { recoveryLeft: await secondFactor.left(principal.mailbox) } : {}),
    password: passwordRules(context) ?? null,
    appPasswords: ownAppPasswords(context, principal),
    appProtocols,
    passkeys: await context.passkeys.list(principal),
    passkeysPossible: placeOf(request.headers.host, context.config().externalUrl) !== undefined,
  })
}

/** The key of the second step in the three ways an app takes it. */
function keyOf({ context, session }: Visit, secret: Uint8Array): Asked {
  const uri = totpUri(secret, context.directory.organization, session.principal.address)
  return { key: base32(secret).replace(/(.{4})(?=.)/g, '$1 '), uri, qr: qrSvg(uri) }
}

async function secondStep(visit: Visit): Promise<void> {
  const { context, request, session } = visit
  const { secondFactor } = context
  const { mailbox } = session.principal
  const act = text(visit, 'act')
  if (act === 'confirm') {
    const codes = await secondFactor.confirm(mailbox, text(visit, 'code'))
    if (codes === undefined) return refuse(visit, 'code')
    audit(context, request, session.principal, 'second-step-on')
    return done(visit, { codes })
  }
  if (act !== 'begin' && act !== 'off' && act !== 'codes') return refuse(visit, 'act')
  if (!(await guarded(visit))) return undefined
  if (act === 'off') {
    await secondFactor.remove(mailbox)
    audit(context, request, session.principal, 'second-step-off')
    return done(visit)
  }
  if (act === 'codes') {
    const codes = await secondFactor.renew(mailbox)
    if (codes === undefined) return refuse(visit, 'act')
    audit(context, request, session.principal, 'recovery-codes')
    return done(visit, { codes })
  }
  if (await secondFactor.active(mailbox)) return refuse(visit, 'act')
  return done(visit, keyOf(visit, await secondFactor.begin(mailbox)))
}

async function password(visit: Visit): Promise<void> {
  const { context, request, session } = visit
  const given = { old: text(visit, 'password'), wanted: text(visit, 'wanted'), again: text(visit, 'again') }
  const outcome = await changePassword(context, request, session, given)
  if ('ok' in outcome) return done(visit)
  return 'why' in outcome ? refuse(visit, 'invalid', outcome.why) : refuse(visit, outcome.fault)
}

async function appPasswords(visit: Visit): Promise<void> {
  const { context, request, session, asked } = visit
  if (text(visit, 'act') === 'remove')
    return (await takeBackAppPassword(context, request, session.principal, text(visit, 'id')))
      ? done(visit)
      : refuse(visit, 'notFound')
  if (!(await guarded(visit))) return undefined
  const protocols = Array.isArray(asked.protocols) ? asked.protocols.filter((one) => typeof one === 'string') : []
  const made = await makeAppPassword(context, request, session.principal, text(visit, 'name'), protocols)
  return 'why' in made ? refuse(visit, 'invalid', made.why) : done(visit, { password: made.password })
}

async function passkeys(visit: Visit): Promise<void> {
  const { context, request, session, asked } = visit
  const { principal, id: own } = session
  const { passkeys: keys } = context
  const id = text(visit, 'id')
  switch (text(visit, 'act')) {
    case 'rename':
      return (await keys.rename(principal, id, text(visit, 'name'))) ? done(visit) : refuse(visit, 'notFound')
    case 'remove':
      audit(context, request, principal, 'passkey-remove')
      return (await keys.remove(principal, id)) ? done(visit) : refuse(visit, 'notFound')
    case 'begin': {
      const place = placeOf(request.headers.host, context.config().externalUrl)
      if (place === undefined) return refuse(visit, 'place')
      return (await guarded(visit)) ? done(visit, { options: await keys.begin(principal, own, place) }) : undefined
    }
    case 'finish': {
      const place = placeOf(request.headers.host, context.config().externalUrl)
      const answer = readCredential(asked.credential)
      if (place === undefined || answer === undefined) return refuse(visit, 'passkey')
      const made = await keys.finish(principal, own, place, answer, text(visit, 'name'))
      if (made === undefined) return refuse(visit, 'passkey')
      audit(context, request, principal, 'passkey-add')
      // From now on this browser is unlocked by it.
      const kept = session.record.computer === 'private'
      return done(visit, { id: made.id }, kept ? { 'Set-Cookie': lockCookie(true) } : {})
    }
    default:
      return refuse(visit, 'act')
  }
}

/** RegistrationResponseJSON and AuthenticationResponseJSON (WebAuthn Level 3 §5.1) as far as they are looked at. */
export function readCredential(value: unknown) {
  if (typeof value !== 'object' || value === null) return undefined
  const { id, response } = value as Asked
  if (typeof id !== 'string' || typeof response !== 'object' || response === null) return undefined
  const parts = response as Asked
  const part = (name: string): string => (typeof parts[name] === 'string' ? parts[name] : '')
  return {
    id,
    clientDataJSON: part('clientDataJSON'),
    attestationObject: part('attestationObject'),
    authenticatorData: part('authenticatorData'),
    signature: part('signature'),
    userHandle: part('userHandle'),
  }
}

async function devices(visit: Visit): Promise<void> {
  const { context, session } = visit
  const list = await ownDevices(context, session.principal)
  done(visit, {
    devices: list.map((device) => ({
      id: device.id,
      name: deviceName(device),
      status: deviceStatus(device),
      wiped: device.wiped ?? null,
      firstSeen: device.firstSeen,
      lastSeen: device.lastSeen,
      userAgent: device.userAgent.slice(0, 200),
    })),
  })
}

async function orderDevice(visit: Visit): Promise<void> {
  const { context, request, session } = visit
  const act = text(visit, 'act')
  if (guardedActs.has(act) && !(await guarded(visit))) return
  const device = await orderOwnDevice(context, request, session.principal, text(visit, 'id'), act)
  if (device === undefined) return refuse(visit, 'notFound')
  done(visit, act === 'recovery' ? { recovery: recoveryPassword(context, session.principal, device) ?? null } : {})
}

const places: Readonly<Record<string, (visit: Visit) => Promise<void>>> = {
  'GET /web/account': overview,
  'POST /web/account/second-step': secondStep,
  'POST /web/account/password': password,
  'POST /web/account/app-passwords': appPasswords,
  'POST /web/account/passkeys': passkeys,
  'GET /web/account/devices': devices,
  'POST /web/account/devices': orderDevice,
}

/** Answers; false when there is no such place. The session and its token were looked at before. */
export async function serveAccount(
  context: WebContext,
  request: IncomingMessage,
  response: ServerResponse,
  session: WebSession,
  place: string,
): Promise<boolean> {
  const handler = Object.hasOwn(places, place) ? places[place] : undefined
  if (handler === undefined) return false
  let asked: unknown = {}
  if (place.startsWith('POST ')) {
    const body = await bodyOf(request, MAX_JSON)
    try {
      asked = JSON.parse(body?.toString('utf8') ?? '')
    } catch {
      answerJson(response, 400, { type: 'json' })
      return true
    }
  }
  await handler({
    context,
    request,
    response,
    session,
    asked: typeof asked === 'object' && asked !== null ? (asked as Asked) : {},
  })
  return true
}
