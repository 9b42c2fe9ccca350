import { Flag, type Item, MAX_GET, resultOf } from '@postrider/domain'
import { formatDateTime, type ResponseWriter } from '@postrider/wire/imap'
import type { MessageIndex } from '@postrider/wire/mime'
import { SessionEnded } from '../codes.ts'
import { flagList } from '../flags.ts'
import type { Session } from '../session.ts'
import type { Window } from '../view/uid-map.ts'
import { binaryContent, binarySize, type Content, STREAM_PIECE, sectionContent } from './content.ts'
import type { FetchPlan, Step } from './plan.ts'
import { type MessageSource, ready, sourceOf } from './source.ts'

/** Items opened at once, and messages whose content is read ahead while the one before is written. */
export const ITEM_BATCH = 500
const READ_AHEAD = 32
/** Octets of such messages together. */
const READ_AHEAD_BYTES = 2 * 1024 * 1024

/** What one step needs before it can be written: answers are complete before their first octet goes out. */
type Loaded =
  | Content
  | { readonly kind: 'index'; readonly index: MessageIndex }
  | { readonly kind: 'number'; readonly value: number }
  | undefined

interface Message {
  readonly item: Item
  readonly sequence: number
  readonly source: MessageSource
  readonly loaded: readonly Loaded[]
  /** \Seen was set by this FETCH: FLAGS goes with the answer. */
  readonly becameSeen: boolean
}

/** Items of one window, and those among them that this FETCH made \Seen. */
export interface ReadItems {
  readonly items: readonly Item[]
  readonly seen: ReadonlySet<number>
}

/** Reads a window. Marked before it is read, so that what is told is at least as new as our own change. */
export async function readItems(session: Session, plan: FetchPlan, window: Window): Promise<ReadItems> {
  const { view, user } = session
  const seen = plan.marksSeen && !view.readOnly ? await markSeen(session, window) : nobody
  const items: Item[] = []
  for (let at = 0; at < window.uids.length; at += MAX_GET) {
    const uids = window.uids.subarray(at, at + MAX_GET)
    const got = await user.mailbox.get({ by: { folder: view.folder, uids }, columns: plan.itemColumns })
    for (const item of got) if (!item.associated) items.push(item)
  }
  return { items, seen }
}

const nobody: ReadonlySet<number> = new Set()

/** Writes FETCH answers that need more than columns. Answers how many messages were there. */
export async function writeItems(
  session: Session,
  plan: FetchPlan,
  window: Window,
  { items, seen }: ReadItems,
): Promise<number> {
  const { mailbox } = session.user
  const sequences = new Map<number, number>()
  for (const [i, uid] of window.uids.entries()) sequences.set(uid, window.sequences[i] as number)
  const load = async (item: Item): Promise<Message> => {
    const source = await ready(sourceOf(mailbox, item))
    const loaded: Loaded[] = []
    for (const step of plan.steps) loaded.push(await loadStep(step, source))
    return { item, sequence: sequences.get(item.uid) ?? 0, source, loaded, becameSeen: seen.has(item.uid) }
  }
  const ahead: Promise<Message>[] = []
  let next = 0
  let bytes = 0
  for (const current of items) {
    while (next < items.length && ahead.length < READ_AHEAD && (ahead.length === 0 || bytes < READ_AHEAD_BYTES)) {
      const item = items[next++] as Item
      bytes += item.size
      const promise = load(item)
      // A failure is raised when its turn comes, or dropped with the session.
      promise.catch(() => undefined)
      ahead.push(promise)
    }
    await writeMessage(session, plan, await (ahead.shift() as Promise<Message>))
    bytes -= current.size
    await session.pace()
  }
  return items.length
}

/** RFC 9051 §6.4.5: \Seen is set before the content goes out, so that the answer can tell. Answers the UIDs it was set for. */
async function markSeen(session: Session, window: Window): Promise<Set<number>> {
  const { view, user } = session
  const rows = await user.mailbox.scan({ folder: view.folder, columns: ['uid', 'flags'], only: window.uids })
  const uids = rows.uid.filter((_, row) => ((rows.flags[row] as number) & Flag.seen) === 0)
  if (uids.length === 0) return new Set()
  await session.update(false, true)
  const applied = await user.mailbox.apply([{ op: 'flag', folder: view.folder, items: { uids }, set: Flag.seen }])
  const result = resultOf(applied, 0, 'flag')
  view.ownChanges(result.changes, applied.change)
  return new Set(result.uids)
}

async function loadStep(step: Step, source: MessageSource): Promise<Loaded> {
  switch (step.kind) {
    case 'content':
      return sectionContent(source, step.section, step.partial, step.fields)
    case 'binary':
      return binaryContent(source, step.part, step.partial)
    case 'binarySize':
      return { kind: 'number', value: await binarySize(source, step.part) }
    case 'prepared':
      return step.name === 'THREADID' || step.name === 'SAVEDATE'
        ? undefined
        : { kind: 'index', index: await source.index() }
    default:
      return undefined
  }
}

