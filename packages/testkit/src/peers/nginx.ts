import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts, start, temporaryFolder, until } from '../process/index.ts'
import { makeCertificate } from './certificate.ts'

export interface NginxPeer {
  readonly port: number
  [Symbol.asyncDispose](): Promise<void>
}

const NGINX = '/usr/sbin/nginx'
export const hasNginx = (): boolean => existsSync(NGINX)

/** Debian's nginx on a port of its own: TLS, HTTP/2, compression; `server` is the inside of its one server block. */
export async function startNginx(server: string): Promise<NginxPeer> {
  const folder = temporaryFolder('nginx')
  const { path } = folder
  chmodSync(path, 0o755)
  const port = await freePorts(1)
  await makeCertificate(path)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${path}/${name};`,
  )
  writeFileSync(
    join(path, 'nginx.conf'),
    `daemon off;
worker_processes 2;
pid ${path}/pid;
error_log ${path}/error.log;
events {}
http {
  include /etc/nginx/mime.types;
  access_log off;
  sendfile on;
  tcp_nodelay on;
  ${temporary.join('\n  ')}
  gzip on;
  gzip_comp_level 6;
  gzip_proxied any;
  gzip_types text/css application/javascript text/javascript application/json image/svg+xml;
  server {
    listen 127.0.0.1:${port} ssl http2;
    server_name localhost;
    ssl_certificate ${path}/certificate.pem;
    ssl_certificate_key ${path}/key.pem;
    client_max_body_size 50m;
${server}
  }
}
`,
  )
  const child = start(NGINX, ['-p', path, '-c', join(path, 'nginx.conf')])
  let said = ''
  child.stderr?.on('data', (text: Buffer) => {
    said += text.toString()
  })
  const close = async (): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>()
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    child.once('exit', () => resolve())
    child.kill('SIGTERM')
    await promise
    folder[Symbol.dispose]()
  }
  try {
    await until(
      'nginx listens',
      () => {
        if (child.exitCode !== null) throw new Error(said)
        return existsSync(join(path, 'pid'))
      },
      15_000,
    )
  } catch (error) {
    await close()
    throw error
  }
  return { port, [Symbol.asyncDispose]: close }
}
