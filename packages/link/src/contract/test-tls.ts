import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'

export interface Identity {
  readonly key: string
  readonly cert: string
}

/** A key and a certificate of its own, made by openssl. */
export function identity(name: string): Identity {
  const folder = mkdtempSync(join(tmpdir(), 'link-tls-'))
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
    execFileSync('openssl', [...made, '-subj', `/CN=${name}`, '-keyout', key, '-out', cert], { stdio: 'ignore' })
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A TLS server that knows one peer, and how that peer connects to it: each side shows its certificate and asks for the other's. */
export async function mutualTls(
  owner: Identity,
  caller: Identity,
  joined: (socket: TLSSocket) => void,
): Promise<{ connect(as?: Identity): Promise<TLSSocket>; close(): void }> {
  const options = {
    ...owner,
    ca: caller.cert,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
  } as const
  const server = createServer(options, joined)
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    async connect(as = caller) {
      // The certificate itself is the name.
      const socket = connect({ ...as, port, host: '127.0.0.1', ca: owner.cert, checkServerIdentity: () => undefined })
      await once(socket, 'secureConnect')
      return socket
    },
    close: () => server.close(),
  }
}
