import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { databaseOwner, setDatabaseOwner } from '@postrider/domain'
import type { DirectoryStore } from '@postrider/store/directory'
import { adminCommand, CommandFailed, ExitCode, type LocalCommand, UsageError, type Words } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { sayYes } from '../../cli/phrases.ts'
import { issueNode, makeAuthority } from '../../nodes/authority.ts'
import {
  fingerprintOf,
  MAX_NODES,
  type NodeAddress,
  type NodeIdentity,
  type NodeRecord,
  NODES,
  nodeNameValid,
  nodeSetting,
  parseAddress,
  readAuthority,
  readIdentity,
  writeAuthority,
  writeIdentity,
} from '../../nodes/identity.ts'
import { DIRECTORY_FILE, prepareFolder } from '../../offline.ts'

const LAST_NUMBER = 'nodes.last'
const records = (directory: DirectoryStore): NodeRecord[] =>
  directory.settingsNamed(NODES).map(([, value]) => value as NodeRecord)

function nameOf(words: Words): string {
  const name = words.need(0, 'name').toLowerCase()
  if (!nodeNameValid(name))
    throw new UsageError({
      en: 'A node’s name is of letters, digits and hyphens, at most 31 characters.',
      fr: 'Le nom d’un nœud est fait de lettres, de chiffres et de traits d’union, 31 caractères au plus.',
    })
  return name
}
function addressOf(words: Words): NodeAddress {
  const address = parseAddress(words.value('address') ?? '')
  if (address === undefined)
    throw new UsageError({
      en: 'Say with --address host:port where the other machines reach this node.',
      fr: 'Dites avec --address hôte:port où les autres machines joignent ce nœud.',
    })
  return address
}
const addressOption = {
  value: 'text',
  help: { en: 'host:port at which the other machines reach it.', fr: 'hôte:port où les autres machines le joignent.' },
} as const

const notHere = {
  en: 'Another node holds the directory: do this there.',
  fr: 'Un autre nœud tient l’annuaire : faites-le là-bas.',
}

export const nodeInit = adminCommand<NodeRecord>({
  name: 'node init',
  summary: {
    en: 'Makes this server the first of several: it holds the directory and signs the others’ certificates.',
    fr: 'Fait de ce serveur le premier de plusieurs : il tient l’annuaire et signe les certificats des autres.',
  },
  arguments: ['name'],
  options: { address: addressOption },
  notes: [{ en: 'Restart the server afterwards.', fr: 'Redémarrez ensuite le serveur.' }],
  where: 'either',
  async run({ directory, loaded }, words) {
    const { dataFolder } = loaded
    if (readIdentity(dataFolder) !== undefined)
      throw new CommandFailed({ en: 'This is a node already.', fr: 'C’est déjà un nœud.' }, 'exists')
    const name = nameOf(words)
    const address = addressOf(words)
    const now = Date.now()
    const authority = readAuthority(dataFolder) ?? makeAuthority(now)
    writeAuthority(dataFolder, authority)
    const { key, certificate } = issueNode(authority, name, now)
    const record: NodeRecord = { name, number: 0, ...address, fingerprint: fingerprintOf(certificate), databases: [] }
    await directory.setSetting(nodeSetting(name), record)
    const shown = { key, certificate, authority: authority.certificate }
    writeIdentity(dataFolder, { name, number: 0, ...address, certificate: shown })
    return record
  },
  text: ({ name }, say) =>
    say({
      en: `This is the node ${name} now. Restart the server, then: postrider node add <name> --address host:port`,
      fr: `C’est maintenant le nœud ${name}. Redémarrez le serveur, puis : postrider node add <nom> --address hôte:port`,
    }),
})

export const nodeAdd = adminCommand<NodeRecord & { readonly file: string }>({
  name: 'node add',
  summary: {
    en: 'Makes the certificate of another machine, and the file with which it joins.',
    fr: 'Fait le certificat d’une autre machine, et le fichier avec lequel elle se joint.',
  },
  arguments: ['name'],
  options: {
    address: addressOption,
    databases: {
      value: 'number',
      help: {
        en: 'Mailbox databases it owns (1); 0 for client access only.',
        fr: 'Bases de boîtes qu’elle possède (1) ; 0 pour l’accès seul.',
      },
    },
  },
  notes: [
    {
      en: 'The file holds the machine’s key: bring it there safely, then delete it.',
      fr: 'Le fichier contient la clé de la machine : portez-le là-bas en sûreté, puis effacez-le.',
    },
  ],
  where: 'either',
  async run({ directory, loaded }, words) {
    const { dataFolder } = loaded
    const identity = readIdentity(dataFolder)
    if (identity?.head !== undefined) throw new CommandFailed(notHere)
    const authority = readAuthority(dataFolder)
    if (identity === undefined || authority === undefined)
      throw new CommandFailed({
        en: 'Begin with: postrider node init <name> --address host:port',
        fr: 'Commencez par : postrider node init <nom> --address hôte:port',
      })
    const name = nameOf(words)
    const all = records(directory)
    if (all.some((one) => one.name === name))
      throw new CommandFailed({ en: `There is a node ${name} already.`, fr: `Il y a déjà un nœud ${name}.` }, 'exists')
    const address = addressOf(words)
    const count = Number(words.value('databases') ?? '1')
    if (!Number.isInteger(count) || count < 0 || count > 16)
      throw new UsageError({ en: '--databases is a number from 0 to 16.', fr: '--databases est un nombre de 0 à 16.' })
    // Also of those that were removed: numbers are in references and queue ids.
    const last = Number(directory.setting(LAST_NUMBER) ?? 0)
    const number = Math.max(last, ...all.map((one) => one.number)) + 1
    if (number >= MAX_NODES) throw new CommandFailed({ en: 'There are too many nodes.', fr: 'Il y a trop de nœuds.' })
    const { key, certificate } = issueNode(authority, name, Date.now())
    const databases = Array.from({ length: count }, (_, at) => `${name}-${at + 1}`)
    const record: NodeRecord = { name, number, ...address, fingerprint: fingerprintOf(certificate), databases }
    await directory.setSetting(LAST_NUMBER, number)
    for (const database of databases)
      await setDatabaseOwner(directory, database, { node: name, epoch: databaseOwner(directory, database).epoch + 1 })
    await directory.setSetting(nodeSetting(name), record)
    const { name: head, host, port } = identity
    const shown = { key, certificate, authority: authority.certificate }
    const joining: NodeIdentity = { name, number, ...address, head: { name: head, host, port }, certificate: shown }
    const file = join(dataFolder, 'node', `${name}.join`)
    writeFileSync(file, JSON.stringify(joining), { mode: 0o600 })
    return { ...record, file }
  },
  text: ({ name, file }, say) =>
    say({
      en: `The node ${name} may join. Bring ${file} to the machine and run there: postrider node join <file>`,
      fr: `Le nœud ${name} peut se joindre. Portez ${file} sur la machine et lancez-y : postrider node join <fichier>`,
    }),
})

