import {
  isDomainError,
  type MailboxId,
  type MailboxService,
  type Phrase,
  type QueueEntry,
  resultOf,
  type Say,
} from '@postrider/domain'
import type { ActiveSync } from '@postrider/protocols/activesync'
import type { DirectoryStore } from '@postrider/store/directory'
import type { CheckReport } from '@postrider/store/sqlite'
import type { Loaded } from './config/load.ts'
import type { Mover } from './move/mover.ts'
import type { TraceBook } from './operations/traces.ts'
import type { PrimaryReport, StandbyReport } from './standby/index.ts'
import { reasonOf } from './cli/reasons.ts'

/** What a running server adds to what the data folder alone offers. */
export interface RunningServer {
  readonly service: MailboxService
  /** Undefined where another node holds the directory. */
  readonly mover: Mover | undefined
  /** Gives a device an order; what it waits for ends at once. */
  readonly orderDevice: ActiveSync['order']
  /** Reads configuration and certificate again; answers in words what changed and what needs a restart. */
  reload(): Promise<readonly Phrase[]>
  /** What `postrider status` shows. */
  status(): Promise<ServerStatus>
  readonly traces: TraceBook
  /** In the text format of Prometheus. */
  metrics(): Promise<string>
  certificates(): readonly CertificateReport[]
  /** Orders a certificate from the authority now. Rejects with the authority's reason. */
  renewCertificate(): Promise<void>
  /** How far its standby is; undefined when it has none. */
  standby(): PrimaryReport | undefined
  /** Reads every checksum of the mailbox databases. */
  checkStore(originals: boolean, say: Say): Promise<StoreReport>
}

/** One certificate in use, as commands print it. */
export interface CertificateReport {
  readonly names: string
  readonly issuer: string
  readonly expires: string
  readonly days: number
  readonly fingerprint: string
  /** When it is renewed by itself; null when it is not. */
  readonly renewal: string | null
  /** Why the last order failed. */
  readonly problem: string | null
}

export interface ServerStatus {
  readonly pid: number
  readonly version: string
  readonly uptimeSeconds: number
  readonly listeners: Readonly<Record<string, { readonly host: string; readonly port: number }>>
  readonly connections: Readonly<Record<string, number>>
  readonly held: number
  readonly memoryBytes: number
  readonly ready: boolean
}

/** What `postrider store check` found. */
export interface StoreReport {
  readonly databases: readonly CheckReport[]
  readonly mailboxes: number
  readonly items: number
  readonly verifiedBytes: number
  /** One sentence each; empty when all is well. */
  readonly problems: readonly string[]
}

/** Puts the reports of all databases together, and holds the directory against them. */
export async function storeReport(
  databases: readonly CheckReport[],
  directory: DirectoryStore,
  service: Pick<MailboxService, 'info'>,
  say: Say,
): Promise<StoreReport> {
  const sum = (of: (report: CheckReport) => number): number => databases.reduce((all, one) => all + of(one), 0)
  const problems = databases.flatMap((one) => [
    ...one.problems.map(({ kind, detail }) => `${one.database}: ${kind}: ${withAddresses(detail, directory)}`),
    ...(one.more
      ? [
          say({
            en: `${one.database}: more problems than are listed`,
            fr: `${one.database} : plus de problèmes que ceux de la liste`,
          }),
        ]
      : []),
  ])
  problems.push(...directory.damage().map((line) => `directory: ${line}`))
  for (const entry of [...directory.mailboxes()])
    await service.info(entry.mailbox).catch((error: unknown) => {
      problems.push(`${entry.address}: ${say(reasonOf(error))}`)
    })
  return {
    databases,
    mailboxes: sum((one) => one.mailboxes),
    items: sum((one) => one.items),
    verifiedBytes: sum((one) => one.verifiedBytes),
    problems,
  }
}

/** `mailbox 3` with its address behind it: what people know it by. */
export const withAddresses = (line: string, directory: Pick<DirectoryStore, 'mailbox'>): string =>
  line.replace(/\bmailbox (\d+)/g, (text, id: string) => {
    const address = directory.mailbox(Number(id) as MailboxId)?.address
    return address === undefined ? text : `${text} (${address})`
  })

/** What administrator's commands work on, in the server or over a data folder nobody else uses. */
export interface Administration {
  readonly directory: DirectoryStore
  readonly loaded: Loaded
  readonly server: RunningServer | undefined
  /** What a standby can be asked and told. */
  readonly following?: { report(): StandbyReport; promote(): Promise<{ readonly epoch: number }> }
}

