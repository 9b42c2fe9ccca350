import type { Directory } from '@postrider/domain'
import type { Reach, Site } from './site.ts'
import { element, xmlDocument } from './xml-writer.ts'

/**
 * Thunderbird's autoconfiguration, config-v1.1.xml: wiki.mozilla.org/Thunderbird:Autoconfiguration:ConfigFileFormat. Without
 * authentication, so it speaks of domains only; the program puts the user's address in itself.
 */
export function autoconfig(query: URLSearchParams, directory: Directory, site: Site): string {
  const asked = (query.get('emailaddress') ?? '').split('@')[1]?.toLowerCase()
  const domains = directory.domains()
  const domain = domains.find((one) => one.name === asked)?.name ?? domains.find((one) => one.isDefault)?.name ?? ''
  const provider = element(
    'emailProvider',
    [
      element('domain', domain),
      element('displayName', site.organization),
      element('displayShortName', site.organization),
      ...site.imap.map((reach) => server('incomingServer', 'imap', reach)),
      ...site.pop3.map((reach) => server('incomingServer', 'pop3', reach)),
      ...site.submission.map((reach) => server('outgoingServer', 'smtp', reach)),
    ],
    { id: domain },
  )
  return xmlDocument(element('clientConfig', [provider], { version: '1.1' }))
}

function server(name: string, type: string, { host, port, encryption }: Reach): string {
  const content = [
    element('hostname', host),
    element('port', String(port)),
    element('socketType', encryption === 'ssl' ? 'SSL' : 'STARTTLS'),
    element('authentication', 'password-cleartext'),
    element('username', '%EMAILADDRESS%'),
  ]
  return element(name, content, { type })
}
