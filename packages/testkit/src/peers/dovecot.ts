import type { ChildProcess } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { freePorts, start, temporaryFolder, until } from '../process/index.ts'

export interface Peer {
  readonly folder: string
  readonly pid: number
  /** Plain text. */
  readonly port: number
  readonly tlsPort: number
  /** LMTP, on loopback. */
  readonly lmtpPort: number
  /** Ends its sessions and starts it anew over the same mail. */
  restart(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** In a package of its own (dovecot-lmtpd); without it there is no delivery to this peer. */
const LMTP = '/usr/lib/dovecot/lmtp'

const lmtpService = (port: number): string => `service lmtp {
  process_min_avail = 4
  client_limit = 1
  service_count = 0
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${port}
  }
}
protocol lmtp {
  auth_username_format = %n
}
`

const accepts = (port: number): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ port, host: '127.0.0.1' }, () => {
    socket.destroy()
    resolve(true)
  })
  socket.once('error', () => resolve(false))
  return promise
}

/**
 * A Dovecot of its own on loopback ports (plain text and TLS), any password, as the peer of benchmarks: durable like ours (`mail_fsync=always`), with
 * its login processes kept, which is its fast setting. Needs root (it changes to the mail user).
 */
export async function startDovecot(format: 'maildir' | 'mdbox'): Promise<Peer> {
  const folder = temporaryFolder('dovecot')
  const port = await freePorts(3)
  const path = folder.path
  chmodSync(path, 0o755)
  for (const one of ['run', 'state', 'mail']) mkdirSync(join(path, one), { mode: 0o777 })
  chmodSync(join(path, 'mail'), 0o777)
  const config = join(path, 'dovecot.conf')
  writeFileSync(
    config,
    `base_dir = ${path}/run
state_dir = ${path}/state
log_path = ${path}/log
protocols = imap${existsSync(LMTP) ? ' lmtp' : ''}
listen = 127.0.0.1
ssl = yes
ssl_cert = <${path}/certificate.pem
ssl_key = <${path}/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain
mail_fsync = always
mail_location = ${format}:${path}/mail/%n
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
default_internal_user = dovecot
default_login_user = dovenull
mail_max_userip_connections = 10000
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${path}/mail/%n
}
service imap-login {
  service_count = 0
  process_min_avail = 2
  inet_listener imap {
    port = ${port}
  }
  inet_listener imaps {
    port = ${port + 1}
  }
}
service imap {
  service_count = 200
  process_limit = 10000
  client_limit = 1
}
${existsSync(LMTP) ? lmtpService(port + 2) : ''}namespace inbox {
  inbox = yes
}
`,
  )
  await makeCertificate(path)
  const begin = async (): Promise<ChildProcess> => {
    const child = start('dovecot', ['-F', '-c', config])
    await until('dovecot listens', () => accepts(port), 15_000)
    return child
  }
  let child = await begin()
  const end = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
    await promise
  }
  return {
    folder: path,
    get pid() {
      return child.pid ?? 0
    },
    port,
    tlsPort: port + 1,
    lmtpPort: port + 2,
    async restart() {
      await end()
      await until('its port is free', async () => !(await accepts(port)), 15_000)
      child = await begin()
    },
    async [Symbol.asyncDispose]() {
      await end()
      folder[Symbol.dispose]()
    },
  }
}
