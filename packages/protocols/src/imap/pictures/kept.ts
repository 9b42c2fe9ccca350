import {
  DomainError,
  type FolderId,
  type Logger,
  type MailboxHandle,
  MAX_READY_BLOCKS,
  MAX_READY_BYTES,
  MAX_READY_KIND,
  type NewReadyBlock,
  readyBlockOf,
} from '@postrider/domain'
import type { PictureRows } from './picture.ts'
import type { Texts } from './texts.ts'

/** How texts are written now; ones that were kept in another way are not found. */
const FORMAT = 'imap 1 '
/** What one commit writes at most, unless a single block is larger. */
const COMMIT_BYTES = 512 * 1024
/** A client that has just read a folder goes on first, ms. */
const LATER_MS = 1_000

/** Texts of one kind, and what is known of those the store keeps. */
export interface Kind {
  readonly name: string
  readonly texts: Texts
}

/** Blocks of a kind: on their way or here (`looked`), and not worth being kept again (`kept`). */
interface Known {
  readonly looked: Map<number, Promise<void>>
  readonly kept: Set<number>
  waiting: boolean
}
const knownOf = new WeakMap<Texts, Known>()
function known(texts: Texts): Known {
  let found = knownOf.get(texts)
  if (found === undefined) {
    found = { looked: new Map(), kept: new Set(), waiting: false }
    knownOf.set(texts, found)
  }
  return found
}

/** Takes from the store what it keeps of the texts of these UIDs (ascending). Each block is asked for once. */
export async function loadKept(mailbox: MailboxHandle, folder: FolderId, kind: Kind, uids: Uint32Array): Promise<void> {
  const { looked } = known(kind.texts)
  const blocks = blocksOf(uids)
  const asked = blocks.filter((block) => !looked.has(block))
  for (let at = 0; at < asked.length; ) {
    const first = asked[at] as number
    const part = asked.slice(at).filter((block) => block < first + MAX_READY_BLOCKS)
    const load = loadBlocks(mailbox, folder, kind, [first, part.at(-1) as number])
    for (const block of part) looked.set(block, load)
    at += part.length
  }
  await Promise.all(new Set(blocks.map((block) => looked.get(block))))
}

/** The blocks that UIDs (ascending) lie in. */
function blocksOf(uids: Uint32Array): number[] {
  const blocks: number[] = []
  let last = -1
  for (let i = 0; i < uids.length; i++) {
    const block = readyBlockOf(uids[i] as number)
    if (block !== last) blocks.push(block)
    last = block
  }
  return blocks
}

async function loadBlocks(
  mailbox: MailboxHandle,
  folder: FolderId,
  { name, texts }: Kind,
  blocks: readonly [number, number],
): Promise<void> {
  if (FORMAT.length + name.length > MAX_READY_KIND) return
  for (const { block, bytes } of await mailbox.ready({ folder, kind: FORMAT + name, blocks })) {
    if (takeBlock(texts, block, bytes)) known(texts).kept.add(block)
  }
}

/** A block: how many, the last byte of each UID, then the texts as `Texts` has them. False when it is not one. */
function takeBlock(texts: Texts, block: number, bytes: Uint8Array): boolean {
  const count = bytes.length < 2 ? 0 : (bytes[0] as number) | ((bytes[1] as number) << 8)
  const run = 2 + count
  if (count === 0 || bytes.length < run) return false
  return texts.addBlock(block, bytes.subarray(2, run), bytes.subarray(run))
}

function blockOf(texts: Texts, uids: Uint32Array): Buffer | undefined {
  const run = texts.run(uids)
  if (run === undefined) return undefined
  return Buffer.concat([
    Buffer.of(uids.length & 0xff, uids.length >> 8),
    Uint8Array.from(uids, (uid) => uid & 0xff),
    run,
  ])
}

/**
 * Texts were made from the rows of a folder: a while later the store gets those of whole blocks, so that they are found again after a restart. A
 * failure is told to the log: they are made anew then.
 */
export function keepLater(
  { mailbox, folder, log }: { mailbox: MailboxHandle; folder: FolderId; log: Logger },
  kind: Kind,
  rows: PictureRows,
): void {
  const state = known(kind.texts)
  if (state.waiting || FORMAT.length + kind.name.length > MAX_READY_KIND) return
  state.waiting = true
  setTimeout(() => {
    state.waiting = false
    keep(mailbox, folder, kind, rows).catch((error: unknown) => {
      if (error instanceof DomainError) log.debug({ error: error.message }, 'ready answers were not kept')
      else log.error({ error }, 'ready answers were not kept')
    })
  }, LATER_MS).unref()
}

async function keep(mailbox: MailboxHandle, folder: FolderId, { name, texts }: Kind, rows: PictureRows): Promise<void> {
  const { kept } = known(texts)
  let blocks: NewReadyBlock[] = []
  let size = 0
  const write = async (): Promise<void> => {
    if (blocks.length === 0) return
    const written = blocks
    blocks = []
    size = 0
    await mailbox.apply([{ op: 'keepReady', folder, kind: FORMAT + name, blocks: written }])
  }
  for (const { block, uids } of wholeBlocks(rows.uid)) {
    if (kept.has(block)) continue
    const bytes = blockOf(texts, uids)
    if (bytes === undefined || bytes.length > MAX_READY_BYTES) continue
    if (blocks.length === MAX_READY_BLOCKS || size + bytes.length > COMMIT_BYTES) await write()
    kept.add(block)
    blocks.push({ block, mails: uids.length, bytes })
    size += bytes.length
  }
  await write()
}

/** The UIDs of a folder by blocks; the last one, which still grows, is left out. */
function* wholeBlocks(uids: Uint32Array): Generator<{ readonly block: number; readonly uids: Uint32Array }> {
  let start = 0
  for (let at = 1; at < uids.length; at++) {
    const block = readyBlockOf(uids[start] as number)
    if (readyBlockOf(uids[at] as number) === block) continue
    yield { block, uids: uids.subarray(start, at) }
    start = at
  }
}
