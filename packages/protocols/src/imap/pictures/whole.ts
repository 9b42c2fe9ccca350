import type { Item, ItemColumn } from '@postrider/domain'
import type { Session } from '../session.ts'
import type { Picture } from './picture.ts'

/** Kinds of keys, and of results, kept of one folder. */
const MAX_KEPT = 6
/** Items opened at once. */
const BATCH = 500
/** Below this share of the folder its messages are read one by one. */
const WORTHWHILE = 4

/** The picture to compute an order or a thread of so many messages from; undefined where reading just these is the better way. */
export async function pictureFor(session: Session, messages: number): Promise<Picture | undefined> {
  const { view, user, context } = session
  if (!user.mailbox.full || messages * WORTHWHILE < view.map.count) return undefined
  return context.pictures.of(user.mailbox, view.folder, view.uidValidity)
}

/** What something is computed from, for every message of the picture that is still there: read once, and then only for new messages. */
export async function keysOf<Key>(
  session: Session,
  picture: Picture,
  name: string,
  columns: readonly ItemColumn[],
  keyOf: (item: Item) => Promise<Key> | Key,
): Promise<ReadonlyMap<number, Key>> {
  const { view, user } = session
  const keys = (picture.lasting.keys.get(name) ?? new Map()) as Map<number, Key>
  const missing = picture.rows.uid.filter((uid) => !keys.has(uid))
  for (let at = 0; at < missing.length; at += BATCH) {
    const uids = missing.subarray(at, at + BATCH)
    const items = await user.mailbox.get({ by: { folder: view.folder, uids }, columns })
    for (const item of items) if (!item.associated) keys.set(item.uid, await keyOf(item))
    await session.pace()
  }
  keep(picture.lasting.keys, name, keys)
  return keys
}

/** A result over the whole picture, computed once. */
export async function resultOf<Result>(
  picture: Picture,
  name: string,
  compute: () => Promise<Result>,
): Promise<Result> {
  const { results } = picture.lasting
  const result = results.has(name) ? (results.get(name) as Result) : await compute()
  keep(results, name, result)
  return result
}

/** The one used last stands last; the first goes. */
function keep(map: Map<string, unknown>, name: string, value: unknown): void {
  map.delete(name)
  map.set(name, value)
  const [oldest] = map.keys()
  if (map.size > MAX_KEPT && oldest !== undefined) map.delete(oldest)
}
