import type { Item } from '@postrider/domain'
import { type Ranges, rangesOf, type ThreadAlgorithm } from '@postrider/wire/imap'
import { HeaderFields, headerFields, messageIds, readMessageIndex, selectFields } from '@postrider/wire/mime'
import { no, ok } from '../codes.ts'
import { command, selected } from '../command.ts'
import { sourceOf } from '../fetch/source.ts'
import type { Picture } from '../pictures/picture.ts'
import { keysOf, pictureFor, resultOf } from '../pictures/whole.ts'
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
    const { map } = session.view
    const text = async (): Promise<string> => {
      const threads = algorithms[algorithm](await read(session, sequences, algorithm !== 'ORDEREDSUBJECT', picture))
      return formatThreads(threads, ({ sequence }) => (uid ? map.uidOf(sequence) : sequence))
    }
    const picture = await pictureFor(session, sequences.length)
    // Numbers stand for the same messages where the client has been told of all there are.
    const whole = picture !== undefined && sequences.length === map.count && sameRanges(picture.ranges, map.ranges)
    const answer = whole ? await resultOf(picture, `THREAD ${algorithm} ${uid}`, text) : await text()
    session.out
      .ascii('* THREAD')
      .ascii(answer === '' ? '' : ' ')
      .ascii(answer)
      .crlf()
    return ok('THREAD completed')
  },
})

const wanted = selectFields(['message-id', 'references', 'in-reply-to'])

function sameRanges(a: Ranges, b: Ranges): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i])
}

async function read(
  session: Session,
  sequences: readonly number[],
  references: boolean,
  picture: Picture | undefined,
): Promise<ThreadMessage[]> {
  const messages: ThreadMessage[] = []
  const columns = references ? (['promoted', 'index', 'original'] as const) : (['promoted'] as const)
  const of = (item: Item): Promise<Unplaced> => messageIn(session, item, references)
  if (picture === undefined) {
    await eachItem(session, rangesOf(sequences), columns, async (sequence, item) => {
      messages.push({ sequence, ...(await of(item)) })
    })
    return messages.sort((a, b) => a.sequence - b.sequence)
  }
  const keys = await keysOf(session, picture, references ? 'THREAD' : 'SUBJECTS', columns, of)
  const { map } = session.view
  for (const sequence of sequences) {
    const message = keys.get(map.uidOf(sequence))
    if (message !== undefined) messages.push({ sequence, ...message })
  }
  return messages
}

type Unplaced = Omit<ThreadMessage, 'sequence'>

async function messageIn(session: Session, item: Item, references: boolean): Promise<Unplaced> {
  const header =
    references && item.index?.length ? headerFields(readMessageIndex(item.index), wanted) : new Uint8Array(0)
  if (header !== undefined) return messageOf(item, header)
  // A References field too long for the index: the original has it.
  const source = sourceOf(session.user.mailbox, item)
  return messageOf(item, await source.read(0, (await source.index()).headerSize))
}

function messageOf(item: Item, header: Uint8Array): Unplaced {
  const fields = new HeaderFields(header)
  const ids = (name: string): string[] => messageIds(fields.get(name) ?? '')
  const references = ids('references')
  return {
    messageId: ids('message-id')[0] ?? (item.promoted?.messageId || undefined),
    // RFC 5256 §3 step 1: In-Reply-To counts only where References does not, and only its first identifier.
    references: references.length > 0 ? references : ids('in-reply-to').slice(0, 1),
    subject: item.promoted?.subject ?? '',
    date: item.promoted?.sent ?? item.received,
  }
}
