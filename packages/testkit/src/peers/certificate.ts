import { join } from 'node:path'
import { run } from '../process/index.ts'

/** `certificate.pem` and `key.pem` in a folder: P-256 like ours, for localhost, ten days. */
export async function makeCertificate(folder: string): Promise<void> {
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'certificate.pem')]
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '10']
  const { code, stderr } = await run('openssl', ['req', ...kind, '-subj', '/CN=localhost', ...files])
  if (code !== 0) throw new Error(stderr)
}
