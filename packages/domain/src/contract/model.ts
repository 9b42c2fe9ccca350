import assert from 'node:assert/strict'
import fc from 'fast-check'
import { DomainError } from '../error.ts'
import { Flag } from '../flags.ts'
import { folderNameKey } from '../folder.ts'
import type { FolderId, Mid } from '../ids.ts'
import { type Operation, resultOf } from '../operations.ts'
import { checkMailbox, Replica } from './invariants.ts'
import { type Box, newItem, numbers, type Subject } from './subject.ts'

/** What the model knows of one placement. */
interface Placement {
  mid: number
  folder: FolderId
  uid: number
  flags: number
  size: number
}

/** The reference: folders by id and placements by mid, with the plainest code that can be. */
class Model {
  readonly folders = new Map<FolderId, { name: string; uidNext: number }>()
  readonly rows = new Map<number, Placement>()

  rowsIn(folder: FolderId): Placement[] {
    return [...this.rows.values()].filter((row) => row.folder === folder).sort((a, b) => a.uid - b.uid)
  }
  nextUid(folder: FolderId): number {
    return this.folders.get(folder)!.uidNext++
  }
}

interface Real {
  readonly box: Box
  readonly replicas: Replica[]
}
type Command = fc.AsyncCommand<Model, Real>

const describeOf =
  (name: string, ...values: readonly unknown[]): (() => string) =>
  () =>
    `${name}(${values.join()})`

/** Picks one of a list by any natural number. */
const pick = <T>(list: readonly T[], n: number): T => list[n % list.length] as T
const folderAt = (model: Model, n: number): FolderId => pick([...model.folders.keys()], n)
/** A part of the folder's rows, by a bit mask, with one UID that is not there. */
const chosen = (model: Model, folder: FolderId, mask: number): Placement[] =>
  model.rowsIn(folder).filter((_, i) => (mask & (1 << (i % 16))) !== 0)
const uidsOf = (rows: readonly Placement[]): Uint32Array => Uint32Array.from([...rows.map((row) => row.uid), 4_000_000])

const natural = fc.nat({ max: 0xffff })

/** Builds a command from what it does to both worlds. */
const command = (label: () => string, run: (model: Model, real: Real) => Promise<void>): Command => ({
  check: () => true,
  run,
  toString: label,
})

const add = fc.tuple(natural, natural, natural).map(([where, flags, size]) =>
  command(describeOf('add', where, flags, size), async (model, { box }) => {
    const folder = folderAt(model, where)
    const given = { flags: flags & 31, text: 'x'.repeat(size % 50), associated: size % 7 === 0 }
    const added = await box.add(folder, given)
    const uid = model.nextUid(folder)
    assert.equal(added.uid, uid)
    model.rows.set(added.mid, { mid: added.mid, folder, uid, flags: flags & 31, size: size % 50 })
  }),
)

const flag = fc.tuple(natural, natural, natural, natural).map(([where, mask, set, clear]) =>
  command(describeOf('flag', where, mask, set, clear), async (model, { box }) => {
    const folder = folderAt(model, where)
    const rows = chosen(model, folder, mask)
    const next = (row: Placement): number => (row.flags & ~(clear & 31)) | (set & 31)
    const changing = rows.filter((row) => next(row) !== row.flags)
    const items = { uids: uidsOf(rows) }
    const result = await box.one({ op: 'flag', folder, items, set: set & 31, clear: clear & 31 })
    assert.deepEqual(
      numbers(result.uids),
      changing.map((row) => row.uid),
    )
    for (const row of changing) row.flags = next(row)
    assert.deepEqual(
      numbers(result.flags),
      changing.map((row) => row.flags),
    )
  }),
)

const place = fc.tuple(fc.constantFrom('copy', 'move'), natural, natural, natural).map(([op, from, to, mask]) =>
  command(describeOf(op, from, to, mask), async (model, { box }) => {
    const [source, target] = [folderAt(model, from), folderAt(model, to)]
    const rows = chosen(model, source, mask)
    const result = await box.one({ op, from: source, to: target, items: { uids: uidsOf(rows) } })
    assert.deepEqual(
      numbers(result.sourceMids),
      rows.map((row) => row.mid),
    )
    for (const [i, row] of rows.entries()) {
      const uid = model.nextUid(target)
      assert.equal(result.uids[i], uid)
      const mid = result.mids[i] as number
      assert.ok(!model.rows.has(mid))
      model.rows.set(mid, { ...row, mid, folder: target, uid })
      if (op === 'move') model.rows.delete(row.mid)
    }
  }),
)

const remove = fc.tuple(natural, natural).map(([where, mask]) =>
  command(describeOf('remove', where, mask), async (model, { box }) => {
    const folder = folderAt(model, where)
    const rows = chosen(model, folder, mask)
    const mids = Float64Array.from(rows, (row) => row.mid)
    const result = await box.one({ op: 'remove', folder, items: { mids } })
    assert.deepEqual(
      numbers(result.mids),
      rows.map((row) => row.mid),
    )
    for (const row of rows) model.rows.delete(row.mid)
  }),
)

