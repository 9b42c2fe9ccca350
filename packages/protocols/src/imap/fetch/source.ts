import type { Item, MailboxHandle, Mid } from '@postrider/domain'
import { Pid } from '@postrider/domain'
import {
  encodeWords,
  formatAddressList,
  formatDate,
  type MessageIndex,
  MessageIndexError,
  prepareMessage,
  readMessageIndex,
} from '@postrider/wire/mime'

/**
 * Ranges of a message read one by one; then the whole is read once and kept for the rest of the command. A packed original is unpacked for every
 * range, and a FETCH that names a thousand parts would have it unpacked a thousand times.
 */
const MAX_RANGES = 8

/** A message as FETCH reads it: its size, its prepared index, and any range of its octets. */
export interface MessageSource {
  readonly size: number
  index(): Promise<MessageIndex>
  /** Octets from `start` to `end`; fewer only when the store is damaged. */
  read(start: number, end: number): Promise<Uint8Array>
}

/** The source of an item that `get` answered with the columns `index` and `original`. */
export function sourceOf(mailbox: MailboxHandle, item: Item): MessageSource {
  return item.original === undefined ? new RenderedSource(mailbox, item) : new StoredSource(mailbox, item)
}

/** The received bytes themselves. */
class StoredSource implements MessageSource {
  readonly size: number
  readonly #mailbox: MailboxHandle
  readonly #item: Item
  #index: MessageIndex | undefined
  #reads = 0
  #all: Promise<Uint8Array> | undefined

  constructor(mailbox: MailboxHandle, item: Item) {
    this.size = item.size
    this.#mailbox = mailbox
    this.#item = item
  }

  async index(): Promise<MessageIndex> {
    if (this.#index !== undefined) return this.#index
    try {
      this.#index = readMessageIndex(this.#item.index ?? new Uint8Array(0))
    } catch (error) {
      if (!(error instanceof MessageIndexError)) throw error
      // An index of another version: the original is the truth.
      this.#index = readMessageIndex(prepareMessage(await this.read(0, this.size)).index)
    }
    return this.#index
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    if (this.#all === undefined && ++this.#reads <= MAX_RANGES) return this.#mailbox.original(this.#item, start, end)
    this.#all ??= this.#mailbox.original(this.#item)
    return (await this.#all).subarray(start, end)
  }
}

/** An item another protocol made without a message: it is shown as one made from its properties, the same each time. */
class RenderedSource implements MessageSource {
  readonly #mailbox: MailboxHandle
  readonly #item: Item
  #bytes: Uint8Array | undefined
  #index: MessageIndex | undefined

  constructor(mailbox: MailboxHandle, item: Item) {
    this.#mailbox = mailbox
    this.#item = item
  }

  /** Known once `prepare` was awaited. */
  get size(): number {
    return this.#bytes?.length ?? 0
  }

  async prepare(): Promise<Uint8Array> {
    this.#bytes ??= await render(this.#mailbox, this.#item.mid)
    return this.#bytes
  }

  async index(): Promise<MessageIndex> {
    this.#index ??= readMessageIndex(prepareMessage(await this.prepare()).index)
    return this.#index
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    return (await this.prepare()).subarray(start, end)
  }
}

/** Makes `size` of a rendered message known. */
export async function ready(source: MessageSource): Promise<MessageSource> {
  if (source instanceof RenderedSource) await source.prepare()
  return source
}

async function render(mailbox: MailboxHandle, mid: Mid): Promise<Uint8Array> {
  const [item] = await mailbox.get({ by: { mids: [mid] }, columns: ['promoted', 'recipients', 'props'] })
  const promoted = item?.promoted
  if (item === undefined || promoted === undefined) return new Uint8Array(0)
  const to = (type: 1 | 2): string =>
    formatAddressList(
      (item.recipients ?? []).filter((one) => one.type === type).map(({ name, address }) => ({ name, address })),
    )
  const fields: [string, string][] = [
    ['Date', formatDate(promoted.sent ?? item.received)],
    [
      'From',
      promoted.fromAddress === ''
        ? ''
        : formatAddressList([{ name: promoted.fromName, address: promoted.fromAddress }]),
    ],
    ['To', to(1)],
    ['Cc', to(2)],
    ['Subject', encodeWords(promoted.subject)],
    ['Message-ID', promoted.messageId.replace(/[^\x21-\x7e]/g, '')],
    ['MIME-Version', '1.0'],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Transfer-Encoding', 'base64'],
  ]
  const body = item.props?.get(Pid.TagBody)
  const text = Buffer.from(typeof body === 'string' ? body : promoted.preview, 'utf8').toString('base64')
  const head = fields.filter(([, value]) => value !== '').map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`${head.join('')}\r\n${(text.match(/.{1,76}/g) ?? []).join('\r\n')}\r\n`, 'utf8')
}
