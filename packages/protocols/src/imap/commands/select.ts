import type { Folder, FolderId } from '@postrider/domain'
import { type CommandOf, isKeyword, resolveRanges } from '@postrider/wire/imap'
import { type Answer, bad, ok, Refusal } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { KNOWN_FLAGS } from '../flags.ts'
import { FolderTree, SEPARATOR } from '../folders.ts'
import type { Session } from '../session.ts'
import type { Picture } from '../pictures/picture.ts'
import { EVERY_UID, tellChanged, tellVanished } from '../view/resync.ts'
import { isUnseen, View } from '../view/view.ts'
import { listAttributes } from './list.ts'

/** RFC 9051 §6.3.2. */
export const select = command({
  name: 'SELECT',
  states: afterLogin,
  updates: 'none',
  run: (session, args) => open(session, args, false),
})

/** RFC 9051 §6.3.3. */
export const examine = command({
  name: 'EXAMINE',
  states: afterLogin,
  updates: 'none',
  run: (session, args) => open(session, args, true),
})

type Arguments = Omit<CommandOf<'SELECT'>, 'name'>

async function open(session: Session, args: Arguments, readOnly: boolean): Promise<Answer> {
  const { user, enabled } = session
  if (args.qresync !== undefined && !enabled.qresync) throw new Refusal(bad('ENABLE QRESYNC first'))
  closeView(session, true)
  if (args.condstore) session.enableCondstore()
  const { held, settings, pictures } = session.context
  // First among the waiters, then read: nothing that happens from here on is missed. Where nobody waited before, both travel together, and the
  // feed is looked at once more.
  const listening = held.listens(user.mailbox.mailbox)
  session.hinted = false
  const holding = held.hold(user.mailbox.mailbox, session)
  try {
    const listed = user.mailbox.listing(args.qresync !== undefined)
    const guessed = args.qresync === undefined ? undefined : guess(session, args.mailbox, args.qresync)
    const [listing] = await Promise.all([listed, holding])
    const tree = FolderTree.named(listing, settings.showHiddenFolders)
    const folder = tree.folder(args.mailbox)
    const name = tree.find(args.mailbox)?.name ?? args.mailbox
    const right = guessed?.folder === folder.id && args.qresync?.uidValidity === folder.uidValidity
    let picture = right
      ? await guessed.picture
      : (pictures.unchanged(user.mailbox, folder, listing) ??
        (await pictures.of(user.mailbox, folder.id, folder.uidValidity)))
    // A guess that travelled before the listing: HIGHESTMODSEQ must not promise what was not read.
    if (picture.upTo < folder.contentChange) picture = await pictures.of(user.mailbox, folder.id, folder.uidValidity)
    const { rows } = picture
    const keywords = [...new Set(rows.keywordSets.flat())].filter(isKeyword)
    const view = new View(session, user.mailbox, held, folder, {
      name,
      readOnly,
      uids: picture.ranges,
      keywords,
      change: picture.upTo,
    })
    if (!listening || session.hinted) view.soil()
    session.state = { name: 'selected', user, view }
    tell(session, tree, folder, view, keywords, firstUnseen(rows.flags) + 1)
    const { qresync } = args
    if (qresync?.uidValidity === folder.uidValidity && qresync.modSeq < folder.contentChange) {
      const { knownUids } = qresync
      const known = knownUids?.kind === 'ranges' ? resolveRanges(knownUids.ranges, view.map.last) : EVERY_UID
      const told = await tellVanished(session, view, qresync.modSeq, known, folder.uidNext, picture)
      await tellChanged(session, view, told ? qresync.modSeq : 0, known, rows)
    }
    return ok(`${readOnly ? 'EXAMINE' : 'SELECT'} completed`, readOnly ? 'READ-ONLY' : 'READ-WRITE')
  } catch (error) {
    if (session.state.name !== 'selected') held.release(user.mailbox.mailbox, session)
    throw error
  }
}

interface Guess {
  readonly folder: FolderId
  readonly picture: Promise<Picture>
}

/**
 * Who comes back by QRESYNC needs the folder, and mostly it is still where it was the last time somebody looked: it is asked for together with
 * the listing, which says whether the guess was right.
 */
function guess(session: Session, name: string, qresync: NonNullable<Arguments['qresync']>): Guess | undefined {
  const { user, context } = session
  const folders = user.mailbox.remembered()
  if (folders === undefined) return undefined
  const folder = FolderTree.named({ folders }, context.settings.showHiddenFolders).find(name)?.folder
  if (folder?.uidValidity !== qresync.uidValidity) return undefined
  const picture = context.pictures.of(user.mailbox, folder.id, folder.uidValidity)
  // A failure is raised where the answer is used, or dropped with a wrong guess.
  picture.catch(() => undefined)
  return { folder: folder.id, picture }
}

function firstUnseen(flags: Uint32Array): number {
  for (let row = 0; row < flags.length; row++) if (isUnseen(flags[row] as number)) return row
  return -1
}

/** Leaves the selected mailbox. `told`: with the CLOSED that RFC 7162 §3.2.11 has a server with QRESYNC send to everybody. */
export function closeView(session: Session, told: boolean): void {
  if (session.state.name !== 'selected') return
  const { user, view } = session.state
  view.close()
  session.state = { name: 'authenticated', user }
  if (told && (session.offers('QRESYNC') || session.enabled.rev2))
    session.out.ascii('* OK [CLOSED] Previous mailbox closed\r\n')
}

function tell(
  session: Session,
  tree: FolderTree,
  folder: Folder,
  view: View,
  keywords: readonly string[],
  firstUnseen: number,
): void {
  const { out, enabled } = session
  out
    .ascii('* FLAGS ')
    .flags([...KNOWN_FLAGS, ...keywords])
    .crlf()
  const permanent = view.readOnly ? [] : [...KNOWN_FLAGS, ...keywords, '\\*']
  out.ascii('* OK [PERMANENTFLAGS ').flags(permanent).ascii('] Kept for good\r\n')
  out.ascii('* ').number(view.map.count).ascii(' EXISTS\r\n')
  if (!enabled.rev2) {
    out.ascii('* 0 RECENT\r\n')
    if (firstUnseen > 0) out.ascii('* OK [UNSEEN ').number(firstUnseen).ascii('] First unseen message\r\n')
  }
  out.ascii('* OK [UIDVALIDITY ').number(folder.uidValidity).ascii('] UIDs valid\r\n')
  out
    .ascii('* OK [UIDNEXT ')
    .number(Math.max(folder.uidNext, view.map.last + 1))
    .ascii('] Next UID\r\n')
  if (session.offers('CONDSTORE'))
    out.ascii('* OK [HIGHESTMODSEQ ').number(highestModSeq(folder)).ascii('] Highest\r\n')
  if (session.offers('OBJECTID')) out.ascii(`* OK [MAILBOXID (${mailboxId(folder)})] Stays when renamed\r\n`)
  if (enabled.rev2) {
    const entry = tree.find(view.name)
    // RFC 9051 §6.3.2: rev2 wants a LIST line, so that the client learns the name's true form.
    if (entry !== undefined) {
      out
        .ascii('* LIST (')
        .ascii(listAttributes(entry, { children: true }).join(' '))
        .ascii(`) "${SEPARATOR}" `)
      out.mailbox(entry.name).crlf()
    }
  }
}

/** HIGHESTMODSEQ of a folder: never 0 (RFC 7162 §3.1.2.1). */
export function highestModSeq(folder: Folder): number {
  return Math.max(1, folder.contentChange)
}

/** RFC 8474 §4.1. */
export function mailboxId(folder: Folder): string {
  return `F${folder.id}`
}
