import {
  type BlobRef,
  type ChangeNumber,
  DomainError,
  type MailboxId,
  movedError,
  type MoveStep,
  type MoveSteps,
} from '@postrider/domain'
import type { Hints } from '../engine/hints.ts'
import type { Journal } from '../engine/journal.ts'
import { Gates } from '../engine/move/gates.ts'
import { counters, digests, look, page, smallRows } from '../engine/move/source.ts'
import { ARRIVED, moveSql } from '../engine/move/tables.ts'
import { missing, put, receive, settle } from '../engine/move/target.ts'
import { write } from '../engine/sql/write.ts'
import { asDomainError } from './connection.ts'
import type { MailboxDatabase } from './database.ts'

/** What moves need of the store. */
export interface MovePorts {
  database(name: string): MailboxDatabase
  /** Where each mailbox lives that lives here. */
  readonly mailboxes: Map<MailboxId, MailboxDatabase>
  wipe(database: MailboxDatabase, id: MailboxId): Promise<void>
  /** Resolves when nothing of an earlier stay is left. */
  wiped(id: MailboxId): Promise<void>
  readonly hints: Hints
}

type Handlers = {
  readonly [Step in MoveStep]: (
    database: MailboxDatabase,
    id: MailboxId,
    ask: MoveSteps[Step]['ask'],
  ) => Promise<MoveSteps[Step]['answer']>
}

const movedSetting = (id: MailboxId): string => `moved.${id}`
const noBytes = { bytes: 0, freeing: true, namesBytes: false } as const
/** References forgotten in one transaction. */
const FORGET_SLICE = 1_000

/** Mailboxes of a store that change their home: what the mover asks (domain/relocation.ts), and who has to wait or go elsewhere meanwhile. */
export class Moves {
  readonly #ports: MovePorts
  /** Writes to mailboxes that are just leaving. */
  readonly #leaving = new Gates()
  /** Calls for mailboxes that are arriving, and whose database the directory may name already. */
  readonly #arriving = new Gates()
  /** Epochs of mailboxes that lived here. */
  readonly #left = new Map<MailboxId, number>()

  constructor(ports: MovePorts) {
    this.#ports = ports
  }

  /** At the start: what is in a database, as the last owner left it. */
  load(database: MailboxDatabase): void {
    for (const { id, state } of database.mailboxes()) {
      if (state === 'live' || state === 'leaving') this.#ports.mailboxes.set(id, database)
      else database.hidden.add(id)
      if (state === 'leaving') this.#close(database, id)
      if (state === 'arriving') this.#arriving.close(id)
      if (state === 'dying') void this.#ports.wipe(database, id).catch(() => undefined)
    }
    for (const [id, epoch] of database.movedAway()) this.#left.set(id, Math.max(epoch, this.#left.get(id) ?? 0))
  }

  shut(): void {
    this.#leaving.shut()
    this.#arriving.shut()
  }

  /** Whether writes to a mailbox wait. */
  isClosed(id: MailboxId): boolean {
    return this.#leaving.isClosed(id) || this.arrives(id)
  }
  /** Resolves when a mailbox may be written. Rejects `moved` when that is elsewhere. */
  async passed(id: MailboxId): Promise<void> {
    await this.#leaving.pass(id)
    if (this.arrives(id)) await this.arrived(id)
  }
  /** Whether a mailbox is not here yet, and will be. */
  arrives(id: MailboxId): boolean {
    return this.#arriving.isClosed(id) && !this.#ports.mailboxes.has(id)
  }
  arrived(id: MailboxId): Promise<void> {
    return this.#arriving.pass(id)
  }
  /** Throws `moved` for a mailbox that lived here. */
  elsewhere(id: MailboxId): void {
    const epoch = this.#left.get(id)
    if (epoch !== undefined) throw movedError(epoch)
  }

  async relocate<Step extends MoveStep>(
    id: MailboxId,
    name: string,
    step: Step,
    ask: MoveSteps[Step]['ask'],
  ): Promise<MoveSteps[Step]['answer']> {
    const handler = Object.hasOwn(this.#handlers, step) ? this.#handlers[step] : undefined
    if (handler === undefined) throw new DomainError('invalid', `step ${String(step)}`)
    try {
      const database = this.#ports.database(name)
      database.usable()
      return await handler(database, id, ask)
    } catch (error) {
      throw asDomainError(error)
    }
  }

  #close(database: MailboxDatabase, id: MailboxId): void {
    database.leaving.add(id)
    this.#leaving.close(id)
  }

