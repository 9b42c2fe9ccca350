import type { Item } from '@postrider/domain'
import { rangesOf, type ThreadAlgorithm } from '@postrider/wire/imap'
import { HeaderFields, headerFields, messageIds, readMessageIndex, selectFields } from '@postrider/wire/mime'
import { no, ok } from '../codes.ts'
import { command, selected } from '../command.ts'
import { sourceOf } from '../fetch/source.ts'
import { eachItem } from '../search/sort.ts'
import {
  byReferences,
  byRefs,
  formatThreads,
  orderedSubject,
  type Thread,
  type ThreadMessage,
} from '../search/thread.ts'
import type { Session } from '../session.ts'
import { find } from './search.ts'

const algorithms: { readonly [A in ThreadAlgorithm]: (messages: readonly ThreadMessage[]) => Thread[] } = {
  ORDEREDSUBJECT: orderedSubject,
  REFERENCES: byReferences,
  REFS: byRefs,
}

/** RFC 5256 §3. */
export const thread = command({
  name: 'THREAD',
  states: selected,
  updates: 'noExpunge',
  async run(session, { uid, algorithm, key }) {
    if (!session.offers(`THREAD=${algorithm}`)) return no('Unknown algorithm', 'CANNOT')
    const { sequences } = await find(session, key)
    const messages = await read(session, sequences, algorithm !== 'ORDEREDSUBJECT')
    const threads = algorithms[algorithm](messages)
    const { map } = session.view
    const text = formatThreads(threads, ({ sequence }) => (uid ? map.uidOf(sequence) : sequence))
    session.out
      .ascii('* THREAD')
      .ascii(text === '' ? '' : ' ')
      .ascii(text)
      .crlf()
    return ok('THREAD completed')
  },
})

const wanted = selectFields(['message-id', 'references', 'in-reply-to'])

async function read(session: Session, sequences: readonly number[], references: boolean): Promise<ThreadMessage[]> {
  const messages: ThreadMessage[] = []
  const columns = references ? (['promoted', 'index', 'original'] as const) : (['promoted'] as const)
  const unread: { sequence: number; item: Item }[] = []
  await eachItem(session, rangesOf(sequences), columns, (sequence, item) => {
    const header =
      references && item.index?.length ? headerFields(readMessageIndex(item.index), wanted) : new Uint8Array(0)
    if (header === undefined) unread.push({ sequence, item })
    else messages.push(messageOf(sequence, item, header))
  })
  // A References field too long for the index: the original has it.
  for (const { sequence, item } of unread) {
    const source = sourceOf(session.user.mailbox, item)
    const header = await source.read(0, (await source.index()).headerSize)
    messages.push(messageOf(sequence, item, header))
    await session.pace()
  }
  return messages.sort((a, b) => a.sequence - b.sequence)
}

function messageOf(sequence: number, item: Item, header: Uint8Array): ThreadMessage {
  const fields = new HeaderFields(header)
  const ids = (name: string): string[] => messageIds(fields.get(name) ?? '')
  const references = ids('references')
  return {
    sequence,
    messageId: ids('message-id')[0] ?? (item.promoted?.messageId || undefined),
    // RFC 5256 §3 step 1: In-Reply-To counts only where References does not, and only its first identifier.
    references: references.length > 0 ? references : ids('in-reply-to').slice(0, 1),
    subject: item.promoted?.subject ?? '',
    date: item.promoted?.sent ?? item.received,
  }
}
