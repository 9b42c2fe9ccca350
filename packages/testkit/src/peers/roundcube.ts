import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, start, temporaryFolder, until } from '../process/index.ts'
import { findProgram } from '../programs/index.ts'
import type { Peer } from './dovecot.ts'
import { hasNginx, type NginxPeer, startNginx } from './nginx.ts'

const ROOT = '/var/lib/roundcube/public_html'
const SCHEMA = '/usr/share/roundcube/SQL/sqlite.initial.sql'
const ETC = '/etc/roundcube'
const FPM = '/usr/sbin/php-fpm8.2'

/** Whether Debian's roundcube-core, php8.2-fpm, php8.2-sqlite3 and nginx are there. */
export const hasRoundcube = (): boolean =>
  [`${ROOT}/index.php`, SCHEMA, FPM].every((path) => existsSync(path)) && hasNginx() && findProgram('php') !== undefined

/**
 * Debian's Roundcube as its package is meant to be run: nginx with TLS and compression, php-fpm with four workers kept and the opcode cache, an
 * SQLite database, over a Dovecot next door. Everything it writes lies in a folder of its own. Needs root (it changes to nobody).
 */
export async function startRoundcube(mail: Peer): Promise<NginxPeer> {
  const folder = temporaryFolder('roundcube')
  const { path } = folder
  chmodSync(path, 0o755)
  for (const one of ['temp', 'logs', 'config', 'sessions']) mkdirSync(join(path, one))
  for (const one of ['defaults.inc.php', 'mimetypes.php']) copyFileSync(join(ETC, one), join(path, 'config', one))
  const database = join(path, 'temp', 'roundcube.db')
  const made = await run('php', ['-r', `(new PDO('sqlite:${database}'))->exec(file_get_contents('${SCHEMA}'));`])
  if (made.code !== 0) throw new Error(made.stdout + made.stderr)
  writeFileSync(
    join(path, 'config', 'config.inc.php'),
    `<?php
$config = [];
$config['db_dsnw'] = 'sqlite:///${database}?mode=0646';
$config['imap_host'] = '127.0.0.1:${mail.port}';
$config['smtp_host'] = '127.0.0.1:1';
$config['des_key'] = 'rcmail-benchmark-24bytes';
$config['plugins'] = [];
$config['skin'] = 'elastic';
$config['enable_spellcheck'] = false;
$config['enable_installer'] = false;
$config['language'] = 'en_US';
$config['temp_dir'] = '${path}/temp/';
$config['log_dir'] = '${path}/logs/';
`,
  )
  await run('chown', ['-R', 'nobody:nogroup', path])
  const socket = join(path, 'temp', 'php.sock')
  writeFileSync(
    join(path, 'fpm.conf'),
    `[global]
error_log = ${path}/logs/fpm.log
daemonize = no
[www]
user = nobody
group = nogroup
listen = ${socket}
listen.owner = nobody
listen.group = nogroup
listen.mode = 0666
pm = static
pm.max_children = 4
env[ROUNDCUBE_CONFIG_DIR] = ${path}/config
php_admin_value[session.save_path] = ${path}/sessions
`,
  )
  // A process group of its own: workers whose master is killed go on.
  const fpm = start('setsid', [FPM, '--nodaemonize', '--fpm-config', join(path, 'fpm.conf')])
  const killAll = (): void => {
    try {
      if (fpm.pid !== undefined) process.kill(-fpm.pid, 'SIGKILL')
    } catch {
      // The group is gone.
    }
  }
  process.once('exit', killAll)
  fpm.stderr?.resume()
  const end = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (fpm.exitCode !== null || fpm.signalCode !== null) resolve()
    fpm.once('exit', () => resolve())
    fpm.kill('SIGTERM')
    const timer = setTimeout(killAll, 5_000)
    await promise
    clearTimeout(timer)
    killAll()
    process.off('exit', killAll)
    folder[Symbol.dispose]()
  }
  try {
    await until('php-fpm listens', () => existsSync(socket), 15_000)
    const nginx = await startNginx(`    root ${ROOT};
    index index.php;
    location ~ ^/(?:.+\\.php)(?:/|$) {
      include /etc/nginx/fastcgi_params;
      fastcgi_split_path_info ^(.+\\.php)(/.*)$;
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      fastcgi_param PATH_INFO $fastcgi_path_info;
      fastcgi_pass unix:${socket};
    }
    location ~ \\.(?:js|css|png|svg|gif|jpg|woff2?|ttf)$ {
      expires 1y;
    }`)
    const close = async (): Promise<void> => {
      await nginx[Symbol.asyncDispose]()
      await end()
    }
    return { port: nginx.port, [Symbol.asyncDispose]: close }
  } catch (error) {
    const log = existsSync(join(path, 'logs', 'fpm.log')) ? readFileSync(join(path, 'logs', 'fpm.log'), 'utf8') : ''
    await end()
    throw new Error(`${String(error)}\n${log}`, { cause: error })
  }
}
