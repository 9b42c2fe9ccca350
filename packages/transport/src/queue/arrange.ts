/**
 * What becomes of a mail in a mailbox as it is delivered: blocked senders go to Junk Email, rules move, copy, mark and send on, a conversation
 * that always goes to one folder goes there, the rest is in the Inbox. What rules send leaves with the same commit as the delivery.
 */
import {
  decodeFocus,
  decodeRules,
  decodeSenders,
  DELIVERY_STATE,
  Flag,
  FOCUS_KEY,
  type FocusRecord,
  type FolderId,
  inferenceOf,
  type MailboxEntry,
  type MailboxId,
  mailFacts,
  namedProperties,
  type NewItem,
  type Operation,
  type OriginalSource,
  type PropertyBag,
  type PropValue,
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
  /** Not among the focused. */
  readonly other?: boolean
  /** What rules send on: operations that refer to no other. */
  readonly sends: readonly Operation[]
}

/** The mail as it came. */
export interface Arriving {
  readonly from: string
  readonly bytes: Buffer
}

/** InferenceClassificationResult of what is not focused. */
const OTHER = 1

interface Wishes {
  readonly rules: readonly Rule[]
  readonly senders: SenderLists
  readonly focus: FocusRecord
}

/** A mailbox's wishes are believed for so long (ms): a flood need not read them for each mail. */
const WISHES_MS = 100
const MAX_WISHES = 10_000

export class DeliveryWishes {
  readonly #core: Pick<TransportCore, 'service' | 'clock'>
  readonly #known = new Map<MailboxId, { readonly wishes: Wishes | Promise<Wishes>; readonly at: number }>()

  constructor(core: Pick<TransportCore, 'service' | 'clock'>) {
    this.#core = core
  }

  of(mailbox: MailboxId): Wishes | Promise<Wishes> {
    const now = this.#core.clock.monotonic()
    const known = this.#known.get(mailbox)
    if (known !== undefined && now - known.at < WISHES_MS) return known.wishes
    if (this.#known.size >= MAX_WISHES) this.#known.clear()
    const wishes = this.#read(mailbox)
    this.#known.set(mailbox, { wishes, at: now })
    const settled = (known: Wishes | undefined): void => {
      if (this.#known.get(mailbox)?.wishes !== wishes) return
      if (known === undefined) this.#known.delete(mailbox)
      else this.#known.set(mailbox, { wishes: known, at: now })
    }
    wishes.then(settled, () => settled(undefined))
    return wishes
  }

  async #read(mailbox: MailboxId): Promise<Wishes> {
    const entries = await this.#core.service.state(mailbox, DELIVERY_STATE)
    const value = (key: string): Uint8Array | undefined => entries.find((one) => one.key === key)?.value
    return {
      rules: decodeRules(value(RULES_KEY)).rules,
      senders: decodeSenders(value(SENDERS_KEY)),
      focus: decodeFocus(value(FOCUS_KEY)),
    }
  }
}

export async function arrange(
  core: TransportCore,
  entry: MailboxEntry,
  item: NewItem,
  mail: Arriving,
): Promise<Arrangement> {
  const { mailbox } = entry
  const { rules, senders, focus } = await core.wishes.of(mailbox)
  const nothing = { copies: [], flags: 0, categories: [], sends: [] }
  if (senderVerdict(senders, item.promoted.fromAddress) === 'blocked')
    return { ...nothing, folder: await core.folders.find(mailbox, 'junkemail') }
  const usual = async (): Promise<FolderId> =>
    (await alwaysMoved(core, mailbox, item)) ?? core.folders.find(mailbox, 'inbox')
  if (rules.length === 0 && !focus.enabled) return { ...nothing, folder: await usual() }
  const own = new Set([entry.address, ...entry.aliases].map((one) => one.toLowerCase()))
  const facts = mailFacts(item, rulesReadMessage(rules) || focus.enabled ? mail.bytes : undefined)
  const other = focus.enabled && inferenceOf(focus, facts, own).inference === 'other'
  const plain = { ...nothing, other }
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
    other,
    sends: mayBeSentOn(entry, mail) ? sendOn(core, entry, mail, outcome, own) : [],
  }
}

/** The operations of a delivery: the first adds the mail to its folder, the others do what rules want besides. */
export function arrivalOperations(
  { folder, copies, flags, categories, other, sends }: Arrangement,
  item: NewItem,
  original: OriginalSource,
): Operation[] {
  const more: (readonly [number, PropValue])[] = []
  if (categories.length > 0) more.push([namedProperties.keywords.tag, categories])
  if (other === true) more.push([namedProperties.inference.tag, OTHER])
  const props: PropertyBag = more.length === 0 ? item.props : new Map([...item.props, ...more])
  const arriving: NewItem = { ...item, original, props, flags: item.flags | flags }
  return [
    { op: 'add', folder, item: arriving },
    ...copies.map((one): Operation => ({ op: 'add', folder: one, item: arriving })),
    ...sends,
  ]
}
