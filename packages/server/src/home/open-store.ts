import type { Logger, MailboxService, Meter } from '@postrider/domain'
import { openPostgresStore, type PostgresPlace } from '@postrider/store/postgres'
import {
  type CheckReport,
  type Confirmed,
  type DatabaseHealth,
  openSqliteStore,
  type ShippingOptions,
} from '@postrider/store/sqlite'

/** The mailbox service of one owner, whatever keeps its databases. */
export interface OwnedStore extends MailboxService {
  health(): readonly DatabaseHealth[]
  check(options?: { readonly originals?: boolean }): Promise<readonly CheckReport[]>
  /** Bytes a second at which everything is read through; nothing to set where a server keeps the databases. */
  setScrubRate?(rate: number): void
  /** How far those who follow a database are. */
  confirm?(database: string, confirmed: Confirmed): void
  close(): Promise<void>
}

export interface StoreOptions {
  readonly folder: string
  readonly databases: readonly string[]
  /** The owner's epoch in each database; a server of databases keeps its own. */
  readonly epochs?: Readonly<Record<string, number>> | undefined
  readonly firstNumber?: number | undefined
  /** The PostgreSQL server that has the databases; undefined: files of the folder. */
  readonly server: PostgresPlace | undefined
  /** Bytes a second at which everything is read through; 0: not at all. */
  readonly scrubRate?: number
  /** Keeps commit logs of databases in files. */
  readonly shipping?: ShippingOptions
  readonly log?: Logger
  readonly meter?: Meter
}

/** Opens (or makes) mailbox databases. Rejects with DomainError `unavailable`, `corrupt`, `diskFull`. */
export function openStore({ server, shipping, ...options }: StoreOptions): Promise<OwnedStore> {
  return server === undefined ? openSqliteStore({ ...options, shipping }) : openPostgresStore({ ...options, ...server })
}
