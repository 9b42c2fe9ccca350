/**
 * S/MIME by OpenSSL, the second implementation our own is held against: an authority, people with certificates of it, and what `openssl cms`
 * signs, encrypts, verifies and opens. In: names, addresses, texts. Out: files of a temporary folder and their bytes. Nothing is kept.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** For `test(…, { skip })`: false when it is there. */
export const withoutOpenssl: string | false = existsSync('/usr/bin/openssl') ? false : 'not installed: openssl'

export interface Holder {
  readonly address: string
  /** Paths of PEM files. */
  readonly certificate: string
  readonly key: string
}
interface Wanted {
  /** Default P-256, whose keys are quickly made. */
  readonly kind?: 'rsa' | 'P-256' | 'P-384' | 'P-521'
  /** Lines of the certificate's extensions beside its address. */
  readonly extensions?: readonly string[]
  readonly authority?: boolean
}

export class Authority implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'smime-'))
  readonly certificate: string
  readonly #key: string
  readonly #extra: string | undefined
  #count = 0

  constructor(name = 'Example Mail Authority', above?: Authority) {
    this.certificate = join(this.folder, 'ca.pem')
    this.#key = join(this.folder, 'ca.key')
    if (above === undefined)
      this.run(
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-keyout',
        this.#key,
        '-out',
        this.certificate,
        '-days',
        '30',
        '-subj',
        `/CN=${name}`,
      )
    else {
      const made = above.issue(name, '', { authority: true })
      writeFileSync(this.certificate, readFileSync(made.certificate))
      writeFileSync(this.#key, readFileSync(made.key))
      this.#extra = this.certificate
    }
  }

  /** Somebody's key and certificate. */
  issue(name: string, address: string, { kind = 'P-256', extensions = [], authority = false }: Wanted = {}): Holder {
    const path = (ending: string): string => join(this.folder, `${this.#count}.${ending}`)
    this.#count++
    const [key, request, certificate, lines] = [path('key'), path('csr'), path('pem'), path('cnf')]
    const newKey = kind === 'rsa' ? ['-newkey', 'rsa:2048'] : ['-newkey', 'ec', '-pkeyopt', `ec_paramgen_curve:${kind}`]
    this.run('req', ...newKey, '-nodes', '-keyout', key, '-out', request, '-subj', `/CN=${name}`)
    writeFileSync(
      lines,
      [
        ...(authority ? ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign'] : []),
        'subjectKeyIdentifier=hash',
        ...(address === '' ? [] : [`subjectAltName=email:${address}`]),
        ...extensions,
        '',
      ].join('\n'),
    )
    this.run(
      'x509',
      '-req',
      '-in',
      request,
      '-CA',
      this.certificate,
      '-CAkey',
      this.#key,
      '-CAcreateserial',
      '-days',
      '20',
      '-out',
      certificate,
      '-extfile',
      lines,
    )
    return { address, certificate, key }
  }

  /** A key file as people get it. */
  keyFile({ key, certificate }: Holder, password: string, ...more: readonly string[]): Buffer {
    return this.run(
      'pkcs12',
      '-export',
      '-inkey',
      key,
      '-in',
      certificate,
      '-certfile',
      this.certificate,
      '-passout',
      `pass:${password}`,
      ...more,
    )
  }

  /** A signed message: header lines of its own in front of it are the caller's. `more`: further options (`-nodetach`, `-md sha384`). */
  sign({ key, certificate }: Holder, content: string | Uint8Array, ...more: readonly string[]): Buffer {
    const extra = this.#extra === undefined ? [] : ['-certfile', this.#extra]
    return this.run('cms', '-sign', '-in', this.file(content), '-signer', certificate, '-inkey', key, ...extra, ...more)
  }
  encrypt(to: readonly Holder[], content: string | Uint8Array, ...more: readonly string[]): Buffer {
    return this.run('cms', '-encrypt', '-in', this.file(content), ...more, ...to.map((one) => one.certificate))
  }
  /** What a signature is over, if the authority stands behind it; undefined when OpenSSL does not believe it. */
  verify(message: Uint8Array, ...more: readonly string[]): Buffer | undefined {
    const found = spawnSync(
      'openssl',
      ['cms', '-verify', '-in', this.file(message), '-CAfile', this.certificate, ...more],
      { maxBuffer: 64 * 1024 * 1024 },
    )
    return found.status === 0 ? found.stdout : undefined
  }
  decrypt({ key, certificate }: Holder, message: Uint8Array, ...more: readonly string[]): Buffer {
    return this.run('cms', '-decrypt', '-in', this.file(message), '-inkey', key, '-recip', certificate, ...more)
  }

  /** A file with this content. */
  file(content: string | Uint8Array): string {
    const path = join(this.folder, `in${this.#count++}`)
    writeFileSync(path, content)
    return path
  }
  run(...args: readonly string[]): Buffer {
    return execFileSync('openssl', args, { maxBuffer: 64 * 1024 * 1024, stdio: ['ignore', 'pipe', 'ignore'] })
  }
  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
