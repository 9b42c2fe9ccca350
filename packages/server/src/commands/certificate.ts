import type { Administration, CertificateReport } from '../administration.ts'
import { adminCommand, CommandFailed } from '../cli/command.ts'

const running = ({ server }: Administration) => {
  if (server === undefined) throw new CommandFailed('The server is not running.', 'notRunning')
  return server
}

const text = (list: readonly CertificateReport[]): string =>
  list
    .map((one) =>
      [
        `${one.names}`,
        `  issuer       ${one.issuer}`,
        `  good until   ${one.expires} (${one.days} days)`,
        `  SHA-256      ${one.fingerprint}`,
        ...(one.renewal === null ? [] : [`  renewal      ${one.renewal}`]),
        ...(one.problem === null ? [] : [`  last order   ${one.problem}`]),
      ].join('\n'),
    )
    .join('\n')

export const certificateShow = adminCommand<readonly CertificateReport[]>({
  name: 'certificate show',
  summary: 'Shows the certificates in use, until when they are good and when they are renewed.',
  arguments: [],
  options: {},
  where: 'server',
  run: async (administration) => running(administration).certificates(),
  text,
})

export const certificateRenew = adminCommand<readonly CertificateReport[]>({
  name: 'certificate renew',
  summary: 'Orders a new certificate from the authority now (ACME).',
  arguments: [],
  options: {},
  notes: ['Needs "acme": { "enabled": true }. It is renewed in time without this.'],
  where: 'server',
  async run(administration) {
    const server = running(administration)
    await server.renewCertificate()
    return server.certificates()
  },
  text,
})
