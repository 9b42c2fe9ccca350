/**
 * Which node of an organisation a data folder is: its name, where it listens for the others, who holds the directory, and the certificates they know
 * each other by. In the folder `node`; without it the server is alone.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import type { NodeCertificate } from '@postrider/link'
import type { KeyAndCertificate } from './authority.ts'

export interface NodeAddress {
  readonly host: string
  readonly port: number
}
export interface NodeIdentity extends NodeAddress {
  readonly name: string
  /** Its number among the nodes, never given again: numbers of its databases follow from it. */
  readonly number: number
  /** The node that holds the directory; undefined: this one. */
  readonly head?: (NodeAddress & { readonly name: string }) | undefined
  readonly certificate: NodeCertificate
}
/** A node as the directory has it. */
export interface NodeRecord extends NodeAddress {
  readonly name: string
  readonly number: number
  readonly fingerprint: string
  readonly databases: readonly string[]
}

export const NODES = 'node.'
export const nodeSetting = (name: string): string => `${NODES}${name}`
export const nodeNameValid = (name: string): boolean => /^[a-z0-9][a-z0-9-]{0,30}$/.test(name)
/** Numbers of databases a node may give: references and queue ids carry them. */
export const NUMBERS_A_NODE = 32
export const MAX_NODES = 127

const IDENTITY = 'identity.json'
const AUTHORITY_KEY = 'authority-key.json'
const folderOf = (dataFolder: string): string => join(dataFolder, 'node')

function write(dataFolder: string, name: string, value: unknown): void {
  const folder = folderOf(dataFolder)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, name)
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
}
function read<T>(dataFolder: string, name: string): T | undefined {
  const file = join(folderOf(dataFolder), name)
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T) : undefined
}

export const readIdentity = (dataFolder: string): NodeIdentity | undefined => read<NodeIdentity>(dataFolder, IDENTITY)
export const writeIdentity = (dataFolder: string, identity: NodeIdentity): void => write(dataFolder, IDENTITY, identity)
/** The authority, where this node holds it. */
export const readAuthority = (dataFolder: string): KeyAndCertificate | undefined =>
  read<KeyAndCertificate>(dataFolder, AUTHORITY_KEY)
export const writeAuthority = (dataFolder: string, authority: KeyAndCertificate): void =>
  write(dataFolder, AUTHORITY_KEY, authority)

export const fingerprintOf = (certificate: string): string => new X509Certificate(certificate).fingerprint256

/** `host:port`, `[::1]:port`; undefined when it is neither. */
export function parseAddress(text: string): NodeAddress | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([\da-fA-F:]+)\]|([A-Za-z0-9_.-]+)):(\d{1,5})$/.exec(text) ?? []
  const port = Number(digits)
  const host = bracketed ?? plain
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port }
}