  readonly #handlers: Handlers = {
    look: async (database, id) => look(database, id),
    page: async (database, id, ask) => page(database, id, ask),
    rows: async (database, id, ask) => smallRows(database, id, ask),
    counters: async (database, id) => counters(database, id),
    digests: async (database, id, ask) => digests(database, id, ask),
    leave: async (database, id) => {
      await database.submit({
        ...noBytes,
        run: (journal) => {
          const state = look(database, id)?.state
          if (state !== 'live' && state !== 'leaving') throw new DomainError('conflict', `mailbox ${id} is ${state}`)
          database.connection.run(moveSql.setState, 'leaving', id)
          if (state === 'leaving') return
          // From here on, in the very same transaction: a call behind this one must not write any more.
          this.#close(database, id)
          journal.undo(() => this.#reopen(database, id))
        },
      })
      return look(database, id)?.change ?? (0 as ChangeNumber)
    },
    stay: async (database, id) => {
      await database.submit({
        ...noBytes,
        run: () => {
          if (look(database, id)?.state === 'leaving') database.connection.run(moveSql.setState, 'live', id)
        },
      })
      if (look(database, id)?.state === 'live') this.#reopen(database, id)
      return null
    },
    left: async (database, id, { epoch }) => {
      const { connection } = database
      await database.submit({
        ...noBytes,
        run: () => {
          const here = look(database, id)
          if (here !== undefined && here.epoch >= epoch) throw new DomainError('conflict', `mailbox ${id} came back`)
          connection.run(write.putSetting, movedSetting(id), String(epoch))
          if (here !== undefined) connection.run(write.dyingMailbox, id)
        },
      })
      this.#gone(database, id, epoch)
      return null
    },
    prepare: async (database, id, { epoch, guid }) => {
      await this.#ports.wiped(id)
      const there = look(database, id)
      if (there !== undefined && (there.state !== 'arriving' || there.epoch !== epoch || there.guid !== guid)) {
        if (there.state === 'live' || there.state === 'leaving')
          throw new DomainError('conflict', `mailbox ${id} is here`)
        await this.#ports.wipe(database, id)
      }
      await database.submit({
        ...noBytes,
        freeing: false,
        run: () => {
          if (look(database, id) === undefined) database.connection.run(moveSql.prepare, id, guid, epoch)
        },
      })
      database.hidden.add(id)
      this.#arriving.close(id)
      return look(database, id)?.change ?? (0 as ChangeNumber)
    },
    missing: async (database, id, { refs }) =>
      missing({ connection: database.connection, number: database.number, id }, refs),
    receive: async (database, id, { page: arrived, originals }) => {
      await this.#write(database, id, originals, (context) => receive(context, arrived))
      return null
    },
    put: async (database, id, { remove, rows, originals }) => {
      await this.#write(database, id, originals, (context) => put(context, { remove, rows }))
      return null
    },
    settle: async (database, id, ask) => {
      await database.submit({ ...noBytes, run: () => settle({ connection: database.connection, id }, ask) })
      return null
    },
    open: async (database, id, { epoch }) => {
      await database.submit({
        ...noBytes,
        run: () => {
          const here = look(database, id)
          if (here?.epoch !== epoch || (here.state !== 'arriving' && here.state !== 'live'))
            throw new DomainError('conflict', `mailbox ${id} has not arrived with epoch ${epoch}`)
          database.connection.run(moveSql.setState, 'live', id)
          database.connection.run(write.removeSetting, movedSetting(id))
          database.books.dropMailbox(id)
        },
      })
      database.hidden.delete(id)
      this.#left.delete(id)
      this.#ports.mailboxes.set(id, database)
      this.#arriving.open(id)
      this.#ports.hints.send(id, (look(database, id)?.change ?? 0) as ChangeNumber, new Map())
      this.#ports.hints.sendQueue()
      return null
    },
    discard: async (database, id) => {
      const state = look(database, id)?.state
      if (state === 'live' || state === 'leaving') throw new DomainError('conflict', `mailbox ${id} is ${state}`)
      await this.#ports.wiped(id)
      if (look(database, id) !== undefined) await this.#ports.wipe(database, id)
      database.hidden.delete(id)
      this.#arriving.open(id, new DomainError('unavailable', 'the move is off'))
      return null
    },
    forget: async (database, id) => {
      for (let left = FORGET_SLICE; left >= FORGET_SLICE; )
        left = await database.submit({
          ...noBytes,
          run: () => database.connection.all(moveSql.forgetSome, id, ARRIVED, FORGET_SLICE).length,
        })
      return null
    },
  }

  /** One transaction of the target, with originals that come along. */
  async #write(
    database: MailboxDatabase,
    id: MailboxId,
    originals: readonly { readonly ref: BlobRef; readonly bytes: Uint8Array }[],
    run: (context: Parameters<typeof receive>[0]) => void,
  ): Promise<void> {
    const staged = new Map(originals.map(({ ref, bytes }) => [ref, database.stage(id, bytes)] as const))
    const { connection, books, number } = database
    await database.submit({
      bytes: originals.reduce((sum, { bytes }) => sum + bytes.length, 0),
      freeing: false,
      namesBytes: true,
      run: (journal: Journal) => run({ connection, books, originals: database.originals, number, journal, id, staged }),
    })
  }

  #reopen(database: MailboxDatabase, id: MailboxId): void {
    database.leaving.delete(id)
    this.#leaving.open(id)
  }

  /** It lives elsewhere from now on: in another database of this store, or in another. */
  #gone(database: MailboxDatabase, id: MailboxId, epoch: number): void {
    const { mailboxes, wipe } = this.#ports
    database.leaving.delete(id)
    database.hidden.add(id)
    if (mailboxes.get(id) === database) {
      mailboxes.delete(id)
      this.#left.set(id, epoch)
      this.#leaving.open(id, movedError(epoch))
    } else this.#leaving.open(id)
    if (look(database, id) !== undefined)
      wipe(database, id).then(
        () => database.hidden.delete(id),
        // It is finished at the next start.
        () => undefined,
      )
  }
}
