import { createDoor, type MailboxEntry, type MailboxHandle, SpokenError } from '@postrider/domain'
import {
  type DeviceOrder,
  type DeviceRecord,
  listDevices,
  recoveryOf,
  removeDevice,
} from '@postrider/protocols/activesync'
import type { Administration, RunningServer } from '../../administration.ts'
import { adminCommand, CommandFailed, UsageError, type Words } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { example, notRunning } from '../../cli/phrases.ts'

/** Mobile devices: what `Get-MobileDevice`, `Clear-MobileDevice`, `Remove-MobileDevice` and `Set-CASMailbox -ActiveSyncAllowedDeviceIDs` do; R5, R6, R64. */

/** Named as Get-MobileDeviceStatistics names them. */
interface DeviceReport {
  readonly Mailbox: string
  readonly DeviceId: string
  readonly DeviceType: string
  readonly FriendlyName: string
  readonly DeviceModel: string
  readonly DeviceOS: string
  readonly DeviceUserAgent: string
  readonly DeviceActiveSyncVersion: string
  readonly FirstSyncTime: string | null
  readonly LastSyncAttemptTime: string | null
  readonly DeviceAccessState: 'Allowed' | 'Blocked' | 'Quarantined'
  readonly Status: 'DeviceOk' | 'DeviceWipePending' | 'AccountOnlyDeviceWipePending' | 'DeviceWipeSucceeded'
  readonly DeviceWipeAckTime: string | null
  /** Masked unless asked for. */
  readonly RecoveryPassword: string | null
}

const MASK = '********'
const time = (ms: number | undefined): string | null =>
  ms === undefined || ms <= 0 ? null : new Date(ms).toISOString()
const access = { allowed: 'Allowed', blocked: 'Blocked', quarantined: 'Quarantined' } as const

function reportOf(mailbox: string, device: DeviceRecord, recoveryPassword?: string): DeviceReport {
  const { information, wipe, wiped } = device
  const kept = device.sealedPassword ?? device.recoveryPassword
  return {
    Mailbox: mailbox,
    DeviceId: device.id,
    DeviceType: device.type,
    FriendlyName: information?.friendlyName ?? '',
    DeviceModel: information?.model ?? '',
    DeviceOS: information?.os ?? '',
    DeviceUserAgent: device.userAgent,
    DeviceActiveSyncVersion: device.version,
    FirstSyncTime: time(device.firstSeen),
    LastSyncAttemptTime: time(device.lastSeen),
    DeviceAccessState: access[device.access ?? 'allowed'],
    Status:
      wiped !== undefined
        ? 'DeviceWipeSucceeded'
        : wipe === 'device'
          ? 'DeviceWipePending'
          : wipe === 'account'
            ? 'AccountOnlyDeviceWipePending'
            : 'DeviceOk',
    DeviceWipeAckTime: time(wiped),
    RecoveryPassword: kept === undefined ? null : (recoveryPassword ?? MASK),
  }
}

/** The mailbox as its owner has it: devices lie there. */
function open({ directory }: Administration, server: RunningServer, entry: MailboxEntry): Promise<MailboxHandle> {
  const { account, address, displayName, mailbox, language } = entry
  const principal = {
    account,
    address,
    displayName,
    mailbox,
    language,
    protocol: 'web',
    appPassword: undefined,
  } as const
  return createDoor(server.service, directory).open(principal, mailbox)
}

const needServer = ({ server }: Administration): RunningServer => {
  if (server === undefined) throw new CommandFailed(notRunning, 'notRunning')
  return server
}

interface Found {
  readonly server: RunningServer
  readonly entry: MailboxEntry
  readonly handle: MailboxHandle
  readonly device: DeviceRecord
}

/** The device the words name. */
async function find(administration: Administration, words: Words): Promise<Found> {
  const server = needServer(administration)
  const entry = administration.directory.identity(words.need(0, 'address'))
  const id = words.need(1, 'id')
  const handle = await open(administration, server, entry)
  const device = (await listDevices(handle)).find((one) => one.id === id)
  if (device === undefined)
    throw new SpokenError({
      en: `${entry.address} has no device ${id}. See: postrider device list ${entry.address}`,
      fr: `${entry.address} n’a pas d’appareil ${id}. Voir : postrider device list ${entry.address}`,
    })
  return { server, entry, handle, device }
}

