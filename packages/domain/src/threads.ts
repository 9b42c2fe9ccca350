import { hash } from 'node:crypto'
import { conversationKey, conversationTopic, type MessageSummary } from '@postrider/wire/mime'

/**
 * Which conversations are one, kept as state entries of the mailbox. A mail names others (References, In-Reply-To) and itself (Message-ID);
 * each of these names, with the topic, is a key, and mails that share a key are one conversation (RFC 5256 §3, RFC 8621 §3). Key of an entry:
 * a key of some answer, in hex. Value: 16 bytes, the key it goes on to, or itself at the end of the way, which is the conversation.
 */
export const THREADS = 'threads'

/** References at the end that are followed, with the first, In-Reply-To and the mail itself. */
const MAX_LAST_REFERENCES = 4
/** Steps from a key to its conversation; no way is longer unless entries are damaged. */
const MAX_STEPS = 64

/** Mails that one arrival moves to another conversation. */
export const MAX_MERGED = 10_000

type Named = Pick<MessageSummary, 'references' | 'inReplyTo' | 'messageId' | 'subject'>

const keyOf = (id: string, topic: string): string =>
  hash('sha256', conversationKey({ references: [], inReplyTo: undefined, messageId: id, topic })).slice(0, 32)

/**
 * The keys of an answer, the root's first; empty for a mail that answers nothing or has names of one mail only: nothing is to be joined.
 */
export function threadKeysOf({ references, inReplyTo, messageId, subject }: Named): readonly string[] {
  const ids = new Set([...references.slice(0, 1), ...references.slice(1).slice(-MAX_LAST_REFERENCES)])
  if (inReplyTo !== undefined) ids.add(inReplyTo)
  if (ids.size > 0 && messageId !== undefined) ids.add(messageId)
  if (ids.size < 2) return []
  const topic = conversationTopic(subject)
  return [...ids].map((id) => keyOf(id, topic))
}

/** What an answer's keys come to: where it belongs, entries to write, and conversations that turn out to be this one. */
export interface Joined {
  readonly conversation: string
  readonly entries: readonly (readonly [key: string, to: string])[]
  readonly merged: readonly string[]
}

/**
 * Follows keys through the entries. `entriesOf` answers what entries say, several at once: undefined where there is none. The root leads, also
 * when nothing is known of it: a mail that answers nothing writes no entries and is found under its own key.
 */
export function joinThread(
  keys: readonly string[],
  entriesOf: (keys: readonly string[]) => readonly (string | undefined)[],
): Joined {
  const ends = [...entriesOf(keys)]
  let moving = ends.flatMap((end, i) => (end === undefined || end === keys[i] ? [] : [i]))
  for (let step = 0; moving.length > 0 && step < MAX_STEPS; step++) {
    const next = entriesOf(moving.map((i) => ends[i] as string))
    const still: number[] = []
    for (const [n, i] of moving.entries()) {
      const end = next[n]
      if (end === undefined || end === ends[i]) continue
      ends[i] = end
      still.push(i)
    }
    moving = still
  }
  const conversation = ends[0] ?? (keys[0] as string)
  const merged = new Set(ends.filter((end): end is string => end !== undefined && end !== conversation))
  return {
    conversation,
    entries: [
      ...keys.flatMap((key, i) => (ends[i] === undefined ? [[key, conversation] as const] : [])),
      ...[...merged].map((end) => [end, conversation] as const),
    ],
    merged: [...merged],
  }
}

export const threadEntry = (key: string): Uint8Array => Buffer.from(key, 'hex')
export const readThreadEntry = (value: Uint8Array): string => Buffer.from(value).toString('hex')
