import { type BlobRef, DomainError, MAX_BLOB_CHUNK, MAX_GET } from '@postrider/domain'

/** Several originals behind one another, as `MailboxService.blobs` answers them; `read` gives one, or nothing beyond the limit. */
export function joined(refs: readonly BlobRef[], read: (ref: BlobRef) => Uint8Array | undefined): Uint8Array {
  if (refs.length > MAX_GET) throw new DomainError('tooMany', `${refs.length} originals`)
  const parts: Uint8Array[] = []
  let bytes = 0
  for (const ref of refs) {
    const part = read(ref)
    bytes += part?.length ?? MAX_BLOB_CHUNK + 1
    // A part of the largest size may be the beginning of an original that is larger.
    if (part === undefined || bytes > MAX_BLOB_CHUNK || part.length === MAX_BLOB_CHUNK)
      throw new DomainError('tooMany', `${bytes} bytes of originals`)
    parts.push(part)
  }
  const whole = new Uint8Array(bytes)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
