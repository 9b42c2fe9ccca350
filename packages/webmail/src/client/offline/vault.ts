/**
 * What is kept on this device, sealed: AES-GCM with a key that comes from the server with every sign-in and lies here, not readable by
 * scripts, only as long as the session lasts. Signing out takes everything away; an end of the session takes the key, and what is kept
 * can be read again after the next sign-in.
 */

const STORES = ['meta', 'rows', 'bodies', 'threads', 'outbox', 'files', 'own'] as const
export type StoreName = (typeof STORES)[number]
const KEYS = 'keys'
const WHO = 'postrider.offline'

interface Sealed {
  readonly iv: Uint8Array<ArrayBuffer>
  readonly data: ArrayBuffer
}

const done = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('storage'))
  })
const finished = (transaction: IDBTransaction): Promise<void> =>
  new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('storage'))
  })
/** A page that is left takes its requests along: a database is gone when its request says so, or when this has passed, ms. */
const GONE_MS = 3_000
const gone = (name: string): Promise<void> =>
  new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onerror = () => resolve()
    setTimeout(resolve, GONE_MS)
  })
const PREFIX = 'postrider-'
const nameOf = (accountId: string): string => PREFIX + accountId
/** Names of our databases; none where the browser does not tell. */
async function databases(): Promise<string[]> {
  if (typeof indexedDB === 'undefined') return []
  const all = (await indexedDB.databases?.().catch(() => [])) ?? []
  return all.flatMap(({ name }) => (name?.startsWith(PREFIX) === true ? [name] : []))
}

function openDatabase(accountId: string): Promise<IDBDatabase> {
  const request = indexedDB.open(nameOf(accountId), 2)
  request.onupgradeneeded = () => {
    const { result: database } = request
    for (const name of [...STORES, KEYS])
      if (!database.objectStoreNames.contains(name)) database.createObjectStore(name)
  }
  return done(request)
}

export class Vault {
  readonly accountId: string
  readonly #database: IDBDatabase
  readonly #key: CryptoKey

  private constructor(accountId: string, database: IDBDatabase, key: CryptoKey) {
    this.accountId = accountId
    this.#database = database
    this.#key = key
    // Another tab wipes or upgrades it.
    database.onversionchange = () => database.close()
  }

  /** With the key the server gave (base64url, 32 bytes); else with the one that is still here. Undefined: nothing may be kept, or the key is gone. */
  static async open(accountId: string, given?: string): Promise<Vault | undefined> {
    if (typeof indexedDB === 'undefined' || crypto.subtle === undefined) return undefined
    try {
      const database = await openDatabase(accountId)
      if (given !== undefined) {
        const bytes = Uint8Array.from(atob(given.replace(/-/g, '+').replace(/_/g, '/')), (one) => one.charCodeAt(0))
        const key = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
        const transaction = database.transaction(KEYS, 'readwrite')
        transaction.objectStore(KEYS).put(key, 'key')
        await finished(transaction)
        localStorage.setItem(WHO, accountId)
        return new Vault(accountId, database, key)
      }
      const key = await done(
        database.transaction(KEYS).objectStore(KEYS).get('key') as IDBRequest<CryptoKey | undefined>,
      )
      if (key !== undefined) return new Vault(accountId, database, key)
      database.close()
    } catch {
      // A browser that keeps nothing (private window, full disk): everything works, but only with a network.
    }
    return undefined
  }

  /** Whose mail was kept here last. A browser that was killed may have lost that. */
  static lastAccount(): string | undefined {
    return localStorage.getItem(WHO) ?? undefined
  }

  /** All whose mail is kept here. */
  static async accounts(): Promise<string[]> {
    return (await databases()).map((name) => name.slice(PREFIX.length))
  }

  /** Takes everything away that was ever kept here. */
  static async wipe(): Promise<void> {
    localStorage.removeItem(WHO)
    for (const key of Object.keys(localStorage))
      if (/^postrider\.(?:draft|acts)\./.test(key)) localStorage.removeItem(key)
    await Promise.all((await databases()).map(gone))
  }

  /** The session is over: what is kept stays, unreadable. */
  async lock(): Promise<void> {
    const transaction = this.#database.transaction(KEYS, 'readwrite')
    transaction.objectStore(KEYS).clear()
    await finished(transaction)
  }

  /** Lets the database go; nothing is asked of it any more. */
  close(): void {
    this.#database.close()
  }

  async get<T>(store: StoreName, id: string): Promise<T | undefined> {
    const sealed = await done(
      this.#database.transaction(store).objectStore(store).get(id) as IDBRequest<Sealed | undefined>,
    )
    const bytes = sealed === undefined ? undefined : await this.#open(sealed)
    return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as T)
  }
  async bytes(id: string): Promise<ArrayBuffer | undefined> {
    const sealed = await done(
      this.#database.transaction('files').objectStore('files').get(id) as IDBRequest<Sealed | undefined>,
    )
    return sealed === undefined ? undefined : this.#open(sealed)
  }

  async ids(store: StoreName): Promise<string[]> {
    return (await done(this.#database.transaction(store).objectStore(store).getAllKeys())).map(String)
  }

  async all<T>(store: StoreName): Promise<T[]> {
    const list = await done(this.#database.transaction(store).objectStore(store).getAll() as IDBRequest<Sealed[]>)
    const opened = await Promise.all(list.map((one) => this.#open(one)))
    return opened.flatMap((one) => (one === undefined ? [] : [JSON.parse(new TextDecoder().decode(one)) as T]))
  }

  /** Durable when it resolves: an outbox must not be lost with the battery. */
  async put(store: StoreName, entries: Iterable<readonly [id: string, value: unknown]>): Promise<void> {
    const sealed: [string, Sealed][] = []
    for (const [id, value] of entries) {
      const bytes = value instanceof ArrayBuffer ? value : new TextEncoder().encode(JSON.stringify(value))
      sealed.push([id, await this.#seal(bytes)])
    }
    if (sealed.length === 0) return
    const transaction = this.#database.transaction(store, 'readwrite', { durability: 'strict' })
    for (const [id, value] of sealed) transaction.objectStore(store).put(value, id)
    await finished(transaction)
  }

  async remove(store: StoreName, ids: Iterable<string>): Promise<void> {
    const transaction = this.#database.transaction(store, 'readwrite')
    for (const id of ids) transaction.objectStore(store).delete(id)
    await finished(transaction)
  }

  async clear(...stores: StoreName[]): Promise<void> {
    const transaction = this.#database.transaction(stores, 'readwrite')
    for (const store of stores) transaction.objectStore(store).clear()
    await finished(transaction)
  }

  async #seal(bytes: BufferSource): Promise<Sealed> {
    const iv = crypto.getRandomValues(new Uint8Array(12))
    return { iv, data: await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, this.#key, bytes) }
  }
  /** Undefined for what another key sealed. */
  async #open({ iv, data }: Sealed): Promise<ArrayBuffer | undefined> {
    try {
      return await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, this.#key, data)
    } catch {
      return undefined
    }
  }
}
