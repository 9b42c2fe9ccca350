/**
 * What becomes of a device nobody has judged yet: Exchange's DefaultAccessLevel. It is decided when a device has taken the policy for the first time,
 * since it has said by then what it is; a device that has a partnership already stays. Of a quarantine its user and the administrators
 * are told by mail: the device itself shows nothing but an error.
 */
import { buildMessage } from '@postrider/wire/mime'
import type { Context } from '../context.ts'
import type { DeviceRecord } from '../state/device.ts'
import { say } from './texts.ts'

export const accessLevels = { allow: undefined, block: 'blocked', quarantine: 'quarantined' } as const
export type AccessLevel = keyof typeof accessLevels

/** What is to be noted of a device that finishes its partnership; undefined: nothing. */
export const admission = ({ device, deps }: Context): 'blocked' | 'quarantined' | undefined =>
  device.access === undefined && device.policyKey === 0 ? accessLevels[deps.settings.defaultAccessLevel] : undefined

/** How long the mails are remembered: one of each per device, however often it asks. */
const KEEP_MS = 30 * 24 * 60 * 60 * 1000

interface Letter {
  readonly to: { readonly name: string; readonly address: string }
  readonly language: 'en' | 'fr'
  readonly text: 'quarantineUser' | 'quarantineAdministrator'
}

/** Tells the user and every administrator, each in their language. What cannot be sent is logged: the quarantine stands all the same. */
export async function announceQuarantine(context: Context, device: DeviceRecord): Promise<void> {
  const { principal, deps } = context
  const administrators = [...deps.directory.mailboxes()].filter((one) => one.isAdministrator && one.enabled)
  const letters: Letter[] = administrators.map(({ displayName, address, language }) => ({
    to: { name: displayName, address },
    language,
    text: 'quarantineAdministrator',
  }))
  if (!administrators.some(({ mailbox }) => mailbox === principal.mailbox)) {
    const { displayName: name, address, language } = principal
    letters.unshift({ to: { name, address }, language, text: 'quarantineUser' })
  }
  const from = { name: deps.directory.organization, address: administrators[0]?.address ?? principal.address }
  for (const letter of letters) await send(context, device, from, letter)
}

async function send(
  { principal, deps, log }: Context,
  device: DeviceRecord,
  from: Letter['to'],
  { to, language, text }: Letter,
): Promise<void> {
  const values = { address: principal.address, id: device.id, device: describe(device) }
  const message = buildMessage({
    from: [from],
    to: [to],
    subject: say(language, `${text}Subject`, values),
    date: deps.clock.now(),
    headers: [['Auto-Submitted', 'auto-generated']],
    text: say(language, text, values),
  })
  // The null sender: nobody is told when this cannot be delivered.
  const result = await deps.submitter.submit({
    principal,
    from: '',
    recipients: [{ address: to.address, notify: ['never'] }],
    message,
    save: undefined,
    once: { key: `eas/quarantine/${device.id}/${to.address.toLowerCase()}`, keepMs: KEEP_MS },
  })
  if (!result.ok) log.warn({ reason: result.reason }, 'nobody could be told of a quarantined device')
}

/** `Pixel 9, Android 16 (Phone, Android-Mail/2026)`: what the device says of itself, on one line. */
function describe({ information, type, userAgent }: DeviceRecord): string {
  const said = [information?.friendlyName ?? information?.model, information?.os]
  const known = said.filter((one) => one !== undefined && one !== '').join(', ')
  const technical = [type, userAgent].filter((one) => one !== '').join(', ')
  return (known === '' ? technical : `${known} (${technical})`).replace(/[\x00-\x1f\x7f]+/g, ' ').slice(0, 300)
}
