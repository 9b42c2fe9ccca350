import { chmodSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, run, start, temporaryFolder, until } from '../process/index.ts'
import { findProgram } from '../programs/index.ts'
import type { Peer } from './dovecot.ts'
import { type NginxPeer, startNginx } from './nginx.ts'
import { startPostgres } from './postgres.ts'

export interface SogoPeer {
  /** Plain HTTP; ActiveSync lies at `path`. */
  readonly port: number
  readonly path: string
  [Symbol.asyncDispose](): Promise<void>
}

const SOGOD = '/usr/sbin/sogod'
const EAS = '/usr/lib/GNUstep/SOGo/ActiveSync.SOGo'

/** Whether Debian's sogo, sogo-activesync and memcached are there. */
export const hasSogo = (): boolean => existsSync(SOGOD) && existsSync(EAS) && findProgram('memcached') !== undefined

/**
 * A SOGo with ActiveSync over a Dovecot next door, a PostgreSQL and a memcached of its own, all on loopback. `users` log in with the password
 * given. Needs root: it changes to the user sogo.
 */
export async function startSogo(mail: Peer, users: readonly string[], password: string): Promise<SogoPeer> {
  const postgres = await startPostgres()
  const name = (await postgres.createDatabase()).split('/').at(-1) ?? ''
  const rows = users.map((user) => `('${user}','${user}','${password}','${user}','${user}@example.com')`)
  await postgres.sql(
    name,
    `CREATE ROLE sogo SUPERUSER LOGIN PASSWORD 'sogo';
     CREATE TABLE people (c_uid text PRIMARY KEY, c_name text, c_password text, c_cn text, mail text);
     INSERT INTO people VALUES ${rows.join(',')}`,
  )
  const [port, cachePort] = [await freePorts(1), await freePorts(1)]
  const folder = temporaryFolder('sogo')
  mkdirSync(join(folder.path, 'home'))
  chmodSync(folder.path, 0o755)
  await run('chown', ['-R', 'sogo', folder.path])
  const cache = start('memcached', ['-u', 'nobody', '-l', '127.0.0.1', '-p', String(cachePort)])
  const url = (table: string): string => `postgresql://sogo:sogo@127.0.0.1:${postgres.port}/${name}/${table}`
  const settings = {
    SOGoProfileURL: url('profile'),
    OCSFolderInfoURL: url('folder_info'),
    OCSSessionsFolderURL: url('sessions'),
    OCSEMailAlarmsFolderURL: url('alarms'),
    OCSCacheFolderURL: url('cache'),
    OCSStoreURL: url('store'),
    OCSAclURL: url('acl'),
    OCSAdminURL: url('admin'),
    SOGoIMAPServer: `imap://127.0.0.1:${mail.port}`,
    SOGoMemcachedHost: `127.0.0.1:${cachePort}`,
    SOGoTimeZone: 'UTC',
    SOGoUserSources: `({ type = sql; id = people; viewURL = "${url('people')}"; canAuthenticate = YES; isAddressBook = NO; userPasswordAlgorithm = none; })`,
    WOPort: `127.0.0.1:${port}`,
    WOWorkersCount: '3',
    WONoDetach: 'YES',
    WOPidFile: join(folder.path, 'pid'),
    WOLogFile: '-',
  }
  const child = start(
    findProgram('setpriv') ?? 'setpriv',
    [
      ...['--reuid=sogo', '--regid=sogo', '--clear-groups', SOGOD],
      ...Object.entries(settings).flatMap(([key, value]) => [`-${key}`, value]),
    ],
    { env: { HOME: join(folder.path, 'home') }, cwd: folder.path },
  )
  child.stdout?.resume()
  child.stderr?.resume()
  const path = '/SOGo/Microsoft-Server-ActiveSync'
  const authorization = `Basic ${Buffer.from(`${users[0]}:${password}`).toString('base64')}`
  const close = async (): Promise<void> => {
    for (const one of [child, cache]) {
      const { promise, resolve } = Promise.withResolvers<void>()
      if (one.exitCode !== null || one.signalCode !== null) resolve()
      one.once('exit', () => resolve())
      one.kill('SIGTERM')
      const timer = setTimeout(() => one.kill('SIGKILL'), 5_000)
      await promise
      clearTimeout(timer)
    }
    await postgres[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  }
  try {
    await until(
      'SOGo answers',
      async () => {
        const headers = { authorization }
        return (await fetch(`http://127.0.0.1:${port}${path}`, { method: 'OPTIONS', headers })).status === 200
      },
      30_000,
    )
  } catch (error) {
    await close()
    throw error
  }
  return { port, path, [Symbol.asyncDispose]: close }
}

const RESOURCES = '/usr/lib/GNUstep/SOGo/WebServerResources'

/** SOGo's web client behind nginx, as its package shows for Apache: files from the disk, the rest handed on. The page is `/SOGo/`. */
export const startSogoWeb = (sogo: SogoPeer): Promise<NginxPeer> =>
  startNginx(`    location ~ ^/SOGo(?:\\.woa)?/WebServerResources/(.*)$ {
      alias ${RESOURCES}/$1;
      expires 1y;
    }
    location /SOGo {
      proxy_pass http://127.0.0.1:${sogo.port};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header x-webobjects-server-protocol HTTP/1.0;
      proxy_set_header x-webobjects-remote-host $remote_addr;
      proxy_set_header x-webobjects-server-name $server_name;
      proxy_set_header x-webobjects-server-url https://$http_host;
      proxy_set_header x-webobjects-server-port $server_port;
      proxy_buffer_size 64k;
      proxy_buffers 8 64k;
    }`)
