import { no, ok } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { FolderTree } from '../folders.ts'
import type { Session } from '../session.ts'

/** RFC 9208 §4.2.1: one root for the whole mailbox, named by the empty string. */
export const getQuota = command({
  name: 'GETQUOTA',
  states: afterLogin,
  capability: 'QUOTA',
  updates: 'all',
  async run(session, { root }) {
    if (root !== '') return no('No such quota root', 'NONEXISTENT')
    await writeQuota(session)
    return ok('GETQUOTA completed')
  },
})

/** RFC 9208 §4.2.2. */
export const getQuotaRoot = command({
  name: 'GETQUOTAROOT',
  states: afterLogin,
  capability: 'QUOTA',
  updates: 'all',
  async run(session, { mailbox }) {
    const tree = await FolderTree.of(session.user.mailbox, session.context.settings.showHiddenFolders)
    const entry = tree.find(mailbox)
    if (entry === undefined) return no('No such mailbox', 'NONEXISTENT')
    session.out.ascii('* QUOTAROOT ').mailbox(entry.name).ascii(' ""\r\n')
    await writeQuota(session)
    return ok('GETQUOTAROOT completed')
  },
})

/** RFC 9208 §4.1.3: quotas are the administrator's. */
export const setQuota = command({
  name: 'SETQUOTA',
  states: afterLogin,
  capability: 'QUOTA',
  updates: 'all',
  run: () => no('Only the administrator sets quotas', 'NOPERM'),
})

/** STORAGE counts units of 1024 octets: RFC 9208 §5.1. Without a limit the list is empty. */
async function writeQuota(session: Session): Promise<void> {
  const { usedBytes, quota } = await session.user.mailbox.info()
  const storage = quota === undefined ? '' : `STORAGE ${Math.ceil(usedBytes / 1024)} ${Math.floor(quota / 1024)}`
  session.out.ascii(`* QUOTA "" (${storage})\r\n`)
}
