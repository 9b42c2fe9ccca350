import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { DomainError } from '@postrider/domain'
import type { S3Options } from '../s3/index.ts'
import { type Files, realFiles } from './files.ts'
import { FIRST_REMOTE, objectKey } from './segment-store.ts'

/** What the fetching thread is started with. */
export interface FetcherData {
  readonly objects: S3Options
  readonly port: MessagePort
  /** One Int32: answers given so far. */
  readonly answered: SharedArrayBuffer
}
export interface FetchQuestion {
  readonly id: number
  readonly key: string
  readonly from: number
  readonly length: number
}
export type FetchAnswer =
  /** `bytes` undefined: there is no such object. */
  { readonly id: number; readonly bytes: Uint8Array | undefined } | { readonly id: number; readonly error: string }

/** How long to wait for an answer, ms. */
const ANSWER_MS = 90_000
const BLOCK_BYTES = 1024 * 1024
/** Parts kept in memory: readers of this kind go through a segment in order. */
const KEPT_BLOCKS = 16

/**
 * Segments of an object store as files, for threads that may stand still while they wait (indexing, searching, checking). They read only; a
 * thread of its own fetches. Segments of the folder are files as ever.
 */
export class RemoteFiles implements Files {
  readonly #port: MessagePort
  readonly #answered: Int32Array
  readonly #segments = new Map<number, number>()
  /** Least recently used first. */
  readonly #blocks = new Map<string, Uint8Array>()
  #descriptors = -1
  #asked = 0

  constructor(objects: S3Options) {
    const { port1, port2 } = new MessageChannel()
    this.#port = port1
    const answered = new SharedArrayBuffer(4)
    this.#answered = new Int32Array(answered)
    const workerData: FetcherData = { objects, port: port2, answered }
    new Worker(new URL('./remote-files-worker.ts', import.meta.url), {
      workerData,
      transferList: [port2],
      name: 'store-fetcher',
    }).unref()
    port1.unref()
  }

  open(path: string, flags: string): number {
    const segment = Number(/(\d+)\.seg$/.exec(path)?.[1] ?? 0)
    if (segment < FIRST_REMOTE) return realFiles.open(path, flags)
    const fd = this.#descriptors--
    this.#segments.set(fd, segment)
    return fd
  }

  read(fd: number, length: number, position: number): Uint8Array {
    const segment = this.#segments.get(fd)
    if (segment === undefined) return realFiles.read(fd, length, position)
    const parts: Uint8Array[] = []
    for (let at = position; at < position + length; ) {
      const block = Math.floor(at / BLOCK_BYTES)
      const bytes = this.#block(segment, block)
      const from = at - block * BLOCK_BYTES
      const part = bytes.subarray(from, from + position + length - at)
      if (part.length === 0) break
      parts.push(part)
      at += part.length
    }
    const whole = Buffer.concat(parts)
    return new Uint8Array(whole.buffer, whole.byteOffset, whole.length)
  }

  close(fd: number): void {
    if (!this.#segments.delete(fd)) realFiles.close(fd)
  }

  #block(segment: number, block: number): Uint8Array {
    const name = `${segment}-${block}`
    const bytes = this.#blocks.get(name) ?? this.#ask(objectKey(segment), block * BLOCK_BYTES) ?? gone(segment)
    this.#blocks.delete(name)
    this.#blocks.set(name, bytes)
    if (this.#blocks.size > KEPT_BLOCKS) this.#blocks.delete(this.#blocks.keys().next().value as string)
    return bytes
  }

  #ask(key: string, from: number): Uint8Array | undefined {
    const id = this.#asked++
    this.#port.postMessage({ id, key, from, length: BLOCK_BYTES } satisfies FetchQuestion)
    const until = performance.now() + ANSWER_MS
    for (;;) {
      const given = Atomics.load(this.#answered, 0)
      const answer = (receiveMessageOnPort(this.#port) as { readonly message: FetchAnswer } | undefined)?.message
      if (answer?.id === id) {
        if ('error' in answer) throw new DomainError('unavailable', answer.error)
        return answer.bytes
      }
      if (answer !== undefined) continue
      const left = until - performance.now()
      if (left <= 0) throw new DomainError('unavailable', 'the object store does not answer')
      Atomics.wait(this.#answered, 0, given, left)
    }
  }

  write(): never {
    return readOnly()
  }
  truncate(): never {
    return readOnly()
  }
  size(): never {
    return readOnly()
  }
  sync(): never {
    return readOnly()
  }
  syncNow(): never {
    return readOnly()
  }
  syncDirectory(): never {
    return readOnly()
  }
  remove(): never {
    return readOnly()
  }
}

function gone(segment: number): never {
  throw new DomainError('blobGone', `segment ${segment}`)
}
function readOnly(): never {
  throw new TypeError('a reader of segments writes')
}

/** Files of the folder, and objects where there is a store. */
export const segmentFiles = (objects: S3Options | undefined): Files =>
  objects === undefined ? realFiles : new RemoteFiles(objects)
