import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type {
  AcceptedDomain,
  DomainType,
  GroupEntry,
  MailboxEntry,
  MailboxId,
  ProtocolName,
  ScramKeys,
} from '@postrider/domain'
import { addressKey } from './address.ts'
import { SummedPages } from './pages.ts'
import { upgrade } from './schema.ts'

/** What the directory keeps of an account's password. `version` grows with every change: cached verdicts carry it. */
export interface StoredCredential {
  readonly version: number
  readonly hash: string
  readonly scram: ScramKeys
}
export interface StoredAppPassword {
  readonly id: string
  readonly account: string
  readonly name: string
  readonly protocols: readonly ProtocolName[]
  /** SHA-256, hex: 128 random bits need no slow hash. */
  readonly digest: string
  readonly created: number
  readonly lastUsed: number | undefined
}
/** Work on a mailbox that the directory decided and the mailbox service has not confirmed yet. */
export interface PendingMailbox {
  readonly mailbox: MailboxId
  readonly work: 'create' | 'destroy' | 'quota'
  readonly database: string
}

export interface Loaded {
  readonly domains: readonly AcceptedDomain[]
  readonly mailboxes: readonly MailboxEntry[]
  readonly groups: readonly GroupEntry[]
  readonly credentials: ReadonlyMap<string, StoredCredential>
  readonly appPasswords: readonly StoredAppPassword[]
  readonly settings: ReadonlyMap<string, unknown>
  readonly pending: readonly PendingMailbox[]
}

const bytes = (value: unknown): Uint8Array => (value instanceof Uint8Array ? value : new Uint8Array())

/** The SQL of the directory, one method per write. Nothing here decides anything. */
export class Tables {
  readonly #db: DatabaseSync
  readonly #pages: SummedPages | undefined
  readonly #statements = new Map<string, StatementSync>()

  constructor(file: string) {
    const before = file === ':memory:' ? undefined : SummedPages.before(file)
    this.#db = new DatabaseSync(file)
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000')
    this.#pages = before === undefined ? undefined : new SummedPages(this.#db, file, before)
    upgrade(this.#db, file)
    this.#pages?.ready()
  }

  #run(sql: string, ...values: (string | number | Uint8Array | null)[]): number {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return Number(statement.run(...values).lastInsertRowid)
  }

