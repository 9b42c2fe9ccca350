/** The user's own keys: imported from a file, sealed on this device with everything else that is kept here, gone when one signs out. */
import { type Signal, signal } from '@preact/signals'
import {
  type Certificate,
  type KeyFile,
  openKey,
  type OwnKey,
  readCertificate,
  readKeyFile,
} from '@postrider/wire/smime'
import { app } from '../app.ts'
import { fromBase64, toBase64 } from './entity.ts'

interface Kept {
  readonly pkcs8: string
  readonly certificate: string
  readonly others: readonly string[]
}

const MAX_KEYS = 10
/** Undefined until they were looked for. */
export const ownKeys: Signal<readonly OwnKey[] | undefined> = signal(undefined)
let looking: Promise<readonly OwnKey[]> | undefined
let files: readonly KeyFile[] = []

/** The keys there are; looked for once. */
export function loadKeys(): Promise<readonly OwnKey[]> {
  looking ??= look()
  return looking
}

async function look(): Promise<readonly OwnKey[]> {
  const kept = await (await app.deviceReady)?.own<readonly Kept[]>('keys')
  files = (kept ?? []).map(({ pkcs8, certificate, others }) => ({
    pkcs8: fromBase64(pkcs8),
    certificate: readCertificate(fromBase64(certificate)),
    others: others.map((one) => readCertificate(fromBase64(one))),
  }))
  return opened()
}
async function opened(): Promise<readonly OwnKey[]> {
  ownKeys.value = await Promise.all(files.map(openKey))
  looking = Promise.resolve(ownKeys.value)
  return ownKeys.value
}

/** Takes a key file; throws SmimeError. On a public computer it is forgotten with the page. */
export async function importKey(bytes: Uint8Array, password: string): Promise<void> {
  await loadKeys()
  const file = await readKeyFile(bytes, password)
  const print = toBase64(file.certificate.bytes)
  files = [file, ...files.filter((one) => toBase64(one.certificate.bytes) !== print)].slice(0, MAX_KEYS)
  await opened()
  await keep()
}

export async function forgetKey(key: OwnKey): Promise<void> {
  const print = toBase64(key.certificate.bytes)
  files = files.filter((one) => toBase64(one.certificate.bytes) !== print)
  await opened()
  await keep()
}

async function keep(): Promise<void> {
  const list: Kept[] = files.map(({ pkcs8, certificate, others }) => ({
    pkcs8: toBase64(pkcs8),
    certificate: toBase64(certificate.bytes),
    others: others.map((one) => toBase64(one.bytes)),
  }))
  await app.device.peek()?.keepOwn('keys', list)
}

/** The key one writes with: for this address, valid now. */
export const keyFor = (address: string, now = Date.now()): OwnKey | undefined =>
  ownKeys.value?.find(
    ({ certificate: { addresses, notBefore, notAfter } }) =>
      addresses.includes(address.toLowerCase()) && notBefore <= now && now <= notAfter,
  )

/** Certificates of people whose signature lay inside of an encrypted mail, by address, base64: the server cannot know them. */
let people: Promise<Map<string, string>> | undefined
const MAX_PEOPLE = 1_000
const loadPeople = (): Promise<Map<string, string>> => {
  people ??= app.deviceReady.then(async (device) => new Map(await device?.own<[string, string][]>('people')))
  return people
}

export async function rememberPerson(address: string, certificate: Certificate): Promise<void> {
  const all = await loadPeople()
  const text = toBase64(certificate.bytes)
  const key = address.toLowerCase()
  if (all.get(key) === text) return
  all.delete(key)
  all.set(key, text)
  await app.device.peek()?.keepOwn('people', [...all].slice(-MAX_PEOPLE))
}

/** The certificate of somebody that is known here and still good. */
export async function knownPerson(address: string, now = Date.now()): Promise<Certificate | undefined> {
  const text = (await loadPeople()).get(address.toLowerCase())
  const found = text === undefined ? undefined : readCertificate(fromBase64(text))
  return found !== undefined && found.notBefore <= now && now <= found.notAfter ? found : undefined
}
