import { ALL_RIGHTS, DomainError } from '@postrider/domain'
import { read } from '../sql/read.ts'
import { write } from '../sql/write.ts'
import type { Context, Of } from './context.ts'

export function putState({ connection, mailbox }: Context, operation: Of<'putState'>): undefined {
  const { client, key, value } = operation
  if (operation.existing) connection.run(write.changeState, value, mailbox.id, client, key)
  else connection.run(write.putState, mailbox.id, client, key, value)
}

export function deleteState({ connection, mailbox }: Context, operation: Of<'deleteState'>): undefined {
  const { client, key, prefix = '' } = operation
  if (key !== undefined) connection.run(write.removeState, mailbox.id, client, key)
  else if (prefix === '') connection.run(write.removeStates, mailbox.id, client)
  else {
    for (const [found] of connection.all(read.stateKeys, mailbox.id, client, prefix)) {
      if (!(found as string).startsWith(prefix)) break
      connection.run(write.removeState, mailbox.id, client, found as string)
    }
  }
}

export function once({ connection, mailbox, now }: Context, { key, keepMs }: Of<'once'>): undefined {
  const until = connection.get(read.once, mailbox.id, key)?.[0] as number | undefined
  if (until !== undefined && until > now) throw new DomainError('duplicate', JSON.stringify(key))
  connection.run(write.putOnce, mailbox.id, key, now + keepMs)
}

export function setPermission({ connection, mailbox }: Context, operation: Of<'setPermission'>): undefined {
  const { folder, member, rights } = operation
  mailbox.folder(folder)
  if (rights === undefined) connection.run(write.removePermission, mailbox.id, folder, member)
  else if ((rights & ~ALL_RIGHTS) !== 0 || !Number.isInteger(rights)) {
    throw new DomainError('invalid', `rights ${rights}`)
  } else connection.run(write.putPermission, mailbox.id, folder, member, rights)
}

export function setQuota({ books, mailbox, journal }: Context, { quota }: Of<'setQuota'>): undefined {
  if (quota !== undefined && !(Number.isSafeInteger(quota) && quota >= 0)) {
    throw new DomainError('invalid', `quota ${quota}`)
  }
  books.change(journal, mailbox)
  mailbox.row.quota = quota ?? null
}
