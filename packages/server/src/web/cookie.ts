import type { IncomingMessage } from 'node:http'
import { mailboxId, type MailboxId } from '@postrider/domain'

/** The session's cookie: whose mailbox holds the record, which record, and the secret that opens it. */
export const SESSION_COOKIE = '__Host-postrider'
/** Longest Cookie header looked at. */
const MAX_HEADER = 8_192

export interface Ticket {
  readonly mailbox: MailboxId
  readonly id: string
  readonly secret: string
}

/** The value of a cookie; undefined when it is not there, or there twice (somebody else's doing). */
export function cookieOf(request: Pick<IncomingMessage, 'headers'>, name: string): string | undefined {
  const header = request.headers.cookie
  if (header === undefined || header.length > MAX_HEADER) return undefined
  const values = header
    .split(';')
    .map((one) => one.trim())
    .filter((one) => one.startsWith(`${name}=`))
  return values.length === 1 ? values[0]?.slice(name.length + 1) : undefined
}

export function readTicket(value: string | undefined): Ticket | undefined {
  const match = /^(\d{1,15})\.([\w-]{22})\.([\w-]{43})$/.exec(value ?? '')
  const mailbox = Number(match?.[1])
  return match === null || mailbox < 1 || mailbox > 2 ** 48 - 1
    ? undefined
    : { mailbox: mailboxId(mailbox), id: match[2]!, secret: match[3]! }
}

export const ticketText = ({ mailbox, id, secret }: Ticket): string => `${mailbox}.${id}.${secret}`

/** A Set-Cookie value: RFC 6265bis with the `__Host-` prefix. `maxAgeSeconds` undefined: until the browser closes. */
export const setCookie = (name: string, value: string, maxAgeSeconds?: number): string =>
  [
    `${name}=${value}`,
    'Path=/',
    'Secure',
    'HttpOnly',
    'SameSite=Strict',
    ...(maxAgeSeconds === undefined ? [] : [`Max-Age=${maxAgeSeconds}`]),
  ].join('; ')

/** Says nothing of anybody: this browser was opened with a passkey before, so the sign-in page begins with that (the lock screen of the installed app). */
export const LOCK_COOKIE = '__Host-postrider-lock'
const YEAR_SECONDS = 31_536_000
export const lockCookie = (on: boolean): string => setCookie(LOCK_COOKIE, on ? '1' : '', on ? YEAR_SECONDS : 0)
