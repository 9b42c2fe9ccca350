import { readFileSync, statSync } from 'node:fs'
import { availableParallelism, hostname } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { isIP } from 'node:net'
import { compose, type Phrase, SpokenError } from '@postrider/domain'
import type { PostgresPlace } from '@postrider/store/postgres'
import { parseS3Url } from '@postrider/store/s3'
import { JsoncError, MAX_CONFIG_BYTES, type Node, parseJsonc } from './jsonc.ts'
import { type Kind, ValueError } from './kinds.ts'
import {
  type Config,
  type ListenerName,
  listenerNames,
  listenerPorts,
  type SettingName,
  settingNames,
  settings,
} from './settings.ts'

/** The configuration cannot be used; `problems` are whole sentences, each with the place. */
export class ConfigError extends SpokenError {
  override readonly name = 'ConfigError'
  readonly problems: readonly Phrase[]
  constructor(problems: readonly Phrase[]) {
    super(compose((say) => problems.map(say).join('\n')))
    this.problems = problems
  }
}

export type Source = 'default' | 'file' | 'environment'
export interface Loaded {
  readonly config: Config
  readonly sources: ReadonlyMap<SettingName, Source>
  /** The file, whether it is there or not. */
  readonly file: string
  readonly found: boolean
  readonly dataFolder: string
  readonly warnings: readonly Phrase[]
}

export type Environment = Readonly<Record<string, string | undefined>>
export const CONFIG_FILE = 'postrider.json'
const LAST_PORT = 65_535

/** POSTRIDER_DATA, or systemd's state folder, or `data` beside the packages. */
export function dataFolder(env: Environment): string {
  const given = env.POSTRIDER_DATA || env.STATE_DIRECTORY?.split(':')[0]
  return given ? resolve(given) : resolve(import.meta.dirname, '..', '..', '..', '..', 'data')
}

/** Reads file and environment into one set of values. Throws ConfigError with every problem found, not only the first. */
export function loadConfig(env: Environment = process.env): Loaded {
  const folder = dataFolder(env)
  const file = env.POSTRIDER_CONFIG ? resolve(env.POSTRIDER_CONFIG) : join(folder, CONFIG_FILE)
  const problems: Phrase[] = []
  const warnings: Phrase[] = []
  const text = read(file, env.POSTRIDER_CONFIG !== undefined && env.POSTRIDER_CONFIG !== '', problems, warnings)
  const values = new Map<SettingName, unknown>()
  const sources = new Map<SettingName, Source>()
  for (const name of settingNames) {
    values.set(name, settings[name].default)
    sources.set(name, 'default')
  }
  if (text !== undefined) {
    try {
      const document = parseJsonc(text)
      if (document.kind === 'object') collect(document, '', file, problems, (name, value) => put(name, value, 'file'))
      else
        problems.push({
          en: `${file}:${document.line}: the configuration must be an object: { … }`,
          fr: `${file}:${document.line} : la configuration doit être un objet : { … }`,
        })
    } catch (error) {
      if (!(error instanceof JsoncError)) throw error
      const { line, column, phrase } = error
      problems.push({
        en: `${file}:${line}:${column}: ${phrase.en}`,
        fr: `${file}:${line}:${column} : ${phrase.fr}`,
      })
    }
  }
  function put(name: SettingName, value: unknown, source: Source): void {
    values.set(name, value)
    sources.set(name, source)
  }
  fromEnvironment(env, problems, (name, value) => put(name, value, 'environment'))
  // The table's kinds made every value; the type of each follows its name.
  const config = Object.fromEntries(values) as unknown as Config
  check(config, file, problems)
  if (problems.length > 0) throw new ConfigError(problems)
  return { config, sources, file, found: text !== undefined, dataFolder: folder, warnings }
}

function read(file: string, required: boolean, problems: Phrase[], warnings: Phrase[]): string | undefined {
  try {
    const status = statSync(file)
    if (status.size > MAX_CONFIG_BYTES) {
      problems.push({
        en: `${file} is larger than ${MAX_CONFIG_BYTES} bytes: that is no configuration.`,
        fr: `${file} dépasse ${MAX_CONFIG_BYTES} octets : ce n’est pas une configuration.`,
      })
      return undefined
    }
    if ((status.mode & 0o002) !== 0)
      warnings.push({
        en: `${file} can be written by everybody. Run: chmod o-w ${file}`,
        fr: `${file} peut être modifié par tout le monde. Lancez : chmod o-w ${file}`,
      })
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOENT' || required)
      problems.push({
        en: `${file} cannot be read: ${(error as Error).message}`,
        fr: `${file} ne peut pas être lu : ${(error as Error).message}`,
      })
    return undefined
  }
}

