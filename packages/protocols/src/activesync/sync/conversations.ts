/**
 * ConversationMode: a filter by time shows whole conversations, those of which one mail is inside. [MS-ASCMD] §2.2.3.36. Both sides
 * of the filter are read when they are first asked about, and once a request.
 */
import { type Folder, type Item, MAX_GET, type Mid } from '@postrider/domain'
import type { BodyPreference, ContentOptions } from '../content.ts'
import type { Context } from '../context.ts'

/** Mails outside the filter that are looked at, the newest; conversations that are older still stay as the filter has them. */
const maxOlder = 20_000

interface Row {
  readonly mid: Mid
  readonly conversation: string
}

export class Conversations {
  readonly #context: Context
  readonly #folder: Folder
  readonly #cutoff: number
  #inside: Promise<ReadonlySet<string>> | undefined
  #outside: Promise<ReadonlyMap<string, readonly Mid[]>> | undefined

  constructor(context: Context, folder: Folder, cutoff: number) {
    this.#context = context
    this.#folder = folder
    this.#cutoff = cutoff
  }

  /** The mails outside the filter that belong to the conversation of a mail inside. */
  async older(item: Pick<Item, 'promoted'>): Promise<readonly Mid[]> {
    this.#outside ??= this.#read({ before: this.#cutoff }, maxOlder).then((rows) => {
      const map = new Map<string, Mid[]>()
      for (const { mid, conversation } of rows) {
        const mids = map.get(conversation)
        if (mids === undefined) map.set(conversation, [mid])
        else mids.push(mid)
      }
      return map
    })
    return (await this.#outside).get(conversationOf(item)) ?? []
  }

  /** Whether a mail of this one's conversation is inside the filter. */
  async shows(item: Pick<Item, 'promoted'>): Promise<boolean> {
    this.#inside ??= this.#read({ from: this.#cutoff }).then(
      (rows) => new Set(rows.map(({ conversation }) => conversation)),
    )
    return (await this.#inside).has(conversationOf(item))
  }

  async #read(received: { readonly from?: number; readonly before?: number }, limit?: number): Promise<Row[]> {
    const { mailbox } = this.#context
    const rows = await mailbox.scan({
      folder: this.#folder.id,
      columns: ['mid'],
      received,
      order: 'newest',
      ...(limit === undefined ? {} : { limit }),
    })
    const mids = Array.from(rows.mid) as Mid[]
    const found: Row[] = []
    for (let at = 0; at < mids.length; at += MAX_GET) {
      const items = await mailbox.get({ by: { mids: mids.slice(at, at + MAX_GET) }, columns: ['promoted'] })
      for (const item of items) {
        const conversation = conversationOf(item)
        if (conversation !== '') found.push({ mid: item.mid, conversation })
      }
    }
    return found
  }
}

const conversationOf = (item: Pick<Item, 'promoted'>): string => item.promoted?.conversation ?? ''

/** MS-ASCMD_R2108: of a mail outside the filter no body goes, but its preview does where it was asked for. */
export function withoutBody(content: ContentOptions): ContentOptions {
  const text: BodyPreference = { type: 1, truncationSize: 0, allOrNone: false, preview: undefined }
  const asked = content.bodyPreferences.length === 0 ? [text] : content.bodyPreferences
  return {
    ...content,
    bodyPreferences: asked.map((preference) => ({ ...preference, truncationSize: 0, allOrNone: false })),
    bodyPartPreference: undefined,
    mimeTruncation: 0,
  }
}
