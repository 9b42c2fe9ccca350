import type { CommandName } from '@postrider/wire/imap'
import type { AnyCommand } from './command.ts'
import { deleteAcl, getAcl, listRights, myRights, setAcl } from './commands/acl.ts'
import { append } from './commands/append.ts'
import { authenticate } from './commands/authenticate.ts'
import { capability } from './commands/capability.ts'
import { close, unselect } from './commands/close.ts'
import { compress } from './commands/compress.ts'
import { copy, move } from './commands/copy.ts'
import { create } from './commands/create.ts'
import { deleteMailbox } from './commands/delete.ts'
import { enable } from './commands/enable.ts'
import { expunge } from './commands/expunge.ts'
import { fetch } from './commands/fetch.ts'
import { id } from './commands/id.ts'
import { idle } from './commands/idle.ts'
import { list, lsub } from './commands/list.ts'
import { login } from './commands/login.ts'
import { logout } from './commands/logout.ts'
import { namespace } from './commands/namespace.ts'
import { getMetadata, setMetadata } from './commands/metadata.ts'
import { check, noop } from './commands/noop.ts'
import { getQuota, getQuotaRoot, setQuota } from './commands/quota.ts'
import { rename } from './commands/rename.ts'
import { replace } from './commands/replace.ts'
import { search } from './commands/search.ts'
import { examine, select } from './commands/select.ts'
import { sort } from './commands/sort.ts'
import { starttls } from './commands/starttls.ts'
import { status } from './commands/status.ts'
import { store } from './commands/store.ts'
import { subscribe, unsubscribe } from './commands/subscribe.ts'
import { thread } from './commands/thread.ts'

const all: readonly AnyCommand[] = [
  append,
  authenticate,
  capability,
  check,
  close,
  compress,
  copy,
  create,
  deleteAcl,
  deleteMailbox,
  enable,
  examine,
  expunge,
  fetch,
  getAcl,
  getMetadata,
  getQuota,
  getQuotaRoot,
  id,
  idle,
  list,
  listRights,
  login,
  logout,
  lsub,
  move,
  myRights,
  namespace,
  noop,
  rename,
  replace,
  search,
  select,
  setAcl,
  setMetadata,
  setQuota,
  sort,
  starttls,
  status,
  store,
  subscribe,
  thread,
  unselect,
  unsubscribe,
]

/** Every command there is, by name. */
export const commands: ReadonlyMap<CommandName, AnyCommand> = new Map(all.map((one) => [one.name, one]))
