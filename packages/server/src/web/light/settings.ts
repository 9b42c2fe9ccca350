import {
  decodePreferences,
  encodePreferences,
  isZone,
  type MailboxId,
  type MailboxService,
  type Preferences,
  PREFERENCES_STATE,
} from '@postrider/domain'

/** What the user set for the web; the same record the script client writes (JMAP Preferences). */
export const zoneValid = isZone

export async function loadPreferences(
  service: Pick<MailboxService, 'state'>,
  mailbox: MailboxId,
): Promise<Preferences> {
  const entries = await service.state(mailbox, PREFERENCES_STATE.client, PREFERENCES_STATE.key)
  const preferences = decodePreferences(entries.find(({ key }) => key === PREFERENCES_STATE.key)?.value)
  // A lost preference is the server's own zone.
  return preferences.zone === ''
    ? { ...preferences, zone: Intl.DateTimeFormat().resolvedOptions().timeZone }
    : preferences
}

export async function savePreferences(
  service: Pick<MailboxService, 'state' | 'apply'>,
  mailbox: MailboxId,
  changes: Partial<Preferences>,
): Promise<void> {
  const value = encodePreferences({ ...(await loadPreferences(service, mailbox)), ...changes })
  await service.apply(mailbox, [{ op: 'putState', ...PREFERENCES_STATE, value }])
}
