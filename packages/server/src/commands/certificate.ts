import type { Say } from '@postrider/domain'
import type { Administration, CertificateReport } from '../administration.ts'
import { adminCommand, CommandFailed } from '../cli/command.ts'
import { columns } from '../cli/parse.ts'
import { notRunning } from '../cli/phrases.ts'

const running = ({ server }: Administration) => {
  if (server === undefined) throw new CommandFailed(notRunning, 'notRunning')
  return server
}

const text = (list: readonly CertificateReport[], say: Say): string =>
  list
    .map((one) =>
      [
        `${one.names}`,
        columns([
          [say({ en: 'issuer', fr: 'émetteur' }), one.issuer],
          [
            say({ en: 'good until', fr: 'valable jusqu’au' }),
            `${say.date(one.expires)} (${say({ en: `${one.days} days`, fr: `${one.days} j` })})`,
          ],
          ['SHA-256', one.fingerprint],
          ...(one.renewal === null ? [] : [[say({ en: 'renewal', fr: 'renouvellement' }), say.date(one.renewal)]]),
          ...(one.problem === null ? [] : [[say({ en: 'last order', fr: 'dernière demande' }), one.problem]]),
        ]),
      ].join('\n'),
    )
    .join('\n')

export const certificateShow = adminCommand<readonly CertificateReport[]>({
  name: 'certificate show',
  summary: {
    en: 'Shows the certificates in use, until when they are good and when they are renewed.',
    fr: 'Montre les certificats en service, leur échéance et la date de leur renouvellement.',
  },
  arguments: [],
  options: {},
  where: 'server',
  run: async (administration) => running(administration).certificates(),
  text,
})

export const certificateRenew = adminCommand<readonly CertificateReport[]>({
  name: 'certificate renew',
  summary: {
    en: 'Orders a new certificate from the authority now (ACME).',
    fr: 'Demande maintenant un nouveau certificat à l’autorité (ACME).',
  },
  arguments: [],
  options: {},
  notes: [
    {
      en: 'Needs "acme": { "enabled": true }. It is renewed in time without this.',
      fr: 'Demande "acme": { "enabled": true }. Sans cette commande, le renouvellement se fait à temps tout seul.',
    },
  ],
  where: 'server',
  async run(administration) {
    const server = running(administration)
    await server.renewCertificate()
    return server.certificates()
  },
  text,
})
