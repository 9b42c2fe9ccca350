import { adminCommand, CommandFailed, UsageError } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { factText, type GroupReport, groupReport } from '../user/fields.ts'

export const groupAdd = adminCommand<GroupReport>({
  name: 'group add',
  summary: 'Adds a distribution group.',
  arguments: ['address', 'member…'],
  options: { name: { value: 'text', help: 'Name shown to others.' } },
  notes: ['Members may be mailboxes, other groups and addresses elsewhere.'],
  where: 'either',
  async run({ directory }, words) {
    const name = words.value('name')
    const wanted = { address: words.need(0, 'address'), members: words.rest(1) }
    return groupReport(await directory.addGroup(name === undefined ? wanted : { ...wanted, displayName: name }))
  },
  text: factText,
})

export const groupList = adminCommand<readonly GroupReport[]>({
  name: 'group list',
  summary: 'Lists distribution groups.',
  arguments: [],
  options: {},
  where: 'either',
  run: async ({ directory }) =>
    [...directory.groups()].map(groupReport).sort((a, b) => (a.address < b.address ? -1 : 1)),
  text: (groups) =>
    columns(
      [
        ['ADDRESS', 'NAME', 'MEMBERS'],
        ...groups.map((one) => [one.address, one.displayName, String(one.members.length)]),
      ],
      '',
    ),
})

export const groupShow = adminCommand<GroupReport>({
  name: 'group show',
  summary: 'Shows a group and its members.',
  arguments: ['address'],
  options: {},
  where: 'either',
  async run({ directory }, words) {
    const address = words.need(0, 'address')
    const found = directory.resolve(address)
    if (found.kind !== 'group') throw new CommandFailed(`There is no group ${address}.`, 'notFound')
    return groupReport(found.entry)
  },
  text: factText,
})

export const groupSet = adminCommand<GroupReport>({
  name: 'group set',
  summary: 'Changes a group.',
  arguments: ['address'],
  options: {
    name: { value: 'text', help: 'Name shown to others.' },
    add: { value: 'addresses', many: true, help: 'Members to add.' },
    remove: { value: 'addresses', many: true, help: 'Members to take out.' },
    alias: { value: 'address', many: true, help: 'All aliases it is to have (replaces the list).' },
    hide: { help: 'Leaves it out of address lists.' },
    unhide: { help: 'Puts it into address lists.' },
    'inside-only': { help: 'Only people who logged in may write to it.' },
    'from-anywhere': { help: 'Everybody may write to it.' },
  },
  where: 'either',
  async run({ directory }, words) {
    const address = words.need(0, 'address')
    const found = directory.resolve(address)
    if (found.kind !== 'group') throw new CommandFailed(`There is no group ${address}.`, 'notFound')
    const gone = new Set(words.many('remove')?.map((one) => one.toLowerCase()))
    const members = [...found.entry.members.filter((one) => !gone.has(one.toLowerCase())), ...(words.many('add') ?? [])]
    const name = words.value('name')
    const aliases = words.many('alias')
    const change = {
      ...(words.has('add') || words.has('remove') ? { members } : {}),
      ...(name === undefined ? {} : { displayName: name }),
      ...(aliases === undefined ? {} : { aliases }),
      ...(words.flag('hide') ? { hiddenFromAddressLists: true } : {}),
      ...(words.flag('unhide') ? { hiddenFromAddressLists: false } : {}),
      ...(words.flag('inside-only') ? { requireSenderAuthentication: true } : {}),
      ...(words.flag('from-anywhere') ? { requireSenderAuthentication: false } : {}),
    }
    if (Object.keys(change).length === 0) throw new UsageError('Nothing to change was given.')
    return groupReport(await directory.updateGroup(found.entry.address, change))
  },
  text: factText,
})

export const groupRemove = adminCommand<{ address: string; removed: true }>({
  name: 'group remove',
  summary: 'Deletes a group; its members stay.',
  arguments: ['address'],
  options: {},
  where: 'either',
  async run({ directory }, words) {
    const address = words.need(0, 'address')
    await directory.removeGroup(address)
    return { address, removed: true }
  },
  text: (result) => `The group ${result.address} is deleted.`,
})
