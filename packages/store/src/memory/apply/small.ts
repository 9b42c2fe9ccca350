import { ALL_RIGHTS, DomainError, type Operation } from '@postrider/domain'
import type { Context } from './index.ts'

type Of<Op extends Operation['op']> = Extract<Operation, { op: Op }>

export function putState({ mailbox, transaction }: Context, operation: Of<'putState'>): undefined {
  const { client, key, value } = operation
  let states = mailbox.states.get(client)
  if (operation.existing && !states?.has(key)) return
  if (states === undefined) {
    states = new Map()
    transaction.set(mailbox.states, client, states)
  }
  transaction.set(states, key, new Uint8Array(value))
}

export function deleteState({ mailbox, transaction }: Context, operation: Of<'deleteState'>): undefined {
  const { client, key, prefix } = operation
  const states = mailbox.states.get(client)
  if (states === undefined) return
  for (const one of [...states.keys()]) {
    if (key !== undefined ? one === key : one.startsWith(prefix ?? '')) transaction.delete(states, one)
  }
  if (states.size === 0) transaction.delete(mailbox.states, client)
}

export function once({ mailbox, transaction }: Context, { key, keepMs }: Of<'once'>): undefined {
  const until = mailbox.onces.get(key)
  if (until !== undefined && until > transaction.now) throw new DomainError('duplicate', JSON.stringify(key))
  transaction.set(mailbox.onces, key, transaction.now + keepMs)
}

export function setPermission({ mailbox, transaction }: Context, operation: Of<'setPermission'>): undefined {
  const { folder, member, rights } = operation
  mailbox.folder(folder)
  const key = `${folder} ${member}`
  if (rights === undefined) {
    transaction.delete(mailbox.permissions, key)
    return
  }
  if ((rights & ~ALL_RIGHTS) !== 0 || !Number.isInteger(rights)) throw new DomainError('invalid', `rights ${rights}`)
  transaction.set(mailbox.permissions, key, { folder, member, rights })
}

export function setQuota({ mailbox, transaction }: Context, { quota }: Of<'setQuota'>): undefined {
  if (quota !== undefined && !(quota >= 0)) throw new DomainError('invalid', `quota ${quota}`)
  transaction.save(mailbox.counters)
  mailbox.counters.quota = quota
}