/**
 * Does at the mailbox service what the directory decided: mailboxes made and destroyed, quotas. Safe to call again at any time: what failed
 * stays pending and is tried again. Without a running server nothing happens here.
 */
export async function settleMailboxes(directory: DirectoryStore, service: MailboxService | undefined): Promise<void> {
  if (service === undefined) return
  for (const pending of directory.pendingMailboxes()) {
    const { mailbox, work, database } = pending
    const entry = directory.mailbox(mailbox)
    if (work === 'create' && entry !== undefined)
      await service.create(mailbox, { language: entry.language, quota: entry.quota, database })
    if (work === 'quota' && entry !== undefined) await service.apply(mailbox, [{ op: 'setQuota', quota: entry.quota }])
    if (work === 'destroy') await destroy(service, mailbox, administratorOf(directory))
    directory.mailboxDone(pending)
  }
}

const administratorOf = (directory: DirectoryStore): MailboxId | undefined =>
  [...directory.mailboxes()].find((one) => one.isAdministrator)?.mailbox

/** A mailbox that was never made is as good as destroyed. What waits in its queue was promised to somebody: the heir keeps the promise. */
async function destroy(service: MailboxService, mailbox: MailboxId, heir: MailboxId | undefined): Promise<void> {
  try {
    if (heir !== undefined) await bequeathQueue(service, mailbox, heir)
    await service.destroy(mailbox)
  } catch (error) {
    if (!isDomainError(error, 'mailboxNotFound')) throw error
  }
}

const QUEUE_PAGE = 100
const WEEK_MS = 7 * 86_400_000

/** How long an attempt that is under way is waited for, and how often it is looked for, ms. */
const ATTEMPT_MS = 60_000
const LOOK_MS = 100
/** For so long nobody begins with what is about to be handed on, ms. After a crash it goes on by itself. */
const POSTPONED_MS = 3_600_000

/**
 * What is being sent at this moment is waited for: its outcome is written into this queue, and a copy of it would be sent a second time.
 */
async function bequeathQueue(service: MailboxService, mailbox: MailboxId, heir: MailboxId): Promise<void> {
  const dues = new Map<number, number>()
  for (const { id, due, leasedUntil } of await queueOf(service, mailbox)) {
    if (leasedUntil > Date.now()) continue
    dues.set(id, due)
    const change = { id, kind: 'update', due: Math.max(due, Date.now() + POSTPONED_MS) } as const
    await service.apply(mailbox, [{ op: 'queueChange', change }])
  }
  for (const until = Date.now() + ATTEMPT_MS; ; ) {
    const entries = await queueOf(service, mailbox)
    if (Date.now() < until && entries.some(({ leasedUntil }) => leasedUntil > Date.now())) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      continue
    }
    for (const entry of entries) {
      const due = Math.max(dues.get(entry.id) ?? entry.due, entry.leasedUntil)
      await bequeath(service, { ...entry, due }, heir)
    }
    return
  }
}

async function queueOf(service: MailboxService, mailbox: MailboxId): Promise<QueueEntry[]> {
  const found: QueueEntry[] = []
  for (let afterId = 0; ; ) {
    const entries = await service.queueList({ limit: QUEUE_PAGE, afterId })
    found.push(...entries.filter((entry) => entry.mailbox === mailbox))
    const last = entries.at(-1)
    if (last === undefined || entries.length < QUEUE_PAGE) return found
    afterId = last.id
  }
}

/** Once, however often the destruction is tried. */
async function bequeath(service: MailboxService, entry: QueueEntry, heir: MailboxId): Promise<void> {
  const bytes = await service.blob(entry.mailbox, entry.original)
  const { from, recipients, destination, envelopeId, ret, size, smtputf8, eightBit, due, expires } = entry
  const copy = { from, recipients, destination, envelopeId, ret, size, smtputf8, eightBit, due, expires }
  try {
    const applied = await service.apply(heir, [
      { op: 'once', key: `inherited/${entry.mailbox}/${entry.id}`, keepMs: WEEK_MS },
      { op: 'enqueue', entry: copy, original: { bytes } },
    ])
    if (!entry.held) return
    const change = resultOf(applied, 1, 'enqueue').ids.map((id) => ({ id, kind: 'update' as const, held: true }))
    await service.apply(
      heir,
      change.map((one) => ({ op: 'queueChange' as const, change: one })),
    )
  } catch (error) {
    if (!isDomainError(error, 'duplicate')) throw error
  }
}
