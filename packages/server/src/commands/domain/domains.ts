import type { AcceptedDomain, DomainType } from '@postrider/domain'
import { adminCommand, UsageError, type Words } from '../../cli/command.ts'
import { columns } from '../../cli/parse.ts'

function domainType(words: Words): DomainType {
  const text = words.value('type') ?? 'Authoritative'
  const types = ['Authoritative', 'InternalRelay', 'ExternalRelay'] as const
  const type = types.find((one) => one.toLowerCase() === text.toLowerCase())
  if (type === undefined) throw new UsageError(`--type must be one of ${types.join(', ')}.`)
  return type
}

export const domainAdd = adminCommand<readonly AcceptedDomain[]>({
  name: 'domain add',
  summary: 'Accepts mail for a domain.',
  arguments: ['domain'],
  options: {
    type: { value: 'type', help: 'Authoritative (default), InternalRelay or ExternalRelay.' },
    default: { help: 'Makes it the domain of logins without one.' },
  },
  notes: ['`postrider doctor` prints the DNS records it needs.'],
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
  summary: 'Makes a domain the default one.',
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
  summary: 'Accepts mail for a domain no longer.',
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
  summary: 'Lists accepted domains.',
  arguments: [],
  options: {},
  where: 'either',
  run: async ({ directory }) => directory.domains(),
  text: domainText,
})

function domainText(domains: readonly AcceptedDomain[]): string {
  return columns(
    [['DOMAIN', 'TYPE', ''], ...domains.map((one) => [one.name, one.type, one.isDefault ? 'default' : ''])],
    '',
  )
}
