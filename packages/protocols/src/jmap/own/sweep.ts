/** Sweep: what becomes of the older mail of one sender, again and again: only the newest stays, or what is older than some days goes. */
import type { Account } from '../core/accounts.ts'
import { collectionMethods, type Collection } from '../core/collection.ts'
import { invalidProperties } from '../core/error.ts'
import { readMailboxId } from '../core/ids.ts'
import type { Method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { MAX_SWEEPS } from '../limits.ts'

export interface SweepValue {
  readonly fromAddress: string
  /** The mailbox it keeps clean. */
  readonly mailboxId: string
  readonly keep: 'newest' | 'days'
  /** Of `newest`: so many stay. Of `days`: so old they become. */
  readonly n: number
  /** Where they go; null: to the trash. */
  readonly moveTo: string | null
}

const MAX_ADDRESS = 320
const MAX_N = 3650
const shape = s.object({
  fromAddress: s.string,
  mailboxId: s.id,
  keep: s.oneOf('newest', 'days'),
  n: s.optional<number | undefined>(s.unsigned, undefined),
  moveTo: s.optional<string | null>(s.nullable(s.id), null),
})

export const sweeps: Collection<SweepValue> = {
  name: 'Sweep',
  capability: 'postrider',
  kind: 'sweep',
  properties: ['fromAddress', 'mailboxId', 'keep', 'n', 'moveTo'],
  most: MAX_SWEEPS,
  shown: ({ fromAddress, mailboxId, keep, n, moveTo }) => ({ fromAddress, mailboxId, keep, n, moveTo }),
  taken(object) {
    const wanted = shape(object, '')
    const n = wanted.n ?? (wanted.keep === 'newest' ? 1 : 10)
    const fromAddress = wanted.fromAddress.trim().toLowerCase()
    const wrong = [
      ...(fromAddress.length > MAX_ADDRESS || !/^[^\s@<>]+@[^\s@<>]+$/u.test(fromAddress) ? ['fromAddress'] : []),
      ...(readMailboxId(wanted.mailboxId) === undefined ? ['mailboxId'] : []),
      ...(n < 1 || n > MAX_N ? ['n'] : []),
      ...(wanted.moveTo !== null && (readMailboxId(wanted.moveTo) === undefined || wanted.moveTo === wanted.mailboxId)
        ? ['moveTo']
        : []),
    ]
    if (wrong.length > 0) throw invalidProperties(wrong)
    return { ...wanted, n, fromAddress }
  },
}

const [get, changes, set] = collectionMethods(sweeps)
export const sweepGet: Method = get
export const sweepChanges: Method = changes

/** A mailbox that has sweeps is named in the agenda before they are written, and swept as soon as they are. */
export const sweepSet: Method = {
  ...set,
  async run(call, args) {
    const account: Account | undefined =
      typeof args.accountId === 'string' ? await call.account(args.accountId, 'postrider') : undefined
    if (account !== undefined) await call.jmap.parts.agenda?.add(account.handle.mailbox)
    const answers = await set.run(call, args)
    if (account !== undefined) await call.jmap.sweeper.look(account.entry)
    return answers
  },
}