/** Walks the file: objects lead to longer names, everything else is a value. */
function collect(
  node: Node & { kind: 'object' },
  prefix: string,
  file: string,
  problems: Phrase[],
  put: (name: SettingName, value: unknown) => void,
): void {
  for (const [key, member] of node.members) {
    const name = `${prefix}${key}`
    if (isSetting(name)) {
      try {
        const kind: Kind<unknown> = settings[name].kind
        put(name, kind.read(member))
      } catch (error) {
        if (!(error instanceof ValueError)) throw error
        const { en, fr } = error.phrase
        problems.push({
          en: `${file}:${member.line}: "${name}" ${en}.`,
          fr: `${file}:${member.line} : "${name}" ${fr}.`,
        })
      }
    } else if (settingNames.some((one) => one.startsWith(`${name}.`))) {
      if (member.kind === 'object') collect(member, `${name}.`, file, problems, put)
      else
        problems.push({
          en: `${file}:${member.line}: "${name}" must be an object: { … }.`,
          fr: `${file}:${member.line} : "${name}" doit être un objet : { … }.`,
        })
    } else {
      const near = nearest(name)
      const hint =
        near === undefined
          ? { en: '`postrider config` lists all settings.', fr: '`postrider config` donne tous les réglages.' }
          : { en: `Did you mean "${near}"?`, fr: `Vouliez-vous dire "${near}" ?` }
      problems.push({
        en: `${file}:${member.line}: there is no setting "${name}". ${hint.en}`,
        fr: `${file}:${member.line} : il n’y a pas de réglage "${name}". ${hint.fr}`,
      })
    }
  }
}
const isSetting = (name: string): name is SettingName => Object.hasOwn(settings, name)

