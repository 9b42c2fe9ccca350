/** Who may do what with a mailbox: RFC 4314, over the permission lists of folders that all protocols share. */
import type { Folder, MailboxEntry, Permission } from '@postrider/domain'
import { Right } from '@postrider/domain'
import { bad, no, ok, Refusal } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { type Entry, FolderTree } from '../folders.ts'
import { allRights, bitsOf, changedRights, lettersOf, rightGroups } from '../rights.ts'
import type { Session } from '../session.ts'

/** Members of one list. */
const MAX_MEMBERS = 1_000
/** RFC 4314 §2: everybody, also those who are not logged in. */
const ANYONE = 'anyone'
/** What the store calls them. */
const DEFAULT = 'default'

interface Target {
  readonly entry: Entry
  readonly folder: Folder
}

/** The mailbox, for those who may do what `right` says with it. */
async function targetOf(session: Session, name: string, right: number): Promise<Target> {
  const { mailbox } = session.user
  const tree = await FolderTree.of(mailbox, session.context.settings.showHiddenFolders)
  const entry = tree.find(name)
  const folder = tree.folder(name)
  if (entry === undefined) throw new Refusal(no('No such mailbox', 'NONEXISTENT'))
  if (((await mailbox.rights(folder.id)) & right) !== right) throw new Refusal(no('Permission denied', 'NOPERM'))
  return { entry, folder }
}

function ownerOf(session: Session): MailboxEntry {
  const owner = session.context.directory.mailbox(session.user.mailbox.mailbox)
  if (owner === undefined) throw new Refusal(no('The mailbox does not exist', 'UNAVAILABLE'))
  return owner
}

/** A mailbox of the organisation by any of its addresses; undefined for everything else. */
function personOf(session: Session, identifier: string): MailboxEntry | undefined {
  const found = session.context.directory.resolve(identifier)
  return found.kind === 'mailbox' && found.entry.type !== 'system' ? found.entry : undefined
}

const listOf = async (session: Session, folder: Folder): Promise<readonly Permission[]> =>
  (await session.user.mailbox.permissions()).filter((one) => one.folder === folder.id && one.rights !== 0)

/** RFC 4314 §3.3, §3.6: the owner first. Members that are nobody any more are not told. */
export const getAcl = command({
  name: 'GETACL',
  states: afterLogin,
  capability: 'ACL',
  updates: 'all',
  async run(session, { mailbox }) {
    const { entry, folder } = await targetOf(session, mailbox, Right.folderOwner)
    const owner = ownerOf(session)
    const { out } = session
    out.ascii('* ACL ').mailbox(entry.name).ascii(' ').astring(owner.address).ascii(` ${allRights}`)
    for (const { member, rights } of await listOf(session, folder)) {
      const name = member === DEFAULT ? ANYONE : session.context.directory.account(member)?.address
      const letters = lettersOf(rights)
      if (name !== undefined && member !== owner.account && letters !== '')
        out.ascii(' ').astring(name).ascii(` ${letters}`)
    }
    out.crlf()
    return ok('GETACL completed')
  },
})

/** RFC 4314 §3.5, §3.8. */
export const myRights = command({
  name: 'MYRIGHTS',
  states: afterLogin,
  capability: 'ACL',
  updates: 'all',
  async run(session, { mailbox }) {
    const { entry, folder } = await targetOf(session, mailbox, 0)
    const letters = lettersOf(await session.user.mailbox.rights(folder.id))
    session.out.ascii('* MYRIGHTS ').mailbox(entry.name).ascii(' ').astring(letters).crlf()
    return ok('MYRIGHTS completed')
  },
})

/** RFC 4314 §3.4, §3.7: the owner has all rights always, others may be given each. */
export const listRights = command({
  name: 'LISTRIGHTS',
  states: afterLogin,
  capability: 'ACL',
  updates: 'all',
  async run(session, { mailbox, identifier }) {
    const { entry } = await targetOf(session, mailbox, Right.folderOwner)
    const person = identifier === ANYONE ? undefined : personOf(session, identifier)
    if (identifier !== ANYONE && person === undefined) return no('Nobody of that name')
    const own = person?.account === ownerOf(session).account
    session.out.ascii('* LISTRIGHTS ').mailbox(entry.name).ascii(' ').astring(identifier)
    session.out.ascii(own ? ` ${allRights}` : ` "" ${rightGroups.join(' ')}`).crlf()
    return ok('LISTRIGHTS completed')
  },
})

/** RFC 4314 §3.1. */
export const setAcl = command({
  name: 'SETACL',
  states: afterLogin,
  capability: 'ACL',
  updates: 'all',
  async run(session, { mailbox, identifier, change, rights }) {
    const bits = bitsOf(rights)
    if (bits === undefined) return bad('Unknown right')
    const { folder } = await targetOf(session, mailbox, Right.folderOwner)
    return write(
      session,
      folder,
      identifier,
      (before) => changedRights(before, change, bits),
      change !== '-' && bits !== 0,
    )
  },
})

/** RFC 4314 §3.2. */
export const deleteAcl = command({
  name: 'DELETEACL',
  states: afterLogin,
  capability: 'ACL',
  updates: 'all',
  async run(session, { mailbox, identifier }) {
    const { folder } = await targetOf(session, mailbox, Right.folderOwner)
    return write(session, folder, identifier, () => 0, false)
  },
})

/** Changes one line of a list; `gives`: somebody may have a right afterwards who had none. */
async function write(
  session: Session,
  folder: Folder,
  identifier: string,
  rightsAfter: (before: number) => number,
  gives: boolean,
): Promise<ReturnType<typeof ok>> {
  const owner = ownerOf(session)
  const person = identifier === ANYONE ? undefined : personOf(session, identifier)
  if (identifier !== ANYONE && person === undefined) return no('Nobody of that name')
  if (person?.account === owner.account) return no('The rights of the owner stay', 'CANNOT')
  const member = person?.account ?? DEFAULT
  const work = async (): Promise<void> => {
    const list = await listOf(session, folder)
    const before = list.find((one) => one.member === member)?.rights ?? 0
    const after = rightsAfter(before)
    if (after === before) return
    if (before === 0 && list.length >= MAX_MEMBERS) throw new Refusal(no('The list is full', 'LIMIT'))
    await session.user.mailbox.apply([
      { op: 'setPermission', folder: folder.id, member, rights: after === 0 ? undefined : after },
      // A list of rights has no change number of its own: the folder's moves.
      { op: 'updateFolder', folder: folder.id, props: new Map() },
    ])
  }
  const { giving } = session.context
  if (person === undefined) await work()
  else await giving(owner, person, gives, work)
  return ok('The rights are changed')
}
