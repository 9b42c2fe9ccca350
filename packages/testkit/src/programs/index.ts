/**
 * The programs of the system that tests drive. One table: `npm test` names the tests left out for want of one, `.ci/run` installs their
 * packages and then wants them all.
 */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface SystemProgram {
  readonly program: string
  /** Debian package. */
  readonly package: string
  /** What is tested with it. */
  readonly tests: string
  /** Only tests that are run by hand want it: nobody has to have it. */
  readonly byHand?: boolean
}

export const systemPrograms: readonly SystemProgram[] = [
  { program: 'gcc', package: 'gcc', tests: 'faults below the program: power cuts, failing and slow disks, clocks' },
  { program: 'ip', package: 'iproute2', tests: 'two machines in network namespaces' },
  { program: 'swaks', package: 'swaks', tests: 'SMTP in and submission from swaks' },
  { program: 'curl', package: 'curl', tests: 'IMAP, POP3, SMTP and HTTPS from curl' },
  { program: 'mbsync', package: 'isync', tests: 'two-way IMAP synchronisation by mbsync' },
  { program: 'offlineimap', package: 'offlineimap3', tests: 'IMAP synchronisation by OfflineIMAP' },
  { program: 'fetchmail', package: 'fetchmail', tests: 'POP3 and IMAP retrieval by fetchmail' },
  { program: 'getmail', package: 'getmail6', tests: 'POP3 and IMAP retrieval by getmail' },
  { program: 'mutt', package: 'mutt', tests: 'IMAP reading and filing by mutt' },
  { program: 'python3', package: 'python3', tests: "Python's imaplib, poplib and smtplib" },
  { program: 'thunderbird', package: 'thunderbird', tests: 'Thunderbird without a screen: IMAP and SMTP' },
  { program: 'postfix', package: 'postfix', tests: 'mail to and from a Postfix next door' },
  { program: 'dovecot', package: 'dovecot-imapd', tests: 'Dovecot as peer of the benchmarks' },
  { program: 'pg_ctlcluster', package: 'postgresql', tests: 'the store over PostgreSQL' },
  { program: 'patroni', package: 'patroni', tests: 'failover of PostgreSQL', byHand: true },
  { program: 'etcd', package: 'etcd-server', tests: 'failover of PostgreSQL', byHand: true },
  { program: 'buildah', package: 'buildah', tests: 'the container image', byHand: true },
  { program: 'debootstrap', package: 'debootstrap', tests: 'the container image', byHand: true },
  { program: 'pebble', package: 'pebble', tests: 'certificates by ACME, against an authority of our own' },
  { program: 'w3m', package: 'w3m', tests: 'the Light version in w3m' },
  { program: 'lynx', package: 'lynx', tests: 'the Light version in lynx' },
  { program: 'dpkg-deb', package: 'dpkg', tests: 'the Debian package' },
  { program: 'wbxml2xml', package: 'libwbxml2-utils', tests: 'libwbxml as second opinion on WBXML bodies' },
  { program: 'chromium', package: 'chromium', tests: 'the web client in a browser' },
  { program: 'xmllint', package: 'libxml2-utils', tests: 'ActiveSync answers against the published schemas' },
]

/** Absolute path of a program, looked up in PATH and the sbin folders; undefined when it is not installed. */
export function findProgram(program: string): string | undefined {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin']) {
    if (folder === '') continue
    const path = join(folder, program)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // not in this folder: look in the next one
    }
  }
  return undefined
}

export const missingPrograms = (): SystemProgram[] =>
  systemPrograms.filter((one) => findProgram(one.program) === undefined)

/** For `test(name, { skip: without('swaks') }, …)`: false when all are there, else the reason, which the runner prints. */
export function without(...programs: string[]): string | false {
  const missing = programs.filter((one) => findProgram(one) === undefined)
  return missing.length === 0 ? false : `not installed: ${missing.join(', ')}`
}
