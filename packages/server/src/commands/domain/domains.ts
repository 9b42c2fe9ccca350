import type { AcceptedDomain, DomainType, Say } from '@postrider/domain'
import { adminCommand, UsageError, type Words } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'
import { mustBeOneOf } from '../../cli/phrases.ts'

function domainType(words: Words): DomainType {
  const text = words.value('type') ?? 'Authoritative'
  const types = ['Authoritative', 'InternalRelay', 'ExternalRelay'] as const
  const type = types.find((one) => one.toLowerCase() === text.toLowerCase())
  if (type === undefined) throw new UsageError(mustBeOneOf('type', types))
  return type
}

export const domainAdd = adminCommand<readonly AcceptedDomain[]>({
  name: 'domain add',
  summary: { en: 'Accepts mail for a domain.', fr: 'Accepte le courrier d’un domaine.' },
  arguments: ['domain'],
  options: {
    type: {
      value: 'type',
      help: {
        en: 'Authoritative (default), InternalRelay or ExternalRelay.',
        fr: 'Authoritative (par défaut), InternalRelay ou ExternalRelay.',
      },
    },
    default: {
      help: {
        en: 'Makes it the domain of logins without one.',
        fr: 'En fait le domaine des identifiants qui n’en portent pas.',
      },
    },
  },
  notes: [
    {
      en: '`postrider doctor` prints the DNS records it needs.',
      fr: '`postrider doctor` donne les enregistrements DNS qu’il lui faut.',
    },
  ],
  where: 'either',
  async run({ directory }, words) {
    const name = words.need(0, 'domain')
    await directory.addDomain(name, domainType(words))
    if (words.flag('default')) await directory.setDefaultDomain(name)
    return directory.domains()
  },
  text: domainText,
})

export const domainDefault = adminCommand<readonly AcceptedDomain[]>({
  name: 'domain default',
  summary: { en: 'Makes a domain the default one.', fr: 'Fait d’un domaine le domaine par défaut.' },
  arguments: ['domain'],
  options: {},
  where: 'either',
  async run({ directory }, words) {
    await directory.setDefaultDomain(words.need(0, 'domain'))
    return directory.domains()
  },
  text: domainText,
})

export const domainRemove = adminCommand<readonly AcceptedDomain[]>({
  name: 'domain remove',
  summary: { en: 'Accepts mail for a domain no longer.', fr: 'N’accepte plus le courrier d’un domaine.' },
  arguments: ['domain'],
  options: {},
  where: 'either',
  async run({ directory }, words) {
    await directory.removeDomain(words.need(0, 'domain'))
    return directory.domains()
  },
  text: domainText,
})

export const domainList = adminCommand<readonly AcceptedDomain[]>({
  name: 'domain list',
  summary: { en: 'Lists accepted domains.', fr: 'Donne la liste des domaines acceptés.' },
  arguments: [],
  options: {},
  where: 'either',
  run: async ({ directory }) => directory.domains(),
  text: domainText,
})

function domainText(domains: readonly AcceptedDomain[], say: Say): string {
  const standard = say({ en: 'default', fr: 'par défaut' })
  return columns(
    [
      [say({ en: 'DOMAIN', fr: 'DOMAINE' }), 'TYPE', ''],
      ...domains.map((one) => [one.name, one.type, one.isDefault ? standard : '']),
    ],
    '',
  )
}