const replace = fc.tuple(natural, natural).map(([which, size]) =>
  command(describeOf('replace', which, size), async (model, { box }) => {
    if (model.rows.size === 0) return
    const row = pick([...model.rows.values()], which)
    const item = newItem({ text: 'y'.repeat(size % 50), flags: Flag.draft })
    const result = await box.one({ op: 'replace', mid: row.mid as Mid, item })
    row.uid = model.nextUid(row.folder)
    row.flags = Flag.draft
    row.size = size % 50
    assert.equal(result.uid, row.uid)
  }),
)

const folders = fc.tuple(fc.constantFrom('create', 'rename', 'delete'), natural, natural).map(([what, which, n]) =>
  command(describeOf(`${what} folder`, which, n), async (model, { box }) => {
    const name = `folder ${n % 5}`
    const own = [...model.folders].filter(([, folder]) => folder.name !== '')
    const taken = own.find(([, folder]) => folderNameKey(folder.name) === folderNameKey(name))
    const operation = folderOperation(box, what, name, own.length === 0 ? undefined : pick(own, which)[0])
    if (operation === undefined) return
    const expected =
      what !== 'delete' && taken !== undefined && !(what === 'rename' && taken[0] === folderIdOf(operation))
    const result = await box.apply(operation).catch((error: unknown) => error)
    if (expected) {
      assert.equal(result instanceof DomainError && result.code, 'folderExists')
      return
    }
    if (result instanceof Error) throw result
    if (operation.op === 'createFolder') {
      const made = resultOf(result as Awaited<ReturnType<Box['apply']>>, 0, 'createFolder')
      model.folders.set(made.folder, { name, uidNext: 1 })
    } else if (operation.op === 'updateFolder') model.folders.get(operation.folder)!.name = name
    else if (operation.op === 'deleteFolder') {
      for (const row of model.rowsIn(operation.folder)) model.rows.delete(row.mid)
      model.folders.delete(operation.folder)
    }
  }),
)
const folderIdOf = (operation: Operation): FolderId | undefined =>
  operation.op === 'updateFolder' ? operation.folder : undefined

function folderOperation(box: Box, what: string, name: string, own: FolderId | undefined): Operation | undefined {
  if (what === 'create') return { op: 'createFolder', parent: box.top, name, class: 'IPF.Note' }
  if (own === undefined) return undefined
  return what === 'rename'
    ? { op: 'updateFolder', folder: own, name }
    : { op: 'deleteFolder', folder: own, recursive: true }
}

/** A list that would do much and fails at its end. */
const failing = fc.tuple(natural, natural).map(([where, mask]) =>
  command(describeOf('failing', where, mask), async (model, { box }) => {
    const folder = folderAt(model, where)
    const uids = uidsOf(chosen(model, folder, mask))
    const call = box.apply(
      { op: 'add', folder, item: newItem() },
      { op: 'flag', folder, items: { uids }, set: 31 },
      { op: 'move', from: folder, to: box.trash, items: { uids } },
      { op: 'remove', folder: box.trash, items: { uids: Uint32Array.of(1, 2, 3) } },
      { op: 'deleteFolder', folder: box.inbox, recursive: true },
    )
    const error = await call.catch((reason: unknown) => reason)
    assert.equal(error instanceof DomainError && error.operation, 4)
  }),
)

/** One of the followers reads a page. */
const follow = fc.tuple(natural, fc.integer({ min: 1, max: 9 })).map(([which, limit]) =>
  command(describeOf('follow', which, limit), async (_, { box, replicas }) => {
    await pick(replicas, which).pull(box, limit)
  }),
)

const commands = [add, add, flag, place, remove, replace, folders, failing, follow]

/** The whole mailbox is as the model says, and every follower arrives there. */
async function compare(model: Model, { box, replicas }: Real): Promise<void> {
  for (const [folder, { uidNext }] of model.folders) {
    const rows = await box.rows(folder)
    const seen = rows.map(({ mid, uid, flags, size }) => ({ mid, folder, uid, flags, size }))
    assert.deepEqual(seen, model.rowsIn(folder))
    assert.equal((await box.folder(folder)).uidNext, uidNext)
  }
  for (const replica of replicas) await checkMailbox(box, replica)
}

/** Random operations against the model. `runs` decides how long it takes. */
export async function checkModel(subject: Subject, runs: number): Promise<void> {
  const property = fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (list) => {
    const box = await subject.box()
    const model = new Model()
    for (const id of [box.inbox, box.trash]) model.folders.set(id, { name: '', uidNext: 1 })
    const real = { box, replicas: [new Replica(), new Replica(), new Replica()] }
    await fc.asyncModelRun(() => ({ model, real }), list)
    await compare(model, real)
  })
  await fc.assert(property, { numRuns: runs })
}
