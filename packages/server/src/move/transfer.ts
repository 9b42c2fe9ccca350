import {
  type BlobRef,
  type ChangeNumber,
  DomainError,
  MAX_BLOB_CHUNK,
  type MailboxId,
  type MailboxService,
  type MovedRow,
  type MovedTable,
  type MovePage,
  type MoveStep,
  type MoveSteps,
  type TableDigest,
} from '@postrider/domain'

/** Rows of a page, and bytes of originals of one transaction of the target: others write there too. */
const PAGE_ROWS = 100
const PART_BYTES = 4 * 1024 * 1024
/** Rows without change numbers that are brought at once. */
const SMALL_ROWS = 100
/** Originals read at the same time. */
const PARALLEL = 8

export interface TransferOptions {
  readonly service: Pick<MailboxService, 'relocate' | 'blob'>
  readonly mailbox: MailboxId
  readonly from: string
  readonly to: string
  /** The mailbox's after the move. */
  readonly epoch: number
  /** Hears of every part that is safe at the target. */
  readonly copied: (items: number, bytes: number) => void
}

/** Takes one mailbox from a database to another, in steps that may all be done again. Decides nothing. */
export class Transfer {
  readonly #options: TransferOptions
  #cursor = 0 as ChangeNumber

  constructor(options: TransferOptions) {
    this.#options = options
  }

  source<Step extends MoveStep>(step: Step, ask: MoveSteps[Step]['ask']): Promise<MoveSteps[Step]['answer']> {
    const { service, mailbox, from } = this.#options
    return service.relocate(mailbox, from, step, ask)
  }
  target<Step extends MoveStep>(step: Step, ask: MoveSteps[Step]['ask']): Promise<MoveSteps[Step]['answer']> {
    const { service, mailbox, to } = this.#options
    return service.relocate(mailbox, to, step, ask)
  }

  /** Both sides are ready. A source that an earlier try locked is free again, after `undecided`. Answers how many items there are to be brought. */
  async prepare(undecided: () => Promise<void>): Promise<number> {
    const { mailbox, epoch } = this.#options
    const here = await this.source('look', {})
    if (here === undefined) throw new DomainError('mailboxNotFound', `mailbox ${mailbox}`)
    if (here.state === 'leaving') {
      await undecided()
      await this.source('stay', {})
    }
    this.#cursor = await this.target('prepare', { epoch, guid: here.guid })
    const there = await this.target('look', {})
    if (there?.format !== here.format) throw new DomainError('invalid', 'the two sides run different versions')
    return here.items
  }

  /** Brings what changed since the last time; answers how many changes that were. */
  async catchUp(go: () => void = () => {}): Promise<number> {
    let changes = 0
    for (let more = true; more; ) {
      const page = await this.source('page', { since: this.#cursor, limit: PAGE_ROWS })
      for (const part of partsOf(page)) {
        go()
        const refs = part.rows.flatMap(refsOf)
        await this.target('receive', { page: part, originals: await this.#originals(refs) })
        this.#cursor = part.upTo
        this.#options.copied(
          part.rows.length,
          part.rows.reduce((sum, { size }) => sum + size, 0),
        )
      }
      changes += page.rows.length + page.gone.length
      more = page.more
    }
    return changes
  }

  /** Makes the target's rows without change numbers those of the source; answers how many differed. */
  async small(go: () => void = () => {}): Promise<number> {
    const [here, there] = await Promise.all([this.#digests('source'), this.#digests('target')])
    const remove: Omit<TableDigest, 'digest'>[] = []
    const bring = new Map<MovedTable, TableDigest['key'][]>()
    for (const [name, { table, key, digest }] of here) {
      const known = there.get(name)
      there.delete(name)
      if (known?.digest === digest) continue
      if (known !== undefined) remove.push({ table, key })
      const keys = bring.get(table)
      if (keys === undefined) bring.set(table, [key])
      else keys.push(key)
    }
    for (const { table, key } of there.values()) remove.push({ table, key })
    // All that differ go before anything comes: folders may have changed names with one another.
    if (remove.length > 0) await this.target('put', { remove, rows: [], originals: [] })
    for (const [table, keys] of bring) {
      for (let at = 0; at < keys.length; at += SMALL_ROWS) {
        go()
        const rows = await this.source('rows', { table, keys: keys.slice(at, at + SMALL_ROWS) })
        const originals = await this.#originals(rows.flatMap(({ original }) => original ?? []))
        await this.target('put', { remove: [], rows: rows.map((row) => ({ table, row })), originals })
      }
    }
    return remove.length + [...bring.values()].reduce((sum, { length }) => sum + length, 0)
  }

  async #digests(side: 'source' | 'target'): Promise<Map<string, TableDigest>> {
    const all = new Map<string, TableDigest>()
    for (let after: MoveSteps['digests']['ask']['after']; ; ) {
      const { digests, more } = await this[side]('digests', { after })
      for (const one of digests) all.set(JSON.stringify([one.table, ...one.key]), one)
      const last = digests.at(-1)
      if (!more || last === undefined) return all
      after = { table: last.table, key: last.key }
    }
  }

  /** The bytes of those originals that are not at the target yet. */
  async #originals(refs: readonly BlobRef[]): Promise<{ readonly ref: BlobRef; readonly bytes: Uint8Array }[]> {
    if (refs.length === 0) return []
    const missing = await this.target('missing', { refs: [...new Set(refs)] })
    const found = missing.map((ref): { ref: BlobRef; bytes: Uint8Array } => ({ ref, bytes: new Uint8Array(0) }))
    let next = 0
    const worker = async (): Promise<void> => {
      for (let at = next++; at < found.length; at = next++) {
        const one = found[at]
        if (one !== undefined) one.bytes = await this.#read(one.ref)
      }
    }
    await Promise.all(Array.from({ length: Math.min(PARALLEL, found.length) }, worker))
    return found
  }

  async #read(ref: BlobRef): Promise<Uint8Array> {
    const { service, mailbox } = this.#options
    const pieces: Uint8Array[] = []
    for (let at = 0; ; ) {
      const piece = await service.blob(mailbox, ref, at)
      pieces.push(piece)
      at += piece.length
      if (piece.length < MAX_BLOB_CHUNK) return pieces.length === 1 ? piece : Buffer.concat(pieces)
    }
  }
}

const refsOf = ({ original, attached }: MovedRow): readonly BlobRef[] =>
  original === undefined ? attached : [original, ...attached]

/** A page in parts of bounded size, each whole up to its own last change. */
export function partsOf(page: MovePage): MovePage[] {
  const parts: MovePage[] = []
  let [rows, gone]: [MovedRow[], MovePage['gone'][number][]] = [[], []]
  let bytes = 0
  let nextGone = 0
  for (const row of page.rows) {
    for (; (page.gone[nextGone]?.change ?? Number.POSITIVE_INFINITY) < row.change; nextGone++)
      gone.push(page.gone[nextGone] as MovePage['gone'][number])
    if (rows.length > 0 && bytes + row.size > PART_BYTES) {
      parts.push({ rows, gone, upTo: (row.change - 1) as ChangeNumber, more: true })
      ;[rows, gone] = [[], []]
      bytes = 0
    }
    rows.push(row)
    bytes += row.size
  }
  gone.push(...page.gone.slice(nextGone))
  parts.push({ rows, gone, upTo: page.upTo, more: page.more })
  return parts
}