async function writeMessage(session: Session, plan: FetchPlan, message: Message): Promise<void> {
  const { out, enabled } = session
  const { item, source } = message
  session.view.tellKeywords(session, [item.keywords])
  out.ascii('* ').number(message.sequence).ascii(' FETCH (')
  let first = true
  let flagsTold = false
  let modSeqTold = false
  for (const [i, step] of plan.steps.entries()) {
    if (!first) out.ascii(' ')
    first = false
    if (step.kind === 'column') {
      flagsTold ||= step.name === 'FLAGS'
      modSeqTold ||= step.name === 'MODSEQ'
      writeColumn(session, step.name, item, source)
    } else {
      await writeLoaded(session, step, message.loaded[i], item, source)
    }
  }
  if (message.becameSeen) {
    if (!flagsTold) out.ascii(' FLAGS ').ascii(flagList(item.flags, item.keywords))
    if (enabled.condstore && !modSeqTold) out.ascii(' MODSEQ (').number(item.change).ascii(')')
  }
  out.ascii(')\r\n')
}

function writeColumn(
  session: Session,
  name: Extract<Step, { kind: 'column' }>['name'],
  item: Item,
  source: MessageSource,
): void {
  const { out } = session
  switch (name) {
    case 'UID':
      return void out.ascii('UID ').number(item.uid)
    case 'FLAGS':
      return void out.ascii('FLAGS ').ascii(flagList(item.flags, item.keywords))
    case 'MODSEQ':
      return void out.ascii('MODSEQ (').number(item.change).ascii(')')
    case 'INTERNALDATE':
      return void out.ascii(`INTERNALDATE "${formatDateTime(item.received)}"`)
    case 'RFC822.SIZE':
      return void out.ascii('RFC822.SIZE ').number(source.size)
    case 'EMAILID':
      return void out.ascii('EMAILID (M').number(item.itemId).ascii(')')
  }
}

async function writeLoaded(
  session: Session,
  step: Exclude<Step, { kind: 'column' }>,
  loaded: Loaded,
  item: Item,
  source: MessageSource,
): Promise<void> {
  const { out } = session
  if (step.kind === 'prepared') {
    out.ascii(step.name).ascii(' ')
    if (step.name === 'THREADID') {
      const conversation = item.promoted?.conversation ?? ''
      out.ascii(/^[A-Za-z0-9_-]+$/.test(conversation) ? `(T${conversation})` : 'NIL')
    } else if (loaded?.kind === 'index') {
      writePrepared(out, session.enabled.utf8, step.name, loaded.index)
    } else {
      out.ascii('NIL')
    }
    return
  }
  out.ascii(step.label)
  if (loaded?.kind === 'number') out.number(loaded.value)
  else if (loaded?.kind === 'bytes') writeBytes(out, loaded.bytes, step.kind === 'binary')
  else if (loaded?.kind === 'range') await stream(session, source, loaded, step.kind === 'binary')
  else out.ascii('NIL')
}

/** A prepared answer, as the client wants its letters. */
export function writePrepared(
  out: ResponseWriter,
  utf8: boolean,
  name: Extract<Step, { kind: 'prepared' }>['name'],
  index: MessageIndex,
): void {
  switch (name) {
    case 'ENVELOPE':
      return void out.bytes(utf8 ? index.envelopeUtf8 : index.envelope)
    case 'BODY':
      return void out.bytes(utf8 ? index.bodyUtf8 : index.body)
    case 'BODYSTRUCTURE':
      return void out.bytes(utf8 ? index.bodyStructureUtf8 : index.bodyStructure)
    default:
      return void out.string(index.preview)
  }
}

/** NUL may travel in a literal8 only, and only BINARY has one: RFC 3516 §4.2, RFC 9051 §4.3.1, §9. */
export function writeBytes(out: ResponseWriter, bytes: Uint8Array, binary: boolean): void {
  if (bytes.length === 0) out.ascii('""')
  else if (binary) out.literalHead(bytes.length, nulIn(bytes) >= 0).bytes(bytes)
  else out.literalHead(bytes.length).bytes(withoutNul(bytes))
}

/** What stands for NUL in a literal: an octet that is no text either, so that all sizes and offsets stay as they are. */
const IN_PLACE_OF_NUL = 0x80

/** The same octets, NUL replaced. Hardly any mail has one: SMTP refuses it, IMAP takes what another server kept. */
export function withoutNul(bytes: Uint8Array): Uint8Array {
  const first = nulIn(bytes)
  if (first < 0) return bytes
  const copy = Uint8Array.from(bytes)
  for (let at = first; at >= 0; at = nulIn(copy, at + 1)) copy[at] = IN_PLACE_OF_NUL
  return copy
}

/** Where the first NUL from `from` on is, or -1. Buffer's search is twenty times as fast as that of its parent. */
const nulIn = (bytes: Uint8Array, from = 0): number => Buffer.prototype.indexOf.call(bytes, 0, from)

/** A large literal in pieces, as fast as the client reads. It cannot be taken back: when the store fails, the connection ends. */
async function stream(
  session: Session,
  source: MessageSource,
  content: Extract<Content, { kind: 'range' }>,
  binary: boolean,
): Promise<void> {
  session.midResponse = true
  // What is behind the first piece is not known yet: a literal8 may hold anything.
  session.out.literalHead(content.end - content.start, binary)
  try {
    for (let at = content.start; at < content.end; ) {
      const piece = await source.read(at, Math.min(content.end, at + STREAM_PIECE))
      if (piece.length === 0) throw new Error('the original is shorter than its size')
      session.channel.write(binary ? piece : withoutNul(piece))
      at += piece.length
      await session.drain()
    }
  } catch (error) {
    if (!(error instanceof SessionEnded)) session.context.log.error({ error }, 'imap literal broke off')
    session.destroy()
    throw new SessionEnded()
  }
  session.midResponse = false
}
