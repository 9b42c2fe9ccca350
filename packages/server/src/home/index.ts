/**
 * The home of the mailboxes: owners of mailbox databases, in threads or in processes of their own, one mailbox service in front of them. In: the data folder and which
 * database a mailbox lives in; out: `MailboxService`. Invariant: one writer per database; an owner that falls is started again. Read next:
 * supervisor.ts and starters.ts (this side), owner.ts and seat.ts (the other).
 */
import type { Logger, MailboxId, MailboxService, Meter } from '@postrider/domain'
import type { PostgresPlace } from '@postrider/store/postgres'
import { listQueues, type RouterPorts, routeMailboxes, TOKEN_BYTES } from '@postrider/link'
import { randomBytes } from 'node:crypto'
import type { CheckReport, Confirmed } from '@postrider/store/sqlite'
import type { LogLevel } from '../operations/log.ts'
import type { OwnerData, OwnerGuests } from './side-channel.ts'
import { type OwnerKind, starters } from './starters.ts'
import { SupervisedOwner } from './supervisor.ts'

export interface MailboxHome {
  readonly service: MailboxService
  /** The same, with the queues of all nodes: for who administers. */
  readonly everywhere: MailboxService
  /** Where client-access processes join the owners: none when `guests` was not asked for. */
  readonly doors: readonly OwnerDoor[]
  /** Undefined when every database works, else why not. */
  health(): string | undefined
  /** Memory that the owners' own processes take. */
  memoryBytes(): number
  setLogLevel(level: LogLevel): void
  setScrubRate(rate: number): void
  /** How far those who follow a database are. */
  confirm(database: string, confirmed: Confirmed): void
  /** Reads every database from end to end; with `originals` every message too. */
  check(originals: boolean): Promise<readonly CheckReport[]>
  close(): Promise<void>
}

export interface OwnerDoor extends OwnerGuests {
  readonly databases: readonly string[]
}

export interface HomeOptions {
  readonly folder: string
  /** All databases, in an order that never changes: new ones come last. */
  readonly databases: readonly string[]
  /** How many; the databases are dealt out to them. */
  readonly owners: number
  readonly ownerKind: OwnerKind
  /** The PostgreSQL server that has them; undefined: files of the folder. */
  readonly server?: PostgresPlace | undefined
  /** Whether client-access processes join. */
  readonly guests?: boolean
  readonly databaseOf: (mailbox: MailboxId) => string | undefined
  /** The epoch of a database's owner as the directory has it; undefined: whatever the database says. */
  readonly epochOf?: (database: string) => number
  /** Where numbers of new databases begin on this node. */
  readonly firstNumber?: number
  /** The databases of other nodes. */
  readonly remote?: {
    ownerOf(database: string): MailboxService | undefined
    others(): Iterable<MailboxService>
  }
  /** How to hear of mailboxes that moved. */
  readonly whereabouts?: Pick<RouterPorts, 'relocated' | 'watch'>
  readonly logLevel: LogLevel
  /** Bytes a second at which everything is read through; 0: not at all. */
  readonly scrubRate?: number
  /** Whether commit logs are kept; `logged` hears of every entry. */
  readonly shipping?:
    | (NonNullable<OwnerData['shipping']> & {
        readonly logged: (database: string, seq: number, degraded: boolean) => void
      })
    | undefined
  readonly logFormat: 'json' | 'text'
  readonly log: Logger
  readonly meter: Meter
}

const epochsOf = (databases: readonly string[], { epochOf }: Pick<HomeOptions, 'epochOf'>) =>
  epochOf === undefined ? undefined : Object.fromEntries(databases.map((name) => [name, epochOf(name)]))

/** Starts the owners and waits until all have opened their databases. Rejects, with all stopped again, when one cannot. */
export async function openHome(options: HomeOptions): Promise<MailboxHome> {
  const { folder, databases, server, databaseOf, whereabouts, logLevel, logFormat, scrubRate, log, meter } = options
  const { shipping: kept, remote, firstNumber } = options
  const count = Math.min(Math.max(1, options.owners), databases.length)
  const doors: OwnerDoor[] = []
  const shipping = kept === undefined ? undefined : { wait: kept.wait, patienceMs: kept.patienceMs }
  const owners = Array.from({ length: count }, (_, at) => {
    const own = databases.filter((_name, index) => index % count === at)
    const thread = count === 1 ? 'owner' : `owner-${at + 1}`
    const guests = options.guests ? { socket: `${thread}-guests.sock`, token: randomBytes(TOKEN_BYTES) } : undefined
    if (guests !== undefined) doors.push({ ...guests, databases: own })
    return new SupervisedOwner(
      starters[options.ownerKind],
      {
        folder,
        databases: own,
        epochs: epochsOf(own, options),
        firstNumber,
        server,
        guests,
        thread,
        logLevel,
        logFormat,
        scrubRate,
        shipping,
      },
      log,
      meter,
      undefined,
      kept?.logged,
    )
  })
  const homes = new Map(owners.flatMap((owner) => owner.databases.map((name) => [name, owner] as const)))
  const ownerOf = new Map(owners.flatMap((owner) => owner.databases.map((name) => [name, owner.service] as const)))
  try {
    await Promise.all(owners.map((owner) => owner.start()))
  } catch (error) {
    await Promise.all(owners.map((owner) => owner.stop()))
    throw error
  }
  const service = routeMailboxes({
    ...whereabouts,
    databaseOf,
    ownerOf: (database) => ownerOf.get(database) ?? remote?.ownerOf(database),
    // Each node sends what lies in its own queue.
    owners: () => owners.map((owner) => owner.service),
  })
  return {
    doors,
    service,
    everywhere: {
      ...service,
      queueList: (filter) => listQueues([...owners.map((owner) => owner.service), ...(remote?.others() ?? [])], filter),
    },
    health: () => owners.map(({ problem, away }) => problem ?? away).find((reason) => reason !== undefined),
    memoryBytes: () => owners.reduce((sum, owner) => sum + owner.memoryBytes, 0),
    setScrubRate(rate) {
      for (const owner of owners) owner.setScrubRate(rate)
    },
    confirm: (database, confirmed) => homes.get(database)?.confirm(database, confirmed),
    setLogLevel(level) {
      for (const owner of owners) owner.setLogLevel(level)
    },
    check: async (originals) => (await Promise.all(owners.map((owner) => owner.check(originals)))).flat(),
    async close() {
      await Promise.all(owners.map((owner) => owner.stop()))
    },
  }
}
