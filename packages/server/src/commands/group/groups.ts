import { adminCommand, CommandFailed, UsageError } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { listFor, noGroup, nothingToChange, shownName } from '../../cli/phrases.ts'
import { factText, type GroupReport, groupReport } from '../user/fields.ts'

export const groupAdd = adminCommand<GroupReport>({
  name: 'group add',
  summary: { en: 'Adds a distribution group.', fr: 'Ajoute un groupe de distribution.' },
  arguments: ['address', 'member…'],
  options: { name: { value: 'text', help: shownName } },
  notes: [
    {
      en: 'Members may be mailboxes, other groups and addresses elsewhere.',
      fr: 'Les membres peuvent être des boîtes, d’autres groupes et des adresses d’ailleurs.',
    },
  ],
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
  summary: { en: 'Lists distribution groups.', fr: 'Donne la liste des groupes de distribution.' },
  arguments: [],
  options: {},
  where: 'either',
  run: async ({ directory }) =>
    [...directory.groups()].map(groupReport).sort((a, b) => (a.address < b.address ? -1 : 1)),
  text: (groups, say) =>
    columns(
      [
        [say({ en: 'ADDRESS', fr: 'ADRESSE' }), say({ en: 'NAME', fr: 'NOM' }), say({ en: 'MEMBERS', fr: 'MEMBRES' })],
        ...groups.map((one) => [one.address, one.displayName, say.number(one.members.length)]),
      ],
      '',
    ),
})

export const groupShow = adminCommand<GroupReport>({
  name: 'group show',
  summary: { en: 'Shows a group and its members.', fr: 'Montre un groupe et ses membres.' },
  arguments: ['address'],
  options: {},
  where: 'either',
  async run({ directory }, words) {
    const address = words.need(0, 'address')
    const found = directory.resolve(address)
    if (found.kind !== 'group') throw new CommandFailed(noGroup(address), 'notFound')
    return groupReport(found.entry)
  },
  text: factText,
})

export const groupSet = adminCommand<GroupReport>({
  name: 'group set',
  summary: { en: 'Changes a group.', fr: 'Modifie un groupe.' },
  arguments: ['address'],
  options: {
    name: { value: 'text', help: shownName },
    add: { value: 'addresses', many: true, help: { en: 'Members to add.', fr: 'Membres à ajouter.' } },
    remove: { value: 'addresses', many: true, help: { en: 'Members to take out.', fr: 'Membres à retirer.' } },
    alias: { value: 'address', many: true, help: listFor.aliases },
    hide: { help: listFor.hide },
    unhide: { help: listFor.unhide },
    'inside-only': {
      help: {
        en: 'Only people who logged in may write to it.',
        fr: 'Seules les personnes authentifiées peuvent lui écrire.',
      },
    },
    'from-anywhere': { help: { en: 'Everybody may write to it.', fr: 'Tout le monde peut lui écrire.' } },
  },
  where: 'either',
  async run({ directory }, words) {
    const address = words.need(0, 'address')
    const found = directory.resolve(address)
    if (found.kind !== 'group') throw new CommandFailed(noGroup(address), 'notFound')
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
    if (Object.keys(change).length === 0) throw new UsageError(nothingToChange)
    return groupReport(await directory.updateGroup(found.entry.address, change))
  },
  text: factText,
})

export const groupRemove = adminCommand<{ address: string; removed: true }>({
  name: 'group remove',
  summary: { en: 'Deletes a group; its members stay.', fr: 'Supprime un groupe ; ses membres restent.' },
  arguments: ['address'],
  options: {},
  where: 'either',
  async run({ directory }, words) {
    const address = words.need(0, 'address')
    await directory.removeGroup(address)
    return { address, removed: true }
  },
  text: ({ address }, say) => say({ en: `The group ${address} is deleted.`, fr: `Le groupe ${address} est supprimé.` }),
})