  /** All or nothing, durable when it returns. */
  transaction<T>(work: () => T): T {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#db.exec('COMMIT')
      this.#pages?.committed()
      return result
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  load(): Loaded {
    const rows = (sql: string): Record<string, unknown>[] => this.#db.prepare(sql).all() as Record<string, unknown>[]
    const credentials = new Map<string, StoredCredential>()
    for (const row of rows('SELECT * FROM credential'))
      credentials.set(String(row.account), {
        version: Number(row.version),
        hash: String(row.hash),
        scram: {
          salt: bytes(row.salt),
          iterations: Number(row.iterations),
          storedKey: bytes(row.stored_key),
          serverKey: bytes(row.server_key),
        },
      })
    return {
      domains: rows('SELECT * FROM domain ORDER BY name').map((row) => ({
        name: String(row.name),
        type: String(row.type) as DomainType,
        isDefault: row.is_default === 1,
      })),
      mailboxes: rows('SELECT id, account, entry FROM mailbox ORDER BY id').map((row) => ({
        ...(JSON.parse(String(row.entry)) as Omit<MailboxEntry, 'account' | 'mailbox'>),
        account: String(row.account),
        mailbox: Number(row.id) as MailboxId,
      })),
      groups: rows('SELECT id, entry FROM mailgroup ORDER BY id').map((row) => ({
        ...(JSON.parse(String(row.entry)) as Omit<GroupEntry, 'id'>),
        id: `g${row.id}`,
      })),
      credentials,
      appPasswords: rows('SELECT * FROM app_password ORDER BY created, id').map((row) => ({
        id: String(row.id),
        account: String(row.account),
        name: String(row.name),
        protocols: JSON.parse(String(row.protocols)) as ProtocolName[],
        digest: Buffer.from(bytes(row.digest)).toString('hex'),
        created: Number(row.created),
        lastUsed: row.last_used === null ? undefined : Number(row.last_used),
      })),
      settings: new Map(
        rows('SELECT * FROM setting').map((row) => [String(row.name), JSON.parse(String(row.value)) as unknown]),
      ),
      pending: rows('SELECT * FROM pending ORDER BY mailbox').map((row) => ({
        mailbox: Number(row.mailbox) as MailboxId,
        work: row.work === 'destroy' || row.work === 'quota' ? row.work : 'create',
        database: String(row.detail),
      })),
    }
  }

  putDomain(domain: AcceptedDomain): void {
    if (domain.isDefault) this.#run('UPDATE domain SET is_default = 0')
    this.#run('INSERT OR REPLACE INTO domain VALUES (?, ?, ?)', domain.name, domain.type, domain.isDefault ? 1 : 0)
  }
  dropDomain(name: string): void {
    this.#run('DELETE FROM domain WHERE name = ?', name)
  }

  /** Gives the id: AUTOINCREMENT, so that the number of a deleted mailbox never comes back. */
  newMailboxId(): MailboxId {
    return this.#run(`INSERT INTO mailbox (account, entry) VALUES ('', '{}')`) as MailboxId
  }
  putMailbox(entry: MailboxEntry): void {
    const { account, mailbox, ...rest } = entry
    this.#run('UPDATE mailbox SET account = ?, entry = ? WHERE id = ?', account, JSON.stringify(rest), mailbox)
    this.#putAddresses(`m${mailbox}`, entry)
  }
  dropMailbox(entry: MailboxEntry): void {
    this.#run('DELETE FROM mailbox WHERE id = ?', entry.mailbox)
    this.#run('DELETE FROM credential WHERE account = ?', entry.account)
    this.#run('DELETE FROM app_password WHERE account = ?', entry.account)
    this.#run('DELETE FROM address WHERE owner = ?', `m${entry.mailbox}`)
  }

  newGroupId(): string {
    return `g${this.#run(`INSERT INTO mailgroup (entry) VALUES ('{}')`)}`
  }
  putGroup(entry: GroupEntry): void {
    const { id, ...rest } = entry
    this.#run('UPDATE mailgroup SET entry = ? WHERE id = ?', JSON.stringify(rest), Number(id.slice(1)))
    this.#putAddresses(id, entry)
  }
  dropGroup(entry: GroupEntry): void {
    this.#run('DELETE FROM mailgroup WHERE id = ?', Number(entry.id.slice(1)))
    this.#run('DELETE FROM address WHERE owner = ?', entry.id)
  }
  #putAddresses(owner: string, entry: MailboxEntry | GroupEntry): void {
    this.#run('DELETE FROM address WHERE owner = ?', owner)
    for (const key of new Set([entry.address, ...entry.aliases].map(addressKey)))
      this.#run('INSERT INTO address VALUES (?, ?)', key, owner)
  }

  putCredential(account: string, credential: StoredCredential): void {
    const { salt, iterations, storedKey, serverKey } = credential.scram
    const sql = 'INSERT OR REPLACE INTO credential VALUES (?, ?, ?, ?, ?, ?, ?)'
    this.#run(sql, account, credential.version, credential.hash, salt, iterations, storedKey, serverKey)
  }
  putAppPassword(app: StoredAppPassword): void {
    const { id, account, name, protocols, digest, created, lastUsed } = app
    const sql = 'INSERT OR REPLACE INTO app_password VALUES (?, ?, ?, ?, ?, ?, ?)'
    this.#run(sql, id, account, name, JSON.stringify(protocols), Buffer.from(digest, 'hex'), created, lastUsed ?? null)
  }
  dropAppPassword(id: string): void {
    this.#run('DELETE FROM app_password WHERE id = ?', id)
  }
  putSetting(name: string, value: unknown): void {
    if (value === undefined) this.#run('DELETE FROM setting WHERE name = ?', name)
    else this.#run('INSERT OR REPLACE INTO setting VALUES (?, ?)', name, JSON.stringify(value))
  }
  putPending(pending: PendingMailbox): void {
    this.#run('INSERT OR REPLACE INTO pending VALUES (?, ?, ?)', pending.mailbox, pending.work, pending.database)
  }
  dropPending(mailbox: MailboxId): void {
    this.#run('DELETE FROM pending WHERE mailbox = ?', mailbox)
  }

  /** What is wrong with the file, one line each: pages that changed by themselves, and what SQLite finds. */
  damage(): string[] {
    const lines = this.#db.prepare('PRAGMA integrity_check').all()
    return lines
      .map((row) => String(row.integrity_check))
      .filter((line) => line !== 'ok')
      .concat(this.#pages?.damage() ?? [])
  }

  /** A consistent copy into a new file (VACUUM INTO). */
  copyTo(file: string): void {
    this.#run('VACUUM INTO ?', file)
  }
  close(): void {
    this.#statements.clear()
    this.#pages?.leave()
    this.#db.close()
  }
}
