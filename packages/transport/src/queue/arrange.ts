/**
 * What becomes of a mail in a mailbox as it is delivered: blocked senders go to Junk Email, rules move, copy, mark and send on, a conversation
 * that always goes to one folder goes there, the rest is in the Inbox. What rules send leaves with the same commit as the delivery.
 */
import {
  decodeRules,
  decodeSenders,
  DELIVERY_STATE,
  Flag,
  type FolderId,
  type MailboxEntry,
  type MailboxId,
  mailFacts,
  namedProperties,
  type NewItem,
  type Operation,
  type OriginalSource,
  type PropertyBag,
  RULES_KEY,
  type Rule,
  rulesReadMessage,
  runRules,
  SENDERS_KEY,
  type SenderLists,
  senderVerdict,
} from '@postrider/domain'
import type { TransportCore } from '../core.ts'
import { alwaysMoved } from './place.ts'
import { mayBeSentOn, sendOn } from './send-on.ts'

export interface Arrangement {
  readonly folder: FolderId
  /** Further folders a rule wants it in. */
  readonly copies: readonly FolderId[]
  /** Flag bits to add. */
  readonly flags: number
  readonly categories: readonly string[]
  /** What rules send on: operations that refer to no other. */
  readonly sends: readonly Operation[]
}

/** The mail as it came. */
export interface Arriving {
  readonly from: string
  readonly bytes: Buffer
}

interface Wishes {
  readonly rules: readonly Rule[]
  readonly senders: SenderLists
}

/** A mailbox's wishes are believed for so long (ms): a flood need not read them for each mail. */
const WISHES_MS = 100
const MAX_WISHES = 10_000

export class DeliveryWishes {
  readonly #core: Pick<TransportCore, 'service' | 'clock'>
  readonly #known = new Map<MailboxId, { readonly wishes: Wishes; readonly at: number }>()

  constructor(core: Pick<TransportCore, 'service' | 'clock'>) {
    this.#core = core
  }

  async of(mailbox: MailboxId): Promise<Wishes> {
    const now = this.#core.clock.monotonic()
    const known = this.#known.get(mailbox)
    if (known !== undefined && now - known.at < WISHES_MS) return known.wishes
    const entries = await this.#core.service.state(mailbox, DELIVERY_STATE)
    const value = (key: string): Uint8Array | undefined => entries.find((one) => one.key === key)?.value
    const wishes = { rules: decodeRules(value(RULES_KEY)).rules, senders: decodeSenders(value(SENDERS_KEY)) }
    if (this.#known.size >= MAX_WISHES) this.#known.clear()
    this.#known.set(mailbox, { wishes, at: now })
    return wishes
  }
}

export async function arrange(
  core: TransportCore,
  entry: MailboxEntry,
  item: NewItem,
  mail: Arriving,
): Promise<Arrangement> {
  const { mailbox } = entry
  const plain = { copies: [], flags: 0, categories: [], sends: [] }
  const { rules, senders } = await core.wishes.of(mailbox)
  if (senderVerdict(senders, item.promoted.fromAddress) === 'blocked')
    return { ...plain, folder: await core.folders.find(mailbox, 'junkemail') }
  const usual = async (): Promise<FolderId> =>
    (await alwaysMoved(core, mailbox, item)) ?? core.folders.find(mailbox, 'inbox')
  if (rules.length === 0) return { ...plain, folder: await usual() }
  const own = new Set([entry.address, ...entry.aliases].map((one) => one.toLowerCase()))
  const facts = mailFacts(item, rulesReadMessage(rules) ? mail.bytes : undefined)
  const outcome = runRules(rules, facts, own)
  if (outcome.matched.length === 0) return { ...plain, folder: await usual() }
  core.meter.count('rules_applied_total', {}, outcome.matched.length)
  const there =
    outcome.moveTo === undefined && outcome.copies.length === 0
      ? new Set<FolderId>()
      : new Set(
          (await core.service.folders(mailbox))
            .filter((one) => one.kind === 'generic' && one.class.startsWith('IPF.Note'))
            .map((one) => one.id),
        )
  const { moveTo, remove } = outcome
  const folder =
    remove !== undefined
      ? await core.folders.find(mailbox, remove === 'trash' ? 'deleteditems' : 'recoverableitemsdeletions')
      : moveTo !== undefined && there.has(moveTo)
        ? moveTo
        : await usual()
  return {
    folder,
    copies: outcome.copies.filter((one) => one !== folder && there.has(one)),
    flags: (outcome.markRead ? Flag.seen : 0) | (outcome.flag ? Flag.flagged : 0),
    categories: outcome.categories,
    sends: mayBeSentOn(entry, mail) ? sendOn(core, entry, mail, outcome, own) : [],
  }
}

/** The operations of a delivery: the first adds the mail to its folder, the others do what rules want besides. */
export function arrivalOperations(
  { folder, copies, flags, categories, sends }: Arrangement,
  item: NewItem,
  original: OriginalSource,
): Operation[] {
  const props: PropertyBag =
    categories.length === 0 ? item.props : new Map([...item.props, [namedProperties.keywords.tag, categories]])
  const arriving: NewItem = { ...item, original, props, flags: item.flags | flags }
  return [
    { op: 'add', folder, item: arriving },
    ...copies.map((one): Operation => ({ op: 'add', folder: one, item: arriving })),
    ...sends,
  ]
}
