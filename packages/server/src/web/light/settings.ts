import type { MailboxId, MailboxService } from '@postrider/domain'
import { STATE_CLIENT } from '../record.ts'

/** What the user set for the web, beside what the directory and JMAP keep. */
export interface UserSettings {
  readonly zone: string
}

const KEY = 'settings'
export const zoneValid = (zone: string): boolean => {
  if (zone === '' || zone.length > 60) return false
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

export async function loadSettings(service: Pick<MailboxService, 'state'>, mailbox: MailboxId): Promise<UserSettings> {
  const entries = await service.state(mailbox, STATE_CLIENT, KEY)
  const value = entries.find(({ key }) => key === KEY)?.value
  let zone: unknown
  try {
    zone =
      value === undefined ? undefined : (JSON.parse(Buffer.from(value).toString('utf8')) as { zone?: unknown }).zone
  } catch {
    // A lost preference is the server's own zone.
    zone = undefined
  }
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone
  return { zone: typeof zone === 'string' && zoneValid(zone) ? zone : own }
}

export async function saveSettings(
  service: Pick<MailboxService, 'apply'>,
  mailbox: MailboxId,
  settings: UserSettings,
): Promise<void> {
  const value = Buffer.from(JSON.stringify(settings))
  await service.apply(mailbox, [{ op: 'putState', client: STATE_CLIENT, key: KEY, value }])
}
