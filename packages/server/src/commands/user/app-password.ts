import type { ProtocolName } from '@postrider/domain'
import { adminCommand } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { example } from '../../cli/phrases.ts'
import { protocolsNamed } from './fields.ts'

const usual: readonly ProtocolName[] = [
  'activesync',
  'imap',
  'pop3',
  'smtp',
  'jmap',
  'ews',
  'mapi',
  'dav',
  'autodiscover',
]

export const appPasswordAdd = adminCommand<{ id: string; password: string; protocols: readonly string[] }>({
  name: 'user app-password add',
  summary: {
    en: 'Makes a password for one device; shown once.',
    fr: 'Crée un mot de passe pour un appareil ; affiché une seule fois.',
  },
  arguments: ['address', 'name'],
  options: {
    for: {
      value: 'protocols',
      many: true,
      help: {
        en: `What it opens; without: ${usual.join(', ')}.`,
        fr: `Ce qu’il ouvre ; sans cette option : ${usual.join(', ')}.`,
      },
    },
  },
  notes: [example('postrider user app-password add bob@example.com "Bob’s phone" --for activesync')],
  where: 'either',
  async run({ directory }, words) {
    const protocols = words.has('for') ? protocolsNamed(words.many('for')) : usual
    const made = await directory.addAppPassword(words.need(0, 'address'), words.need(1, 'name'), protocols)
    return { ...made, protocols }
  },
  text: ({ id, password }, say) =>
    say({
      en: `${password}\nIt is shown only now. To take it back: postrider user app-password remove <address> ${id}`,
      fr: `${password}\nAffiché seulement maintenant. Pour le retirer : postrider user app-password remove <adresse> ${id}`,
    }),
})

export const appPasswordRemove = adminCommand<{ id: string; removed: true }>({
  name: 'user app-password remove',
  summary: {
    en: 'Takes a device’s password back and ends its sessions.',
    fr: 'Retire le mot de passe d’un appareil et ferme ses sessions.',
  },
  arguments: ['address', 'id'],
  options: {},
  where: 'either',
  async run({ directory }, words) {
    const id = words.need(1, 'id')
    await directory.removeAppPassword(words.need(0, 'address'), id)
    return { id, removed: true }
  },
  text: ({ id }, say) =>
    say({ en: `App password ${id} is gone.`, fr: `Le mot de passe d’application ${id} est retiré.` }),
})

interface AppPassword {
  readonly id: string
  readonly name: string
  readonly protocols: readonly string[]
  readonly created: string
  readonly lastUsed: string | null
}
export const appPasswordList = adminCommand<readonly AppPassword[]>({
  name: 'user app-password list',
  summary: {
    en: 'Lists the passwords of a user’s devices and when they were last used.',
    fr: 'Donne la liste des mots de passe des appareils d’un utilisateur et leur dernier usage.',
  },
  arguments: ['address'],
  options: {},
  where: 'either',
  async run({ directory }, words) {
    const date = (ms: number | undefined): string | null => (ms === undefined ? null : new Date(ms).toISOString())
    return directory.appPasswords(words.need(0, 'address')).map((one) => ({
      id: one.id,
      name: one.name,
      protocols: one.protocols,
      created: date(one.created) ?? '',
      lastUsed: date(one.lastUsed),
    }))
  },
  text: (list, say) =>
    columns(
      [
        [
          'ID',
          say({ en: 'NAME', fr: 'NOM' }),
          say({ en: 'LAST USED', fr: 'DERNIER USAGE' }),
          say({ en: 'FOR', fr: 'POUR' }),
        ],
        ...list.map((one) => [
          one.id,
          one.name,
          one.lastUsed ?? say({ en: 'never', fr: 'jamais' }),
          one.protocols.join(', '),
        ]),
      ],
      '',
    ),
})
