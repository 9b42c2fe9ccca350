/**
 * Blobs: a mail (`B…`), an upload (`U…`), and the parts inside of either (`-3`, `-3-2`), their transfer encoding undone: RFC 8621 §4.1.4.
 * The id of a mail's blob has a digest of its original in it, so it never names other bytes.
 */
import { createHash } from 'node:crypto'
import { type BlobRef, type Item, type MailboxHandle, type OriginalSource, itemId } from '@postrider/domain'
import { decodeTransfer, isEmbedded, type MimePart, readMessageIndex, scanMessage } from '@postrider/wire/mime'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import type { Place } from '../view/view.ts'

export interface Blob {
  readonly size: number
  /** What it says it is; undefined when it does not. */
  readonly type: string | undefined
  /** Bytes `start` to `end` (exclusive); all by default. */
  read(start?: number, end?: number): Promise<Uint8Array>
  /** How a new item may name the same bytes without sending them again. */
  source?(): OriginalSource
}

const DIGITS = 12
/** Of what a reference says of the bytes (its end: size and checksum), not of the place: a mailbox may move to another database. */
const digestOf = (ref: BlobRef): string => {
  const bytes = /-[0-9a-z]+-[0-9a-z]+$/.exec(ref)?.[0] ?? ref
  return createHash('sha256').update(bytes).digest('hex').slice(0, DIGITS)
}

/** The blob id of a mail; null for an item that has no original. */
export const blobIdOf = (item: Pick<Item, 'itemId' | 'original'>): string | null =>
  item.original === undefined ? null : `B${item.itemId}-${digestOf(item.original)}`
export const partBlobId = (blobId: string, part: Pick<MimePart, 'index'>): string => `${blobId}-${part.index}`

/** A part's bytes with its transfer encoding undone. */
export const undone = (raw: Uint8Array, part: MimePart): Uint8Array =>
  isEmbedded(part) && !part.opaque ? raw : decodeTransfer(raw, part.encoding)

/** Parts inside of parts: an id from outside must not make us decode for ever. */
const MAX_STEPS = 8

export async function openBlob(call: Call, account: Account, id: string): Promise<Blob | undefined> {
  const [head = '', ...tail] = id.split('-')
  if (head.startsWith('U')) {
    const upload = await openUpload(call, account, head)
    return upload === undefined ? undefined : inside(upload, tail)
  }
  const [digest = '', ...steps] = tail
  const number = /^B([1-9]\d{0,14})$/.exec(head)?.[1]
  if (number === undefined || steps.length > MAX_STEPS) return undefined
  const view = await call.view(account)
  const place = view.mail(itemId(Number(number)))?.places[0]
  if (place === undefined) return undefined
  const [item] = await account.handle.get({ by: { mids: [place.mid] }, columns: ['original', 'index'] })
  if (item?.original === undefined || digestOf(item.original) !== digest) return undefined
  const whole = mailBlob(account.handle, item, place)
  const [first, ...deeper] = steps
  if (first === undefined) return whole
  if (item.index === undefined || item.index.length === 0) return inside(whole, steps)
  const part = readMessageIndex(item.index).parts[stepNumber(first) ?? -1]
  if (part === undefined) return undefined
  const bytes = undone(await account.handle.original(item, part.bodyStart, part.bodyEnd), part)
  return inside(memoryBlob(bytes, typeOf(part)), deeper)
}

function mailBlob(handle: MailboxHandle, item: Item, place: Place): Blob {
  const { original } = item
  return {
    size: place.size,
    type: 'message/rfc822',
    read: (start = 0, end = place.size) => handle.original(item, start, end),
    source: () => ({ ref: original as BlobRef }),
  }
}

const stepNumber = (text: string): number | undefined => (/^\d{1,5}$/.test(text) ? Number(text) : undefined)
const typeOf = (part: MimePart): string => `${part.type}/${part.subtype}`

const memoryBlob = (bytes: Uint8Array, type: string | undefined): Blob => ({
  size: bytes.length,
  type,
  read: (start = 0, end = bytes.length) => Promise.resolve(bytes.subarray(start, end)),
})

/** Steps further into the parts of a blob that is a message. */
async function inside(blob: Blob, steps: readonly string[]): Promise<Blob | undefined> {
  if (steps.length > MAX_STEPS) return undefined
  let at = blob
  for (const step of steps) {
    const bytes = await at.read()
    const part = scanMessage(bytes).parts[stepNumber(step) ?? -1]
    if (part === undefined) return undefined
    at = memoryBlob(undone(bytes.subarray(part.bodyStart, part.bodyEnd), part), typeOf(part))
  }
  return at
}

async function openUpload(call: Call, account: Account, id: string): Promise<Blob | undefined> {
  const { principal, jmap } = call
  const upload = jmap.uploads.get(principal.account, account.handle.mailbox, id)
  if (upload === undefined) return undefined
  const own = upload.home === account.handle.mailbox
  const handle = own ? account.handle : await jmap.parts.door.open(principal, upload.home)
  const folder = jmap.anyFolder
  return {
    size: upload.size,
    type: upload.type === '' ? undefined : upload.type,
    read: (start = 0, end = upload.size) =>
      upload.size === 0
        ? Promise.resolve(new Uint8Array(0))
        : handle.original({ folder, original: upload.ref }, start, end),
    ...(own && upload.size > 0 ? { source: () => ({ ref: upload.ref }) } : {}),
  }
}

/** Takes bytes as an upload to the account; answers the blob id. */
export async function storeUpload(call: Call, account: Account, bytes: Uint8Array, type: string): Promise<string> {
  const { principal, jmap } = call
  const handle = account.handle.full ? account.handle : await jmap.parts.door.open(principal, principal.mailbox)
  // An empty blob needs no place.
  const ref = bytes.length === 0 ? ('' as BlobRef) : await handle.stage(bytes)
  return jmap.uploads.add({
    mailbox: account.handle.mailbox,
    uploader: principal.account,
    home: handle.mailbox,
    ref,
    size: bytes.length,
    type,
  })
}
