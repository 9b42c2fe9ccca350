/** A mail made ready to leave, and its envelope: RFC 8621 §7.5. */
import type { Principal, Submission } from '@postrider/domain'
import {
  cleanAddress,
  formatAddress,
  HeaderFields,
  mailboxesOf,
  parseAddressList,
  rewriteHeaders,
  toCrlf,
} from '@postrider/wire/mime'
import type { Call } from '../core/call.ts'
import { invalidProperties, SetError } from '../core/error.ts'
import * as s from '../core/shape.ts'
import { MAX_DELAYED_SEND } from '../limits.ts'

type Parameters = Readonly<Record<string, string | null>>
export interface Envelope {
  readonly mailFrom: { readonly email: string; readonly parameters: Parameters | null }
  readonly rcptTo: readonly { readonly email: string; readonly parameters: Parameters | null }[]
}

export interface Outgoing {
  readonly envelope: Envelope
  readonly message: Uint8Array
  /** ms: when it is to leave; the present for at once. */
  readonly sendAt: number
}

const parameters: s.Shape<Parameters> = (value, path) =>
  Object.fromEntries(s.mapOf(s.string, s.nullable(s.string))(value, path))
const address = s.object({ email: s.string, parameters: s.optional<Parameters | null>(s.nullable(parameters), null) })
export const envelopeShape: s.Shape<Envelope> = s.object({ mailFrom: address, rcptTo: s.list(address) })

/** Fields that are nobody's business at the other end. */
const NEVER = ['bcc', 'resent-bcc', 'return-path']

export function prepareOutgoing(
  call: Call,
  bytes: Uint8Array,
  identityEmail: string,
  given: Envelope | null,
): Outgoing {
  const message = toCrlf(bytes)
  const header = new HeaderFields(message)
  const missing = ['from', 'date'].filter((name) => !header.has(name))
  if (missing.length > 0)
    throw new SetError('invalidEmail', undefined, {
      properties: missing.map((name) => (name === 'date' ? 'sentAt' : name)),
    })
  const sender = checkFrom(call, header)
  const envelope = given ?? {
    mailFrom: { email: identityEmail, parameters: null },
    rcptTo: recipientsOf(header).map((email) => ({ email, parameters: null })),
  }
  const { mailFrom, rcptTo } = envelope
  if (mailFrom.email !== '' && call.jmap.parts.directory.maySendAs(call.principal.account, mailFrom.email) === 'no')
    throw new SetError('forbiddenMailFrom')
  if (rcptTo.length === 0) throw new SetError('noRecipients')
  const invalid = rcptTo.filter((one) => cleanAddress(one.email) === undefined).map((one) => one.email)
  if (invalid.length > 0) throw new SetError('invalidRecipients', undefined, { invalidRecipients: invalid })
  if (rcptTo.some((one) => Object.keys(one.parameters ?? {}).length > 0))
    throw invalidProperties(['envelope'], 'no parameters of recipients are known')
  return {
    envelope,
    sendAt: sendTime(mailFrom.parameters, call.jmap.parts.clock.now()),
    message: rewriteHeaders(message, { remove: NEVER, prepend: sender === undefined ? [] : [['Sender', sender]] }),
  }
}

/** Every author must be somebody the user may write as; who writes on behalf of somebody says so. Answers a Sender field to add. */
function checkFrom(call: Call, header: HeaderFields): string | undefined {
  const { principal, jmap } = call
  const authors = people(header, 'from')
  if (authors.length === 0) throw new SetError('invalidEmail', undefined, { properties: ['from'] })
  const rights = authors.map((one) => jmap.parts.directory.maySendAs(principal.account, one))
  if (rights.includes('no')) throw new SetError('forbiddenFrom')
  const senders = people(header, 'sender')
  if (senders.some((one) => jmap.parts.directory.maySendAs(principal.account, one) === 'no'))
    throw new SetError('forbiddenFrom')
  const own = rights.every((one) => one === 'own' || one === 'sendAs')
  return own || senders.length > 0
    ? undefined
    : formatAddress({ name: principal.displayName, address: principal.address })
}

const people = (header: HeaderFields, name: string): string[] =>
  mailboxesOf(header.all(name).flatMap((value) => parseAddressList(value))).map((one) => one.address)

function recipientsOf(header: HeaderFields): string[] {
  const out = new Map<string, string>()
  for (const name of ['to', 'cc', 'bcc'])
    for (const one of people(header, name)) if (one !== '') out.set(one.toLowerCase(), one)
  return [...out.values()]
}

/** FUTURERELEASE: RFC 4865 §4, as parameters of MAIL FROM. */
function sendTime(given: Parameters | null, now: number): number {
  let at = now
  const wrong = (why: string): SetError => invalidProperties(['envelope'], why)
  for (const [name, value] of Object.entries(given ?? {})) {
    const upper = name.toUpperCase()
    if (upper === 'HOLDFOR' && /^\d{1,9}$/.test(value ?? '')) at = now + Number(value) * 1_000
    else if (upper === 'HOLDUNTIL' && !Number.isNaN(Date.parse(value ?? ''))) at = Date.parse(value as string)
    else throw wrong(`the parameter ${name.slice(0, 50)} is not known here`)
  }
  if (at - now > MAX_DELAYED_SEND * 1_000) throw wrong('that is too far in the future')
  return Math.max(at, now)
}

export const submissionOf = (
  principal: Principal,
  { envelope, message }: Pick<Outgoing, 'envelope' | 'message'>,
): Omit<Submission, 'also' | 'once'> => ({
  principal,
  from: envelope.mailFrom.email,
  recipients: uniqueAddresses(envelope),
  message,
  // The mail itself is in the mailbox already; the client moves it to where it belongs.
  save: undefined,
})

function uniqueAddresses({ rcptTo }: Envelope): { address: string }[] {
  return [
    ...new Map(
      rcptTo.map((one) => [one.email.toLowerCase(), { address: cleanAddress(one.email) ?? one.email }]),
    ).values(),
  ]
}
