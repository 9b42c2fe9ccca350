/** The multipart answer of ItemOperations: [MS-ASCMD] §2.2.1.10.1.1. Part 0 is the WBXML document, the others are raw. */
import { type Element, encodeWbxml } from '@postrider/wire/wbxml'
import type { Answer } from '../command.ts'
import type { EasVersion } from '../version.ts'

export const multipartType = 'application/vnd.ms-sync.multipart'

/** Collects the parts while the document is made; the document's own number is 0. */
export class Parts {
  readonly #parts: Uint8Array[] = []

  /** Keeps a part and gives its number. */
  add = (data: string | Uint8Array): number =>
    this.#parts.push(typeof data === 'string' ? Buffer.from(data, 'utf8') : data)

  /** Count (u32), then offset and length (u32 each) of every part, all little-endian; then the parts. */
  answer(root: Element, version: EasVersion): Answer {
    const all = [encodeWbxml(root, { version, outside: 'drop' }), ...this.#parts]
    const head = Buffer.alloc(4 + all.length * 8)
    head.writeUInt32LE(all.length, 0)
    let offset = head.length
    for (const [i, part] of all.entries()) {
      head.writeUInt32LE(offset, 4 + i * 8)
      head.writeUInt32LE(part.length, 8 + i * 8)
      offset += part.length
    }
    return { kind: 'bytes', contentType: multipartType, bytes: Buffer.concat([head, ...all], offset) }
  }
}