export const nodeJoin: LocalCommand = {
  name: 'node join',
  summary: {
    en: 'Makes this machine a node, with the file that `postrider node add` made.',
    fr: 'Fait de cette machine un nœud, avec le fichier que `postrider node add` a fait.',
  },
  arguments: ['file'],
  options: {},
  where: 'here',
  async run(words, { loaded, terminal, json, say }) {
    const { dataFolder } = loaded()
    prepareFolder(dataFolder)
    if (existsSync(join(dataFolder, DIRECTORY_FILE)) || readIdentity(dataFolder) !== undefined)
      throw new CommandFailed(
        {
          en: 'This data folder has a directory, or is a node, already: begin with an empty one.',
          fr: 'Ce dossier de données a déjà un annuaire, ou est déjà un nœud : commencez avec un dossier vide.',
        },
        'exists',
      )
    const identity = JSON.parse(readFileSync(resolve(words.need(0, 'file')), 'utf8')) as NodeIdentity
    fingerprintOf(identity.certificate.certificate)
    writeIdentity(dataFolder, identity)
    const { name } = identity
    terminal.out(
      json
        ? JSON.stringify({ name })
        : say({
            en: `This is the node ${name} now. Start the server, and delete the file.`,
            fr: `C’est maintenant le nœud ${name}. Démarrez le serveur, et effacez le fichier.`,
          }),
    )
    return ExitCode.ok
  },
}

export const nodeList = adminCommand<readonly (NodeRecord & { readonly mailboxes: number })[]>({
  name: 'node list',
  summary: { en: 'Lists the machines.', fr: 'Donne la liste des machines.' },
  arguments: [],
  options: {},
  where: 'either',
  async run({ directory }) {
    const counts = new Map<string, number>()
    for (const { database } of directory.mailboxes()) {
      const { node } = databaseOwner(directory, database)
      counts.set(node, (counts.get(node) ?? 0) + 1)
    }
    return records(directory)
      .sort((a, b) => a.number - b.number)
      .map((one) => ({ ...one, mailboxes: counts.get(one.number === 0 ? '' : one.name) ?? 0 }))
  },
  text: (nodes, say) =>
    columns(
      [
        [
          say({ en: 'NAME', fr: 'NOM' }),
          say({ en: 'ADDRESS', fr: 'ADRESSE' }),
          say({ en: 'MAILBOXES', fr: 'BOÎTES' }),
          say({ en: 'DATABASES', fr: 'BASES' }),
        ],
        ...nodes.map((one) => [one.name, `${one.host}:${one.port}`, String(one.mailboxes), one.databases.join(' ')]),
      ],
      '',
    ),
})

export const nodeRemove = adminCommand<{ readonly name: string }>({
  name: 'node remove',
  summary: {
    en: 'Lets a machine in no longer. Its mailboxes must have moved before.',
    fr: 'N’admet plus une machine. Ses boîtes doivent être parties avant.',
  },
  arguments: ['name'],
  options: { yes: { help: sayYes } },
  where: 'either',
  async run({ directory, loaded }, words) {
    if (readIdentity(loaded.dataFolder)?.head !== undefined) throw new CommandFailed(notHere)
    const name = nameOf(words)
    const record = records(directory).find((one) => one.name === name)
    if (record === undefined || record.number === 0)
      throw new CommandFailed(
        { en: `There is no node ${name} to remove.`, fr: `Il n’y a pas de nœud ${name} à ôter.` },
        'notFound',
      )
    const user = [...directory.mailboxes()].find(({ database }) => databaseOwner(directory, database).node === name)
    if (user !== undefined)
      throw new CommandFailed(
        {
          en: `${user.address} still lives there. Move it first: postrider mailbox move ${user.address} --to <name>`,
          fr: `${user.address} y vit encore. Déplacez-la d’abord : postrider mailbox move ${user.address} --to <nom>`,
        },
        'inUse',
      )
    if (!words.flag('yes')) throw new UsageError({ en: 'Add --yes to confirm.', fr: 'Ajoutez --yes pour confirmer.' })
    await directory.setSetting(nodeSetting(name), undefined)
    return { name }
  },
  text: ({ name }, say) => say({ en: `The node ${name} is removed.`, fr: `Le nœud ${name} est ôté.` }),
})
