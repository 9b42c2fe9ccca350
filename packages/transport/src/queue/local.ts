/** Delivery into mailboxes of the organisation, each exactly once however often it is tried. */
import {
  type BlobRef,
  DomainError,
  type MailboxEntry,
  type MailboxId,
  type NewItem,
  type OriginalSource,
  type QueueRecipient,
} from '@postrider/domain'
import type { TransportCore } from '../core.ts'
import { arrange, arrivalOperations } from './arrange.ts'
import type { RecipientResult } from './settle.ts'

/** Mailboxes written to at the same time for one message. */
const PARALLEL = 16

/** The message as every mailbox gets it, its bytes, and where they lie already. */
export interface LocalMessage {
  readonly from: string
  readonly item: NewItem
  readonly bytes: Buffer
  /** A stored copy other mailboxes of the same database may share. */
  readonly stored: { readonly database: string; readonly ref: BlobRef } | undefined
}

/** Told after each delivery: automatic replies, rules. Must not throw and is not waited for. */
export type DeliveryHook = (
  entry: MailboxEntry,
  recipient: QueueRecipient,
  mail: { readonly from: string; readonly bytes: Buffer },
) => void

/** The once key of a `[local]` row in every mailbox it goes to. */
export function onceKeyOf(mailbox: MailboxId, id: number): string {
  return `deliver/${mailbox}/${id}`
}

/**
 * Delivers to the recipients of a `[local]` row. `onceKey` is the row's own: a mailbox that has the message already (a crash between its
 * commit and the row's) is passed over.
 */
export async function deliverToMailboxes(
  core: TransportCore,
  recipients: readonly QueueRecipient[],
  message: LocalMessage,
  onceKey: string,
  hook: DeliveryHook,
): Promise<RecipientResult[]> {
  const results = new Array<RecipientResult>(recipients.length)
  const shared = new Map<string, BlobRef>()
  if (message.stored !== undefined) shared.set(message.stored.database, message.stored.ref)
  let next = 0
  const worker = async (): Promise<void> => {
    for (let i = next++; i < recipients.length; i = next++)
      results[i] = await deliverOne(core, recipients[i]!, message, shared, onceKey, hook)
  }
  await Promise.all(Array.from({ length: Math.min(PARALLEL, recipients.length) }, worker))
  return results
}

async function deliverOne(
  core: TransportCore,
  recipient: QueueRecipient,
  message: LocalMessage,
  shared: Map<string, BlobRef>,
  onceKey: string,
  hook: DeliveryHook,
): Promise<RecipientResult> {
  const resolution = core.directory.resolve(recipient.address)
  if (resolution.kind !== 'mailbox') return result(recipient, 'permanent', '5.1.1', 'recipient not found')
  const { entry } = resolution
  try {
    const ref = shared.get(entry.database)
    const original: OriginalSource = ref === undefined ? { bytes: message.bytes } : { ref }
    const added = await deliverInto(core, entry, message, original, onceKey).catch((error: unknown) => {
      // The shared copy is of another database after all (the mailbox has moved): bring the bytes.
      if (!(error instanceof DomainError) || error.code !== 'blobGone') throw error
      return deliverInto(core, entry, message, { bytes: message.bytes }, onceKey)
    })
    if (added !== undefined && !shared.has(entry.database)) shared.set(entry.database, added)
    hook(entry, recipient, message)
    return result(recipient, 'delivered', '2.0.0', '')
  } catch (error) {
    return failure(core, recipient, error)
  }
}

async function deliverInto(
  core: TransportCore,
  entry: MailboxEntry,
  message: LocalMessage,
  original: OriginalSource,
  onceKey: string,
): Promise<BlobRef | undefined> {
  const arrangement = await arrange(core, entry, message.item, message)
  // Several copies of one message are one original.
  const source =
    arrangement.copies.length > 0 && 'bytes' in original
      ? { ref: await core.service.stage(entry.mailbox, original.bytes) }
      : original
  const keepMs = core.settings.messageExpirationTimeout + 24 * 60 * 60 * 1000
  const applied = await core.service.apply(entry.mailbox, [
    { op: 'once', key: onceKey, keepMs },
    ...arrivalOperations(arrangement, message.item, source),
  ])
  const added = applied.results[1]
  return added?.op === 'add' ? added.original : undefined
}

function failure(core: TransportCore, recipient: QueueRecipient, error: unknown): RecipientResult {
  if (!(error instanceof DomainError)) {
    core.log.error({ err: error, recipient: recipient.address }, 'local delivery failed')
    return result(recipient, 'transient', '4.3.0', 'internal error')
  }
  switch (error.code) {
    case 'duplicate':
      // It is there already: a crash, or another runner, came between that commit and the row's.
      return result(recipient, 'delivered', '2.0.0', '')
    case 'overQuota':
      return result(recipient, 'permanent', '5.2.2', 'mailbox full')
    case 'tooLarge':
      return result(recipient, 'permanent', '5.2.3', 'message too large for the mailbox')
    case 'diskFull':
      return result(recipient, 'transient', '4.3.1', 'no room on the server')
    default:
      return result(recipient, 'transient', '4.3.0', error.code)
  }
}

function result(
  recipient: QueueRecipient,
  outcome: RecipientResult['outcome'],
  status: string,
  diagnostic: string,
): RecipientResult {
  return { recipient, outcome, status, diagnostic, remote: undefined }
}
