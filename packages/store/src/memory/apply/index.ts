import {
  type ApplyResult,
  type ChangeNumber,
  DomainError,
  MAX_OPERATIONS,
  MAX_STATE_BYTES,
  type Operation,
  type OperationResult,
} from '@postrider/domain'
import type { Mailbox } from '../mailbox.ts'
import type { Transaction } from '../transaction.ts'
import { createFolder, deleteFolder, updateFolder } from './folders.ts'
import { add, replace, update } from './items.ts'
import { copy, flag, move, remove } from './selections.ts'
import { deleteState, once, putState, setPermission, setQuota } from './small.ts'
import { enqueue, queueChange } from './queue.ts'
import { keepReady } from './ready.ts'

/** What one operation works on. */
export interface Context {
  readonly mailbox: Mailbox
  readonly transaction: Transaction
  /** Answers of the operations before this one. */
  readonly results: readonly OperationResult[]
  /** The next queue id of the home. */
  readonly nextQueueId: () => number
}

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

/** Runs a list of operations. Throws DomainError with the index of the one that failed; the caller rolls back. */
export function applyAll(
  mailbox: Mailbox,
  transaction: Transaction,
  operations: readonly Operation[],
  nextQueueId: () => number,
): ApplyResult {
  checkLimits(operations)
  const results: OperationResult[] = []
  const context = { mailbox, transaction, results, nextQueueId }
  for (const [index, operation] of operations.entries()) {
    const handler = handlers[operation.op] as ((c: Context, o: Operation) => OperationResult | undefined) | undefined
    try {
      if (handler === undefined) throw new DomainError('invalid', `operation ${String(operation.op)}`)
      results.push(handler(context, operation) ?? ({ op: operation.op } as OperationResult))
    } catch (cause) {
      if (!(cause instanceof DomainError)) throw cause
      const detail = cause.message.slice(cause.code.length + 2)
      throw new DomainError(cause.code, detail, { cause, operation: index })
    }
  }
  return { change: mailbox.counters.change as ChangeNumber, results }
}

function checkLimits(operations: readonly Operation[]): void {
  if (operations.length > MAX_OPERATIONS) throw new DomainError('tooMany', `${operations.length} operations`)
  let stateBytes = 0
  for (const [index, operation] of operations.entries()) {
    if (operation.op !== 'putState') continue
    stateBytes += operation.value.length
    if (stateBytes > MAX_STATE_BYTES) throw new DomainError('tooMany', 'bytes of state', { operation: index })
  }
}