async function change(
  administration: Administration,
  words: Words,
  order: (device: DeviceRecord) => Partial<DeviceOrder>,
): Promise<DeviceReport> {
  const { server, entry, handle, device } = await find(administration, words)
  const { wipe, wiped, access: now } = device
  await server.orderDevice(handle, device, { wipe, wiped, access: now, ...order(device) })
  const after = (await listDevices(handle)).find(({ id }) => id === device.id) ?? device
  return reportOf(entry.address, after)
}

export const deviceList = adminCommand<{ readonly devices: readonly DeviceReport[] }>({
  name: 'device list',
  summary: {
    en: 'Lists the phones and tablets of a mailbox, or of all.',
    fr: 'Liste les téléphones et tablettes d’une boîte, ou de toutes.',
  },
  arguments: ['address?'],
  options: {
    'show-recovery-password': {
      help: {
        en: 'Shows the recovery passwords devices have stored here; of one mailbox only.',
        fr: 'Montre les mots de passe de récupération déposés par les appareils ; d’une seule boîte.',
      },
    },
  },
  notes: [example('postrider device list bob@example.com')],
  where: 'server',
  async run(administration, words) {
    const server = needServer(administration)
    const { directory } = administration
    const address = words.at(0)
    const show = words.flag('show-recovery-password')
    if (show && address === undefined) throw new UsageError({ en: 'Name the mailbox.', fr: 'Indiquez la boîte.' })
    const entries = address === undefined ? [...directory.mailboxes()] : [directory.identity(address)]
    const devices: DeviceReport[] = []
    for (const one of entries) {
      const entry = directory.mailbox(one.mailbox)
      if (entry === undefined) continue
      const own = await listDevices(await open(administration, server, entry))
      const passwordOf = (device: DeviceRecord): string | undefined =>
        show ? recoveryOf(directory.secret, entry.mailbox, device) : undefined
      devices.push(...own.map((device) => reportOf(entry.address, device, passwordOf(device))))
    }
    return { devices }
  },
  text({ devices }, say) {
    if (devices.length === 0) return say({ en: 'No devices.', fr: 'Aucun appareil.' })
    const head = [
      say({ en: 'Mailbox', fr: 'Boîte' }),
      'DeviceId',
      say({ en: 'Device', fr: 'Appareil' }),
      say({ en: 'Last seen', fr: 'Vu' }),
      say({ en: 'Access', fr: 'Accès' }),
      say({ en: 'Status', fr: 'État' }),
      say({ en: 'Recovery password', fr: 'Mot de passe de récupération' }),
    ]
    return columns([
      head,
      ...devices.map((one) => [
        one.Mailbox,
        one.DeviceId,
        [one.FriendlyName || one.DeviceModel || one.DeviceType, one.DeviceOS].filter((text) => text !== '').join(', '),
        one.LastSyncAttemptTime?.slice(0, 16).replace('T', ' ') ?? '',
        one.DeviceAccessState,
        one.Status,
        one.RecoveryPassword ?? '',
      ]),
    ])
  },
})

