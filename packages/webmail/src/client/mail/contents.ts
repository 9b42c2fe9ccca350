/** Texts and parts of mails, read once, the last two hundred kept. */
import type { JmapClient } from '../jmap/client.ts'
import { JmapError, OfflineError } from '../jmap/client.ts'
import type { EmailContent, Id } from '../jmap/types.ts'

export const contentProperties = [
  'id',
  'blobId',
  'sentAt',
  'cc',
  'bcc',
  'replyTo',
  'messageId',
  'inReplyTo',
  'references',
  'textBody',
  'htmlBody',
  'attachments',
  'bodyValues',
  'smime',
  'header:Disposition-Notification-To:asAddresses',
] as const
export const partProperties = ['partId', 'blobId', 'size', 'name', 'type', 'charset', 'disposition', 'cid'] as const

/** Sanitised HTML of a mail, and how many pictures from elsewhere it has. */
export interface Html {
  readonly html: string
  readonly pictures: number
  /** It carries journeys or the like for programs. */
  readonly reservations?: boolean
}

const KEPT = 200
const NO_HTML = 204
const MOST_TEXT = 512 * 1024

export class Contents {
  readonly #client: JmapClient
  readonly #base: string
  readonly #contents = new Map<Id, Kept<EmailContent>>()
  readonly #html = new Map<string, Kept<Html | undefined>>()

  constructor(client: JmapClient, base: string) {
    this.#client = client
    this.#base = base
  }

  content(id: Id): Promise<EmailContent> {
    return remember(this.#contents, id, async () => {
      const { list } = await this.#client.call('Email/get', {
        ids: [id],
        properties: contentProperties,
        bodyProperties: partProperties,
        fetchTextBodyValues: true,
        maxBodyValueBytes: MOST_TEXT,
      })
      const [found] = list
      if (found === undefined) throw new JmapError('notFound')
      return found
    })
  }

  /** Undefined: the mail has no HTML. */
  html(id: Id, pictures: boolean): Promise<Html | undefined> {
    return remember(this.#html, `${id} ${pictures}`, async () => {
      try {
        const url = `${this.#base}body/${encodeURIComponent(this.#client.accountId)}/${encodeURIComponent(id)}?pictures=${pictures ? 1 : 0}`
        const response = await this.#client.request(url)
        if (response.status === NO_HTML) return undefined
        return {
          html: await response.text(),
          pictures: Number(response.headers.get('Postrider-Pictures') ?? 0),
          reservations: Number(response.headers.get('Postrider-Reservations') ?? 0) > 0,
        }
      } catch (error) {
        if (error instanceof OfflineError || (error instanceof JmapError && error.type === 'signedOut')) throw error
        // No HTML, or none the server would give: the text is shown.
        return undefined
      }
    })
  }

  /** What has been read already, at once: a mail read ahead is shown in the frame in which it is opened. */
  ready(id: Id, pictures: boolean): { readonly content: EmailContent; readonly html: Html | undefined } | undefined {
    const content = this.#contents.get(id)?.came
    const html = this.#html.get(`${id} ${pictures}`)?.came
    return content === undefined || html === undefined ? undefined : { content: content[0], html: html[0] }
  }

  /** Reads ahead what will probably be opened. */
  prefetch(ids: readonly Id[], pictures: boolean): void {
    for (const id of ids) {
      this.content(id).catch(() => {})
      this.html(id, pictures).catch(() => {})
    }
  }

  forget(id: Id): void {
    this.#contents.delete(id)
    for (const key of this.#html.keys()) if (key.startsWith(`${id} `)) this.#html.delete(key)
  }
}

/** Something asked for once; `came`: it is there. */
interface Kept<T> {
  readonly asked: Promise<T>
  came?: readonly [T]
}

function remember<T>(all: Map<string, Kept<T>>, key: string, read: () => Promise<T>): Promise<T> {
  const known = all.get(key)
  if (known !== undefined) {
    all.delete(key)
    all.set(key, known)
    return known.asked
  }
  const made: Kept<T> = { asked: read() }
  all.set(key, made)
  made.asked.then(
    (value) => {
      made.came = [value]
    },
    () => all.delete(key),
  )
  for (const old of all.keys()) {
    if (all.size <= KEPT) break
    all.delete(old)
  }
  return made.asked
}
