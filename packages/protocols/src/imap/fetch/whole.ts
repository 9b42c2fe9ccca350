import type { FolderOriginals } from '@postrider/domain'
import type { ResponseWriter } from '@postrider/wire/imap'
import type { Session } from '../session.ts'
import type { Window } from '../view/uid-map.ts'
import { type ReadItems, readItems, withoutNul } from './items.ts'
import type { FetchPlan } from './plan.ts'

/** Whole messages read at once: few, so that what others ask of the mailbox's home meanwhile does not wait for long. */
export const WHOLE_BATCH = 64
/** An original larger than this is read by itself. */
const SMALL_BYTES = 64 * 1024
/** Originals of one question together, and of one window. */
const TOGETHER_BYTES = 512 * 1024
const WINDOW_BYTES = 2 * 1024 * 1024

/** Messages of a window whose originals came together. */
interface Part {
  readonly window: Window
  readonly originals: Originals
}

/** A window of whole messages: originals that came together, and what must be read message by message. */
export interface ReadWhole {
  readonly parts: readonly Part[]
  readonly rest: { readonly window: Window; readonly items: ReadItems } | undefined
}

/** Reads whole messages, for a plan that asks for nothing else but columns. */
export async function readWhole(session: Session, plan: FetchPlan, window: Window): Promise<ReadWhole> {
  const answers = await readTogether(session, window.uids)
  const parts = answers.map((answer) => ({ window: among(window, answer.uids), originals: new Originals(answer) }))
  const here = new Set(answers.flatMap(({ uids }) => Array.from(uids)))
  if (here.size === window.uids.length) return { parts, rest: undefined }
  const rest = among(
    window,
    window.uids.filter((uid) => !here.has(uid)),
  )
  return { parts, rest: { window: rest, items: await readItems(session, plan, rest) } }
}

/** Small originals of messages, many in a question. What cannot be read so is left out: read by itself, it raises its error. */
async function readTogether({ view, user }: Session, uids: Uint32Array): Promise<readonly FolderOriginals[]> {
  const answers: FolderOriginals[] = []
  let bytes = 0
  for (let left = uids; left.length > 0 && bytes < WINDOW_BYTES; ) {
    const asked = { folder: view.folder, uids: left, largest: SMALL_BYTES, most: TOGETHER_BYTES }
    const answer = await user.mailbox.originals(asked).catch(() => undefined)
    if (answer === undefined) break
    answers.push(answer)
    bytes += answer.bytes.length
    if (answer.rest === undefined) break
    left = left.subarray(left.indexOf(answer.rest))
  }
  return answers
}

/** The messages of a window that have these UIDs (ascending, all of them in the window). */
function among(window: Window, uids: Uint32Array): Window {
  if (uids.length === window.uids.length) return window
  const sequences = new Uint32Array(uids.length)
  let at = 0
  for (const [i, uid] of uids.entries()) {
    while (window.uids[at] !== uid) at++
    sequences[i] = window.sequences[at] as number
  }
  return { uids, sequences }
}

/** Originals as literals, written in the order of their UIDs. */
class Originals {
  readonly #uids: Uint32Array
  readonly #sizes: Uint32Array
  readonly #bytes: Buffer
  #at = 0
  #start = 0

  constructor({ uids, sizes, bytes }: FolderOriginals) {
    const clean = withoutNul(bytes)
    this.#uids = uids
    this.#sizes = sizes
    this.#bytes = Buffer.from(clean.buffer, clean.byteOffset, clean.byteLength)
  }

  write(out: ResponseWriter, uid: number): void {
    while (this.#uids[this.#at] !== uid) this.#start += this.#sizes[this.#at++] as number
    const size = this.#sizes[this.#at] as number
    if (size === 0) out.ascii('""')
    else out.literalHead(size).slice(this.#bytes, this.#start, this.#start + size)
  }
}