export const deviceWipe = adminCommand<DeviceReport>({
  name: 'device wipe',
  summary: {
    en: 'Erases a lost device at its next contact, everything on it; or takes the order back.',
    fr: 'Efface un appareil perdu à son prochain contact, tout ce qu’il contient ; ou annule cet ordre.',
  },
  arguments: ['address', 'id'],
  options: {
    'account-only': {
      help: {
        en: 'Only what came from this server; needs ActiveSync 16.1.',
        fr: 'Seulement ce qui vient de ce serveur ; demande ActiveSync 16.1.',
      },
    },
    cancel: { help: { en: 'Takes a pending order back.', fr: 'Annule un ordre en attente.' } },
    yes: { help: { en: 'Does not ask.', fr: 'Ne demande pas confirmation.' } },
  },
  notes: [example('postrider device wipe bob@example.com AB12CD34 --yes')],
  where: 'server',
  run(administration, words) {
    const cancel = words.flag('cancel')
    if (!cancel && !words.flag('yes'))
      throw new UsageError({
        en: 'This erases the device. Add --yes to do it.',
        fr: 'Ceci efface l’appareil. Ajoutez --yes pour le faire.',
      })
    const accountOnly = words.flag('account-only')
    return change(administration, words, (device) => {
      if (cancel) return { wipe: 'none', wiped: undefined }
      if (accountOnly && device.version !== '16.1')
        throw new SpokenError({
          en: `The device speaks ActiveSync ${device.version}: an account-only wipe needs 16.1.`,
          fr: `L’appareil parle ActiveSync ${device.version} : l’effacement du seul compte demande 16.1.`,
        })
      return { wipe: accountOnly ? 'account' : 'device', wiped: undefined }
    })
  },
  text: ({ DeviceId, Status }, say) =>
    Status === 'DeviceOk'
      ? say({ en: `${DeviceId} will not be erased.`, fr: `${DeviceId} ne sera pas effacé.` })
      : Status === 'AccountOnlyDeviceWipePending'
        ? say({
            en: `What ${DeviceId} has from this server is erased at its next contact.`,
            fr: `Ce que ${DeviceId} a reçu de ce serveur sera effacé à son prochain contact.`,
          })
        : say({
            en: `${DeviceId} is erased at its next contact.`,
            fr: `${DeviceId} sera effacé à son prochain contact.`,
          }),
})

export const deviceRemove = adminCommand<{ readonly Mailbox: string; readonly DeviceId: string }>({
  name: 'device remove',
  summary: {
    en: 'Forgets a device that is no longer used; one that comes back begins anew.',
    fr: 'Oublie un appareil qui ne sert plus ; s’il revient, il recommence.',
  },
  arguments: ['address', 'id'],
  options: {},
  notes: [example('postrider device remove bob@example.com AB12CD34')],
  where: 'server',
  async run(administration, words) {
    const { server, entry, handle, device } = await find(administration, words)
    const { id, access } = device
    // Such an order outlives the device's record, and nobody would see it any more.
    if (device.wipe !== 'none')
      throw new SpokenError({
        en: `${id} waits to be erased. Take that back first: postrider device wipe ${entry.address} ${id} --cancel`,
        fr: `${id} attend d’être effacé. Annulez d’abord : postrider device wipe ${entry.address} ${id} --cancel`,
      })
    if (access === 'blocked' || access === 'quarantined')
      throw new SpokenError({
        en: `${id} is shut out. Let it in first: postrider device allow ${entry.address} ${id}`,
        fr: `${id} est exclu. Laissez-le d’abord entrer : postrider device allow ${entry.address} ${id}`,
      })
    await handle.apply(removeDevice(id))
    // One that has been erased may come back; what waits ends and learns that it has to begin anew.
    await server.orderDevice(handle, device, { wipe: 'none', wiped: undefined, access })
    return { Mailbox: entry.address, DeviceId: id }
  },
  text: ({ DeviceId }, say) => say({ en: `${DeviceId} is forgotten.`, fr: `${DeviceId} est oublié.` }),
})

const accessCommand = (name: string, to: 'blocked' | 'allowed', en: string, fr: string) =>
  adminCommand<DeviceReport>({
    name,
    summary: { en, fr },
    arguments: ['address', 'id'],
    options: {},
    where: 'server',
    run: (administration, words) => change(administration, words, () => ({ access: to })),
    text: ({ DeviceId, DeviceAccessState }) => `${DeviceId}: ${DeviceAccessState}`,
  })
export const deviceBlock = accessCommand(
  'device block',
  'blocked',
  'Shuts one device out; the mailbox stays open for the others.',
  'Exclut un appareil ; la boîte reste ouverte aux autres.',
)
export const deviceAllow = accessCommand(
  'device allow',
  'allowed',
  'Lets a blocked or quarantined device in.',
  'Laisse entrer un appareil bloqué ou en quarantaine.',
)
