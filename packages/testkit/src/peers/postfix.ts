import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, run, temporaryFolder, until } from '../process/index.ts'
import { SmtpClient } from '../smtp/index.ts'

export interface PostfixPeer {
  readonly folder: string
  readonly port: number
  /** The domain whose mail it keeps. */
  readonly domain: string
  /** Mails accepted and not yet handed over. */
  waiting(): number
  /** Every mail it has delivered for one of its addresses, whole. */
  mails(local: string): string[]
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * A Postfix next door with its own configuration, queue and port on loopback: keeps mail for `postfix.example` in maildirs, hands mail for
 * `routes` domains to the given ports, and relays for the loopback. Needs root.
 */
export async function startPostfix(
  routes: Readonly<Record<string, number>>,
  /** Where mail for its own domain goes: its maildirs, a neighbour's LMTP, or nowhere (to measure what it accepts). */
  keeps: 'maildir' | 'nowhere' | { readonly lmtpPort: number } = 'maildir',
): Promise<PostfixPeer> {
  const folder = temporaryFolder('postfix')
  const path = folder.path
  chmodSync(path, 0o755)
  const port = await freePorts(1)
  const domain = 'postfix.example'
  for (const one of ['etc', 'queue', 'data', 'mail']) mkdirSync(join(path, one))
  await run('chown', ['postfix:postfix', join(path, 'data')])
  await run('chown', ['nobody:nogroup', join(path, 'mail')])
  const transports = Object.entries(routes)
    .map(([name, to]) => `{ ${name} = smtp:[127.0.0.1]:${to} }`)
    .join(', ')
  writeFileSync(
    join(path, 'etc', 'main.cf'),
    `compatibility_level = 3.6
queue_directory = ${path}/queue
data_directory = ${path}/data
maillog_file = ${path}/log
maillog_file_prefixes = ${path}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.${domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
virtual_mailbox_domains = ${domain}
virtual_mailbox_base = ${path}/mail
virtual_mailbox_maps = texthash:${path}/etc/mailboxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_transport = ${typeof keeps === 'object' ? `lmtp:inet:127.0.0.1:${keeps.lmtpPort}` : keeps === 'nowhere' ? 'discard' : 'virtual'}
transport_maps = ${transports === '' ? '' : `inline:{ ${transports} }`}
smtp_tls_security_level = may
smtpd_relay_restrictions = permit_auth_destination, check_recipient_access inline:{ elsewhere.example=REJECT }, permit_mynetworks, reject
smtputf8_enable = yes
disable_dns_lookups = yes
minimal_backoff_time = 5s
queue_run_delay = 5s
`,
  )
  writeFileSync(
    join(path, 'etc', 'mailboxes'),
    `@${domain} all/\n${['ann', 'ben', 'carl'].map((one) => `${one}@${domain} ${one}/\n`).join('')}`,
  )
  const services = [
    `127.0.0.1:${port} inet n - n - - smtpd`,
    'pickup unix n - n 60 1 pickup',
    'cleanup unix n - n - 0 cleanup',
    'qmgr unix n - n 300 1 qmgr',
    'tlsmgr unix - - n 1000? 1 tlsmgr',
    'rewrite unix - - n - - trivial-rewrite',
    'bounce unix - - n - 0 bounce',
    'defer unix - - n - 0 bounce',
    'trace unix - - n - 0 bounce',
    'verify unix - - n - 1 verify',
    'flush unix n - n 1000? 0 flush',
    'proxymap unix - - n - - proxymap',
    'smtp unix - - n - - smtp',
    'relay unix - - n - - smtp',
    'lmtp unix - - n - - lmtp',
    'showq unix n - n - - showq',
    'error unix - - n - - error',
    'retry unix - - n - - error',
    'discard unix - - n - - discard',
    'virtual unix - n n - - virtual',
    'anvil unix - - n - 1 anvil',
    'scache unix - - n - 1 scache',
    'postlog unix-dgram n - n - 1 postlogd',
  ]
  writeFileSync(join(path, 'etc', 'master.cf'), `${services.join('\n')}\n`)
  const started = await run('postfix', ['-c', join(path, 'etc'), 'start'])
  if (started.code !== 0) throw new Error(`postfix: ${started.stdout}${started.stderr}`)
  await until('postfix listens', async () => {
    const client = await SmtpClient.connect(port)
    client.close()
    return true
  })
  return {
    folder: path,
    port,
    domain,
    waiting() {
      let sum = 0
      for (const queue of ['incoming', 'active', 'deferred', 'maildrop']) {
        for (const entry of readdirSync(join(path, 'queue', queue), { recursive: true, withFileTypes: true })) {
          if (entry.isFile()) sum++
        }
      }
      return sum
    },
    mails(local) {
      const box = join(path, 'mail', local, 'new')
      try {
        return readdirSync(box).map((name) => readFileSync(join(box, name), 'utf8'))
      } catch {
        return [] // nothing delivered yet: the maildir does not exist
      }
    },
    async [Symbol.asyncDispose]() {
      await run('postfix', ['-c', join(path, 'etc'), 'stop'])
      folder[Symbol.dispose]()
    },
  }
}