/** The setting whose name needs fewest changes to become this one, if few. */
function nearest(name: string): string | undefined {
  const groups = new Set(
    settingNames.flatMap((one) => [one, ...(one.includes('.') ? [one.slice(0, one.indexOf('.'))] : [])]),
  )
  let best: string | undefined
  let distance = Math.max(3, name.length / 3)
  for (const one of groups) {
    const steps = editDistance(name.toLowerCase(), one.toLowerCase())
    if (steps < distance) [best, distance] = [one, steps]
  }
  return best
}
function editDistance(a: string, b: string): number {
  if (a.length > 100) return Number.POSITIVE_INFINITY
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

function fromEnvironment(env: Environment, problems: Phrase[], put: (name: SettingName, value: unknown) => void): void {
  if (env.POSTRIDER_BIND) {
    const addresses = env.POSTRIDER_BIND.split(',').map((one) => one.trim().replace(/^\[(.*)\]$/, '$1'))
    if (addresses.every((one) => isIP(one) !== 0)) put('listeners.address', addresses)
    else
      problems.push({
        en: `POSTRIDER_BIND must be IP addresses with commas between them, not '${env.POSTRIDER_BIND}'.`,
        fr: `POSTRIDER_BIND doit être des adresses IP séparées par des virgules, pas « ${env.POSTRIDER_BIND} ».`,
      })
  }
  if (env.POSTRIDER_PORT_BASE) {
    const base = Number(env.POSTRIDER_PORT_BASE)
    const last = LAST_PORT - listenerNames.length + 1
    if (!Number.isInteger(base) || base < 1 || base > last)
      problems.push({
        en: `POSTRIDER_PORT_BASE must be a whole number from 1 to ${last}, not '${env.POSTRIDER_PORT_BASE}'.`,
        fr: `POSTRIDER_PORT_BASE doit être un nombre entier de 1 à ${last}, pas « ${env.POSTRIDER_PORT_BASE} ».`,
      })
    else for (const name of listenerNames) put(`listeners.${name}.port`, base + listenerPorts[name].offset)
  }
}

const together = (file: string, one: SettingName, other: SettingName): Phrase => ({
  en: `${file}: "${one}" and "${other}" belong together: set both or none.`,
  fr: `${file} : "${one}" et "${other}" vont ensemble : réglez les deux ou aucun.`,
})

/** What no single setting can know. */
function check(config: Config, file: string, problems: Phrase[]): void {
  if ((config['tls.certificate'] === '') !== (config['tls.key'] === ''))
    problems.push(together(file, 'tls.certificate', 'tls.key'))
  if (config['acme.enabled'] && config['tls.certificate'] !== '')
    problems.push({
      en: `${file}: "acme.enabled" and "tls.certificate" exclude each other: the certificate comes from one of them.`,
      fr: `${file} : "acme.enabled" et "tls.certificate" s’excluent : le certificat vient de l’un ou de l’autre.`,
    })
  if ((config['acme.externalAccountKeyId'] === '') !== (config['acme.externalAccountKeyFile'] === ''))
    problems.push(together(file, 'acme.externalAccountKeyId', 'acme.externalAccountKeyFile'))
  if (config['store.segments.kind'] === 's3' && config['store.driver'] !== 'postgres')
    problems.push({
      en: `${file}: "store.segments.kind": "s3" needs "store.driver": "postgres".`,
      fr: `${file} : "store.segments.kind": "s3" demande "store.driver": "postgres".`,
    })
  if (config['store.segments.kind'] === 's3' && config['store.segments.s3'] === '')
    problems.push(together(file, 'store.segments.kind', 'store.segments.s3'))
  if (config['listeners.address'].length === 0)
    problems.push({
      en: `${file}: "listeners.address" must not be empty.`,
      fr: `${file} : "listeners.address" ne doit pas être vide.`,
    })
  if (config['activesync.minHeartbeat'] > config['activesync.maxHeartbeat'])
    problems.push({
      en: `${file}: "activesync.minHeartbeat" must not be longer than "activesync.maxHeartbeat".`,
      fr: `${file} : "activesync.minHeartbeat" ne doit pas dépasser "activesync.maxHeartbeat".`,
    })
  const taken = new Map<number, ListenerName>()
  for (const name of listenerNames) {
    const port = config[`listeners.${name}.port`]
    if (port === 0 || !config[`listeners.${name}.enabled`]) continue
    const other = taken.get(port)
    if (other !== undefined)
      problems.push({
        en: `${file}: ${other} and ${name} cannot both have port ${port}.`,
        fr: `${file} : ${other} et ${name} ne peuvent pas avoir tous deux le port ${port}.`,
      })
    taken.set(port, name)
  }
}

/** The public host name: configured, or the machine's full name, or mail.<domain>. */
export function publicHost(config: Config): string {
  if (config.hostName !== '') return config.hostName.toLowerCase()
  const machine = hostname().toLowerCase()
  const full = machine.includes('.') && !machine.endsWith('.local') && !machine.endsWith('.localdomain')
  return full ? machine : `mail.${config.domain.toLowerCase()}`
}

/** Threads that own mailbox databases. Client access takes most of the processor, so one owner does for small machines. */
export const ownerCount = (config: Config): number =>
  config.owners || Math.max(1, Math.floor(availableParallelism() / 4))

/** Processes for client access; 1: the main process itself. */
export const accessCount = (config: Config): number => config.accessProcesses || availableParallelism()

/** Names of the mailbox databases. One an owner by default: deliveries of one database share their syncs, those of several wait in line. */
export function databaseNames(config: Config): string[] {
  const count = config.databases || ownerCount(config)
  return Array.from({ length: count }, (_, i) => `mailboxes-${i + 1}`)
}

/** The configured databases, and those that mailboxes live in although the configuration names them no longer. */
export function databasesInUse(
  { config }: Pick<Loaded, 'config'>,
  directory: {
    mailboxes(): Iterable<{ readonly database: string }>
    pendingMailboxes(): Iterable<{ readonly database: string }>
  },
): string[] {
  const inUse = [...directory.mailboxes(), ...directory.pendingMailboxes()].map((one) => one.database)
  return [...new Set([...databaseNames(config), ...inUse])]
}

/** The PostgreSQL server, one address for each host of `store.postgres.url`, and the bucket; undefined when mailboxes are kept in files. */
export function postgresServer(config: Config): PostgresPlace | undefined {
  if (config['store.driver'] !== 'postgres') return undefined
  const bucket = config['store.segments.kind'] === 's3' ? parseS3Url(config['store.segments.s3']) : undefined
  const objects = bucket === undefined ? {} : { objects: { bucket, cacheBytes: config['store.segments.cache'] } }
  const parts = /^(\w+:\/\/(?:[^@/]*@)?)([^@/]+)(\/.+)$/.exec(config['store.postgres.url'])
  if (parts === null) return { urls: [], ...objects }
  const [, begin, hosts, end] = parts as unknown as readonly [string, string, string, string]
  return { urls: hosts.split(',').map((host) => `${begin}${host}${end}`), ...objects }
}

/** A file of the configuration: relative names start at the configuration file. */
export const configPath = (loaded: Loaded, name: string): string => resolve(dirname(loaded.file), name)

/** The values as they would stand in the file: a nested object. */
export function asDocument(config: Config): Record<string, unknown> {
  const document = new Map<string, unknown>()
  for (const name of settingNames) {
    const kind: Kind<unknown> = settings[name].kind
    let at = document
    const parts = name.split('.')
    for (const part of parts.slice(0, -1)) {
      const inner = at.get(part)
      const next = inner instanceof Map ? (inner as Map<string, unknown>) : new Map<string, unknown>()
      at.set(part, next)
      at = next
    }
    at.set(parts.at(-1)!, kind.show(config[name]))
  }
  return toObject(document)
}
const toObject = (map: Map<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    [...map].map(([key, value]) => [key, value instanceof Map ? toObject(value as Map<string, unknown>) : value]),
  )
