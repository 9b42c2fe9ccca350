import {
  type ClaimRequest,
  DomainError,
  type MailboxId,
  type MailboxInit,
  type MailboxService,
  movedEpoch,
  type QueueEntry,
  type Subscription,
} from '@postrider/domain'
import { FollowedFeeds } from './followed-feeds.ts'
import { type MethodName, methodNames, methods } from './methods.ts'

/** Where mailboxes live. Asked at every call: it may change at any time. */
export interface RouterPorts {
  /** The database of a mailbox (the directory knows), undefined when there is no such mailbox. */
  readonly databaseOf: (mailbox: MailboxId) => string | undefined
  /** The owner of a database, undefined while it has none. */
  readonly ownerOf: (database: string) => MailboxService | undefined
  /** Every owner, each once. */
  readonly owners: () => Iterable<MailboxService>
  /** Resolves when the directory knows this epoch of a mailbox: an owner answered that it has moved. Without it such an answer goes to the caller. */
  readonly relocated?: (mailbox: MailboxId, epoch: number) => Promise<void>
  /** Calls back when mailboxes may have another database than before; answers how to stop. Needs no end before the program's. */
  readonly watch?: (changed: () => void) => void
}

type QueueFilter = Parameters<MailboxService['queueList']>[0]
const none: readonly QueueEntry[] = []

/**
 * One mailbox service over many owners: calls for a mailbox go to the owner of its database, those about the queue to all. An owner that is
 * away makes its own mailboxes `unavailable`, and its part of the queue wait.
 */
export function routeMailboxes(ports: RouterPorts): MailboxService {
  const byMailbox = (name: MethodName) => {
    const ask = (mailbox: MailboxId, args: readonly unknown[]): Promise<unknown> => {
      try {
        const owner = ownerFor(ports, name, mailbox, args)
        return (owner[name] as (...all: readonly unknown[]) => Promise<unknown>).call(owner, mailbox, ...args)
      } catch (error) {
        return Promise.reject(error as Error)
      }
    }
    return (mailbox: MailboxId, ...args: readonly unknown[]): Promise<unknown> =>
      name === 'relocate' || ports.relocated === undefined
        ? ask(mailbox, args)
        : findAgain(ports.relocated, mailbox, () => ask(mailbox, args))
  }
  const routed = methodNames.filter((name) => methods[name].scope === 'mailbox').map((name) => [name, byMailbox(name)])
  let turn = 0
  const home: Pick<MailboxService, 'queueClaim' | 'queueList' | 'subscribeQueue'> = {
    queueClaim: (request) => claim(rotated([...ports.owners()], turn++), request),
    queueList: (filter) => listQueues([...ports.owners()], filter),
    subscribeQueue: (listener) => subscribe([...ports.owners()], listener),
  }
  const service: MailboxService = { ...(Object.fromEntries(routed) as unknown as MailboxService), ...home }
  if (ports.watch === undefined) return service
  const feeds = new FollowedFeeds(service, ports.databaseOf)
  ports.watch(() => feeds.look())
  return { ...service, subscribe: (mailbox, listener) => feeds.subscribe(mailbox, listener) }
}

/** What was answered "moved, epoch n" was not done: it is asked once more where the mailbox lives now. */
function findAgain(
  relocated: NonNullable<RouterPorts['relocated']>,
  mailbox: MailboxId,
  ask: () => Promise<unknown>,
): Promise<unknown> {
  return ask().catch(async (error: unknown) => {
    const epoch = movedEpoch(error)
    if (epoch === undefined) throw error
    await relocated(mailbox, epoch)
    return ask()
  })
}

function ownerFor(
  { databaseOf, ownerOf }: RouterPorts,
  name: MethodName,
  mailbox: MailboxId,
  args: readonly unknown[],
): MailboxService {
  // A mailbox in the making is told where it is to live.
  const database =
    name === 'create'
      ? (args[0] as MailboxInit).database
      : name === 'relocate'
        ? (args[0] as string)
        : databaseOf(mailbox)
  if (database === undefined) throw new DomainError('mailboxNotFound', `mailbox ${mailbox}`)
  const owner = ownerOf(database)
  if (owner === undefined) throw new DomainError('unavailable', `database ${database} has no owner`)
  return owner
}

/** Another one is first each time, so that a full owner does not keep the others waiting for ever. */
const rotated = <T>(list: readonly T[], turn: number): T[] => {
  const at = list.length === 0 ? 0 : turn % list.length
  return [...list.slice(at), ...list.slice(0, at)]
}

/** One after the other, until there are enough. What some have claimed is answered even if others are away. */
async function claim(owners: readonly MailboxService[], request: ClaimRequest): Promise<readonly QueueEntry[]> {
  const claimed: QueueEntry[] = []
  const failures: unknown[] = []
  for (const owner of owners) {
    const limit = request.limit - claimed.length
    if (limit <= 0) break
    const part = await owner.queueClaim({ ...request, limit }).catch((error: unknown) => {
      failures.push(error)
      return none
    })
    claimed.push(...part)
  }
  if (failures.length === owners.length && owners.length > 0) throw failures[0]
  return claimed.sort((a, b) => a.due - b.due || a.id - b.id)
}

/** The entries of several owners as one list. */
export async function listQueues(
  owners: readonly MailboxService[],
  filter: QueueFilter,
): Promise<readonly QueueEntry[]> {
  const parts = await Promise.all(owners.map((owner) => owner.queueList(filter)))
  return parts
    .flat()
    .sort((a, b) => a.id - b.id)
    .slice(0, filter.limit)
}

async function subscribe(owners: readonly MailboxService[], listener: () => void): Promise<Subscription> {
  const settled = await Promise.allSettled(owners.map((owner) => owner.subscribeQueue(listener)))
  const subscriptions = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failure = settled.find((one) => one.status === 'rejected')
  if (subscriptions.length === 0 && failure !== undefined) throw failure.reason
  return {
    close: () => {
      for (const subscription of subscriptions) subscription.close()
    },
  }
}
