import type { ProtocolName } from '@postrider/domain'
import { adminCommand } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { protocolsNamed } from './fields.ts'

const usual: readonly ProtocolName[] = ['activesync', 'imap', 'pop3', 'smtp', 'ews', 'mapi', 'dav', 'autodiscover']

export const appPasswordAdd = adminCommand<{ id: string; password: string; protocols: readonly string[] }>({
  name: 'user app-password add',
  summary: 'Makes a password for one device; shown once.',
  arguments: ['address', 'name'],
  options: { for: { value: 'protocols', many: true, help: `What it opens; without: ${usual.join(', ')}.` } },
  notes: ['Example: postrider user app-password add bob@example.com "Bob’s phone" --for activesync'],
  where: 'either',
  async run({ directory }, words) {
    const protocols = words.has('for') ? protocolsNamed(words.many('for')) : usual
    const made = await directory.addAppPassword(words.need(0, 'address'), words.need(1, 'name'), protocols)
    return { ...made, protocols }
  },
  text: (made) =>
    `${made.password}\nIt is shown only now. To take it back: postrider user app-password remove <address> ${made.id}`,
})

export const appPasswordRemove = adminCommand<{ id: string; removed: true }>({
  name: 'user app-password remove',
  summary: 'Takes a device’s password back and ends its sessions.',
  arguments: ['address', 'id'],
  options: {},
  where: 'either',
  async run({ directory }, words) {
    const id = words.need(1, 'id')
    await directory.removeAppPassword(words.need(0, 'address'), id)
    return { id, removed: true }
  },
  text: (result) => `App password ${result.id} is gone.`,
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
  summary: 'Lists the passwords of a user’s devices and when they were last used.',
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
  text: (list) =>
    columns(
      [
        ['ID', 'NAME', 'LAST USED', 'FOR'],
        ...list.map((one) => [one.id, one.name, one.lastUsed ?? 'never', one.protocols.join(', ')]),
      ],
      '',
    ),
})
