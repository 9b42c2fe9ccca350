/**
 * Small objects of JMAP alone (identities, submissions) as state entries of the mailbox, with a change counter and tombstones of their own.
 * One transaction a change; changes of one mailbox and kind follow each other, in all processes.
 */
import type { MailboxHandle, MailboxId, Operation, Together } from '@postrider/domain'
import { MethodError } from '../core/error.ts'

const CLIENT = 'jmap'
/** Tombstones kept; older states must start over. */
const MAX_GONE = 500
const utf8 = new TextDecoder()
const bytesOf = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

export interface Stored<T> {
  readonly id: string
  /** Numbers of this kind's own counter. */
  readonly created: number
  readonly changed: number
  readonly value: T
}

interface Log {
  readonly change: number
  readonly next: number
  /** States before this one cannot be told what went. */
  readonly low: number
  readonly gone: readonly (readonly [change: number, id: string])[]
}
const emptyLog: Log = { change: 0, next: 1, low: 0, gone: [] }

export interface Kept<T> {
  readonly change: number
  readonly low: number
  readonly gone: Log['gone']
  readonly records: readonly Stored<T>[]
}

export interface Writing<T> {
  readonly kept: Kept<T>
  add(value: T): string
  put(id: string, value: T): void
  remove(id: string): void
  /** Goes into the same transaction. */
  also(operation: Operation): void
}

export class Records {
  readonly #together: Together

  constructor(together: Together) {
    this.#together = together
  }

  async read<T>(handle: MailboxHandle, kind: string): Promise<Kept<T>> {
    let log = emptyLog
    const records: Stored<T>[] = []
    for (const { key, value } of await handle.state(CLIENT, `${kind}/`)) {
      const json: unknown = JSON.parse(utf8.decode(value))
      const name = key.slice(kind.length + 1)
      if (name === 'log') log = json as Log
      else records.push(json as Stored<T>)
    }
    records.sort((a, b) => a.created - b.created)
    return { change: log.change, low: log.low, gone: log.gone, records }
  }

  /**
   * Changes records in one transaction. `work` may wait; what it throws leaves everything as it was. Answers its result and the state
   * before and after.
   */
  async write<T, R>(
    handle: MailboxHandle,
    kind: string,
    work: (writing: Writing<T>) => Promise<R> | R,
    apply: (operations: readonly Operation[]) => Promise<unknown> = (operations) => handle.apply(operations),
  ): Promise<{ readonly result: R; readonly before: number; readonly after: number }> {
    return this.inTurn(handle.mailbox, kind, async () => {
      const kept = await this.read<T>(handle, kind)
      const stored = await handle.state(CLIENT, `${kind}/log`)
      const log = stored[0] === undefined ? emptyLog : (JSON.parse(utf8.decode(stored[0].value)) as Log)
      let { change, next, low } = log
      const gone = [...log.gone]
      const operations: Operation[] = []
      const put = (record: Stored<T>): void => {
        operations.push({ op: 'putState', client: CLIENT, key: `${kind}/${record.id}`, value: bytesOf(record) })
      }
      const live = new Map(kept.records.map((one) => [one.id, one]))
      const result = await work({
        kept,
        add(value) {
          const id = `${kind[0]?.toUpperCase()}${next++}`
          change++
          const record = { id, created: change, changed: change, value }
          live.set(id, record)
          put(record)
          return id
        },
        put(id, value) {
          const known = live.get(id)
          if (known === undefined) throw new TypeError(`no ${kind} ${id}`)
          const record = { ...known, changed: ++change, value }
          live.set(id, record)
          put(record)
        },
        remove(id) {
          if (!live.delete(id)) return
          gone.push([++change, id])
          operations.push({ op: 'deleteState', client: CLIENT, key: `${kind}/${id}` })
        },
        also(operation) {
          operations.push(operation)
        },
      })
      if (change === log.change && operations.length === 0) return { result, before: change, after: change }
      while (gone.length > MAX_GONE) low = (gone.shift() as [number, string])[0]
      const written: Log = { change, next, low, gone }
      await apply([...operations, { op: 'putState', client: CLIENT, key: `${kind}/log`, value: bytesOf(written) }])
      return { result, before: log.change, after: change }
    })
  }

  /** Work on one kind of records of one mailbox, one after the other. */
  inTurn<R>(mailbox: MailboxId, kind: string, work: () => Promise<R>): Promise<R> {
    return this.#together.exclusive(`jmap ${mailbox}/${kind}`, work)
  }
}

/** RFC 8620 §5.2 over kept records. */
export function recordChanges<T>(kept: Kept<T>, sinceState: string, maxChanges: number): Record<string, unknown> {
  const since = /^\d{1,15}$/.test(sinceState) ? Number(sinceState) : Number.NaN
  if (!(since >= kept.low && since <= kept.change)) throw new MethodError('cannotCalculateChanges')
  const events = [
    ...kept.records
      .filter((one) => one.changed > since)
      .map((one) => ({ change: one.changed, id: one.id, kind: one.created > since ? 'created' : 'updated' })),
    ...kept.gone.filter(([change]) => change > since).map(([change, id]) => ({ change, id, kind: 'destroyed' })),
  ].sort((a, b) => a.change - b.change)
  const told = events.slice(0, maxChanges)
  const more = told.length < events.length
  const of = (kind: string): string[] => told.filter((one) => one.kind === kind).map((one) => one.id)
  return {
    oldState: sinceState,
    newState: String(more ? told.at(-1)?.change : kept.change),
    hasMoreChanges: more,
    created: of('created'),
    updated: of('updated'),
    destroyed: of('destroyed'),
  }
}
