import { createHash } from 'node:crypto'
import type { MailboxId, MailboxService, Operation } from '@postrider/domain'
import type { Place } from './folders.ts'

/** Under this name imports keep in the mailbox what they have imported. */
const CLIENT = 'import'
/** Keys begin with one of these and a letter of base64url: the journal is read in so many slices. */
const slices = ['c', 't'].flatMap((kind) =>
  [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map((letter) => kind + letter),
)
/** 132 bits. */
const KEY_LENGTH = 22

const digest = (...parts: readonly (string | Uint8Array)[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(String(part.length)).update('\0').update(part)
  return hash.digest('base64url').slice(0, KEY_LENGTH)
}
export const placeKey = ({ role, names }: Place): string =>
  [role, ...names.map((name) => name.toLowerCase())].join('\0')

/**
 * What earlier runs have imported, kept in the mailbox and written in the transaction of the mails themselves: however an import ends, the next
 * one goes on behind the last mail that is there. A mail is known by its folder and its content, and by how many equal ones came before it
 * in that folder; sources with names of their own (a server's UIDs) also by those, so that what is known is not fetched again.
 */
export class ImportJournal {
  readonly #known = new Map<string, string>()
  readonly #seen = new Map<string, number>()

  static async read(service: MailboxService, mailbox: MailboxId): Promise<ImportJournal> {
    const journal = new ImportJournal()
    for (const slice of slices)
      for (const { key, value } of await service.state(mailbox, CLIENT, slice))
        journal.#known.set(key, Buffer.from(value).toString('latin1'))
    return journal
  }

  /** Forgets everything: what was imported is imported again. */
  static clear(service: MailboxService, mailbox: MailboxId): Promise<unknown> {
    return service.apply(mailbox, [{ op: 'deleteState', client: CLIENT }])
  }

  /** A mail the source knows by a name was imported. It counts as one of its content that came by. */
  knowsTicket(ticket: string): boolean {
    const content = this.#known.get(`t${digest(ticket)}`)
    if (content !== undefined) this.#seen.set(content, (this.#seen.get(content) ?? 0) + 1)
    return content !== undefined
  }

  /** The next mail of this content in this folder: the key it has, and whether it was imported. */
  mail(place: Place, bytes: Uint8Array): { readonly content: string; readonly key: string; readonly known: boolean } {
    const content = digest(placeKey(place), bytes)
    const count = this.#seen.get(content) ?? 0
    this.#seen.set(content, count + 1)
    const key = `c${digest(content, String(count))}`
    return { content, key, known: this.#known.has(key) }
  }

  /** To be written with the mail, or alone for one that was known by its content only. */
  entries(content: string, key: string, ticket: string | undefined): Operation[] {
    const put = (name: string, value: string): Operation => ({
      op: 'putState',
      client: CLIENT,
      key: name,
      value: Buffer.from(value, 'latin1'),
    })
    return [put(key, ''), ...(ticket === undefined ? [] : [put(`t${digest(ticket)}`, content)])]
  }
}
