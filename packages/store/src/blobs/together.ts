import {
  type BlobRef,
  DomainError,
  type MailboxId,
  type MailboxService,
  MAX_BLOB_CHUNK,
  MAX_GET,
  type FolderOriginals,
  type OriginalsRequest,
} from '@postrider/domain'

interface Found {
  readonly uid: number
  readonly size: number
}

/** Throws `tooMany` beyond the limits of `MailboxService.originals`, `invalid` for UIDs that do not ascend. */
export function checkOriginals({ uids, largest, most }: OriginalsRequest): void {
  if (uids.length > MAX_GET || !(most <= MAX_BLOB_CHUNK)) throw new DomainError('tooMany', `${uids.length} originals`)
  if (!(largest >= 0 && largest <= most)) throw new DomainError('invalid', `${largest} of ${most} bytes`)
  if (uids.some((uid, i) => i > 0 && uid <= (uids[i - 1] as number))) throw new DomainError('invalid', 'order of UIDs')
}

/** Those of the originals found that one answer holds, and the UID of the first one that has no room in it. */
export function fitting<F extends Found>(
  found: readonly F[],
  { largest, most }: OriginalsRequest,
): { readonly taken: readonly F[]; readonly rest: number | undefined } {
  const taken: F[] = []
  let room = most
  for (const one of found) {
    if (one.size > largest) continue
    room -= one.size
    if (room < 0) return { taken, rest: one.uid }
    taken.push(one)
  }
  return { taken, rest: undefined }
}

/** The answer: `parts` are the originals of `taken`. */
export function together(
  taken: readonly Found[],
  parts: readonly Uint8Array[],
  rest: number | undefined,
): FolderOriginals {
  const sizes = Uint32Array.from(parts, ({ length }) => length)
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return { uids: Uint32Array.from(taken, ({ uid }) => uid), sizes, bytes, rest }
}

/** `MailboxService.originals` by means of a store's other questions. */
export async function originalsOf(
  store: Pick<MailboxService, 'get' | 'blob'>,
  id: MailboxId,
  request: OriginalsRequest,
): Promise<FolderOriginals> {
  checkOriginals(request)
  const { folder, uids } = request
  const items = await store.get(id, { by: { folder, uids }, columns: ['original'] })
  const found = items.filter(({ associated, original }) => !associated && original !== undefined)
  const { taken, rest } = fitting(found, request)
  const parts: Uint8Array[] = []
  for (const { original } of taken) parts.push(await store.blob(id, original as BlobRef))
  return together(taken, parts, rest)
}
