import {
  type ApplyResult,
  type ChangeNumber,
  DomainError,
  MAX_OPERATIONS,
  MAX_STATE_BYTES,
  type Operation,
  type OperationResult,
  type OriginalSource,
} from '@postrider/domain'
import type { Context } from './context.ts'
import { createFolder, deleteFolder, updateFolder } from './folders.ts'
import { add, replace, update } from './items.ts'
import { enqueue, queueChange } from './queue.ts'
import { keepReady } from './ready.ts'
import { copy, flag, move, remove } from './selections.ts'
import { deleteState, once, putState, setPermission, setQuota } from './small.ts'

type Handlers = {
  readonly [Op in Operation['op']]: (
    context: Context,
    operation: Extract<Operation, { op: Op }>,
  ) => OperationResult | undefined
}

/** One function per operation; `undefined` is an answer without content. */
const handlers: Handlers = {
  createFolder,
  updateFolder,
  deleteFolder,
  add,
  copy,
  move,
  remove,
  flag,
  update,
  replace,
  putState,
  deleteState,
  once,
  setPermission,
  enqueue,
  queueChange,
  setQuota,
  keepReady,
}

/**
 * Operations that go on while the disk is full: they give room back or take little. Client states and idempotency keys are among them, because a
 * phone's delete comes with its sync state.
 */
const freeing: ReadonlySet<Operation['op']> = new Set<Operation['op']>([
  'remove',
  'deleteFolder',
  'move',
  'flag',
  'putState',
  'deleteState',
  'once',
  'queueChange',
  'setQuota',
  'setPermission',
])
export const isFreeing = (operations: readonly Operation[]): boolean =>
  operations.length > 0 && operations.every((operation) => freeing.has(operation.op))

/** The new bytes of an operation, which are appended to a segment before the transaction. */
export function newBytes(operation: Operation): Extract<OriginalSource, { bytes: Uint8Array }> | undefined {
  const source =
    operation.op === 'add' || operation.op === 'replace'
      ? operation.item.original
      : operation.op === 'enqueue'
        ? operation.original
        : undefined
  return source !== undefined && 'bytes' in source ? source : undefined
}

/** Whether an operation may name bytes that are not synced yet. */
export const namesBytes = (operation: Operation): boolean =>
  operation.op === 'add' || operation.op === 'replace' || operation.op === 'enqueue'

/** Runs a list of operations. Throws DomainError with the index of the one that failed; the caller rolls back. */
export function applyAll(given: Omit<Context, 'results'>, operations: readonly Operation[]): ApplyResult {
  const results: OperationResult[] = []
  const context: Context = { ...given, results }
  for (const operation of operations) results.push(applyNext(context, operation))
  return { change: context.mailbox.row.change as ChangeNumber, results }
}

/** Runs the operation that comes after those with results. Throws DomainError with its index. */
export function applyNext(context: Context, operation: Operation): OperationResult {
  const handler = handlers[operation.op] as ((c: Context, o: Operation) => OperationResult | undefined) | undefined
  try {
    if (handler === undefined) throw new DomainError('invalid', `operation ${String(operation.op)}`)
    return handler(context, operation) ?? ({ op: operation.op } as OperationResult)
  } catch (cause) {
    if (!(cause instanceof DomainError)) throw cause
    const message = cause.message.slice(cause.code.length + 2)
    throw new DomainError(cause.code, message, { cause, operation: context.results.length })
  }
}

/** Throws `tooMany` for a list beyond the limits. */
export function checkLimits(operations: readonly Operation[]): void {
  if (operations.length > MAX_OPERATIONS) throw new DomainError('tooMany', `${operations.length} operations`)
  let stateBytes = 0
  for (const [index, operation] of operations.entries()) {
    if (operation.op !== 'putState') continue
    stateBytes += operation.value.length
    if (stateBytes > MAX_STATE_BYTES) throw new DomainError('tooMany', 'bytes of state', { operation: index })
  }
}
