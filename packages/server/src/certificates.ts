import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { verbatim } from '@postrider/domain'
import { type AcmeSettings, acmeFile } from './acme/index.ts'
import {
  type Certificate,
  CertificateError,
  type CertificateFiles,
  ownFiles,
  readCertificate,
} from './certificate/index.ts'
import { ConfigError, configPath, type Loaded, publicHost } from './config/load.ts'

/** The certificate files in use: the administrator's, the authority's, else the self-signed ones. */
export function certificateFiles(loaded: Loaded): CertificateFiles {
  const { config, dataFolder } = loaded
  if (config['tls.certificate'] !== '')
    return { certificate: configPath(loaded, config['tls.certificate']), key: configPath(loaded, config['tls.key']) }
  const acme = acmeFile(dataFolder)
  return config['acme.enabled'] && existsSync(acme) ? { certificate: acme, key: acme } : ownFiles(dataFolder)
}

/** Pairs `name.pem` and `name.key` of the folder of further certificates. */
function furtherFiles(loaded: Loaded): CertificateFiles[] {
  const given = loaded.config['tls.folder']
  if (given === '') return []
  const folder = configPath(loaded, given)
  let names: string[]
  try {
    names = readdirSync(folder).sort()
  } catch (error) {
    throw new CertificateError({
      en: `The folder of certificates ${folder} cannot be read: ${(error as Error).message}`,
      fr: `Le dossier de certificats ${folder} ne peut pas être lu : ${(error as Error).message}`,
    })
  }
  return names
    .filter((name) => name.endsWith('.pem') && !name.endsWith('.key.pem'))
    .map((name) => ({ certificate: join(folder, name), key: join(folder, `${name.slice(0, -4)}.key`) }))
}

/** All certificates: that for everybody, and those for names of their own. Throws CertificateError. */
export function readCertificates(loaded: Loaded): {
  readonly certificate: Certificate
  readonly more: readonly Certificate[]
} {
  return { certificate: readCertificate(certificateFiles(loaded)), more: furtherFiles(loaded).map(readCertificate) }
}

const WATCH_MS = 3_000

/** Calls back when the files of the certificates are others than before, and have been the same for one look. */
export function watchCertificates(loaded: () => Loaded, changed: () => void, everyMs = WATCH_MS): () => void {
  const state = (): string => {
    try {
      const files = [certificateFiles(loaded()), ...furtherFiles(loaded())].flatMap((one) => [one.certificate, one.key])
      return files
        .map((file) => {
          const { mtimeMs, size, ino } = statSync(file)
          return `${file} ${mtimeMs} ${size} ${ino}`
        })
        .join('\n')
    } catch {
      // A file is away for a moment while it is replaced: not a state to change to.
      return ''
    }
  }
  let known = state()
  let last = known
  const timer = setInterval(() => {
    const now = state()
    const settled = now === last
    last = now
    if (!settled || now === '' || now === known) return
    known = now
    changed()
  }, everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

/** What the configuration says about ACME; undefined when it is off. Throws ConfigError for files that cannot be read. */
export function acmeSettings(loaded: Loaded): AcmeSettings | undefined {
  const { config } = loaded
  if (!config['acme.enabled'] || config['tls.certificate'] !== '') return undefined
  const read = (name: 'acme.caFile' | 'acme.externalAccountKeyFile'): string => {
    try {
      return readFileSync(configPath(loaded, config[name]), 'utf8')
    } catch (error) {
      throw new ConfigError([verbatim(`${name}: ${(error as Error).message}`)])
    }
  }
  const names = config['acme.names']
  const keyId = config['acme.externalAccountKeyId']
  return {
    directory: config['acme.directory'],
    email: config['acme.email'],
    names: names.length > 0 ? names.map((name) => name.toLowerCase()) : [publicHost(config)],
    challenge: config['acme.challenge'],
    ca: config['acme.caFile'] === '' ? undefined : read('acme.caFile'),
    binding: keyId === '' ? undefined : { keyId, mac: read('acme.externalAccountKeyFile').trim() },
  }
}

/** Host names of the self-signed certificate: everything a client may be told to connect to. */
export function certificateNames({ config }: Loaded): string[] {
  const host = publicHost(config)
  const external = config.externalUrl === '' ? [] : [new URL(config.externalUrl).hostname]
  const { domain } = config
  return [...new Set([host, ...external, domain, `mail.${domain}`, `autodiscover.${domain}`, `autoconfig.${domain}`])]
}
