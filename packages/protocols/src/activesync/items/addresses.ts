/** Address lists as ActiveSync writes and reads them: [MS-ASDTYPE] §2.7.3, [MS-ASEMAIL] To, Cc, From, ReplyTo, Bcc. */
import type { Recipient } from '@postrider/domain'
import { type MailAddress, mailboxesOf, parseAddressList } from '@postrider/wire/mime'

/** Characters of To, Cc and From: [MS-ASEMAIL] §6, and of Bcc. */
export const MAX_ADDRESSES = 32_768
export const MAX_BCC = 1_024

interface Named {
  readonly name: string
  readonly address: string
}

/** `"Name" <local@domain>`; the bare address without a name, the quoted name without an address. */
export function easAddress(one: Named): string {
  const name = one.name.replace(/[\r\n]+/g, ' ').trim()
  if (one.address === '') return name === '' ? '' : `"${name.replace(/["\\]/g, '\\$&')}"`
  return name === '' ? one.address : `"${name.replace(/["\\]/g, '\\$&')}" <${one.address}>`
}

/**
 * A list, separated by commas (MS-ASEMAIL_R331, R787) or, for ReplyTo, by semicolons (R711). Whole addresses only: what does
 * not fit into `max` characters is left out.
 */
export function easAddresses(list: readonly Named[], separator: ', ' | ';' = ', ', max = MAX_ADDRESSES): string {
  let text = ''
  for (const one of list) {
    const next = easAddress(one)
    if (next === '') continue
    if (text.length + separator.length + next.length > max) break
    text += (text === '' ? '' : separator) + next
  }
  return text
}

/** Display names separated by semicolons: DisplayTo, DisplayCc, DisplayBcc (MS-ASEMAIL_R400). */
export const displayNames = (list: readonly Named[]): string =>
  list
    .map((one) => one.name || one.address)
    .filter((name) => name !== '')
    .join('; ')

/** The recipients of an item of one type. */
export const recipientsOfType = (recipients: readonly Recipient[], type: Recipient['type']): Recipient[] =>
  recipients.filter((one) => one.type === type)

/**
 * A list a client wrote into a draft: separated by commas or semicolons (Gmail writes semicolons). Names without an address
 * come back with an empty address; the caller resolves or refuses them.
 */
export function parseEasAddresses(text: string): MailAddress[] {
  return mailboxesOf(parseAddressList(commasOnly(text)))
}

/** Semicolons outside quotes and comments as commas. One pass. */
function commasOnly(text: string): string {
  if (!text.includes(';')) return text
  let out = ''
  let quoted = false
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const c = text[at]
    if (c === '\\' && quoted) at++
    else if (c === '"') quoted = !quoted
    else if (c === ';' && !quoted) {
      out += `${text.slice(from, at)},`
      from = at + 1
    }
  }
  return out + text.slice(from)
}
