import type { CommandOf } from '@postrider/wire/imap'
import { ok } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { type Entry, FolderTree, SEPARATOR } from '../folders.ts'
import type { Session } from '../session.ts'
import { matchesPattern } from './pattern.ts'
import { writeStatus } from './status.ts'
import { lostSubscriptions } from './subscriptions.ts'

/** RFC 9051 §6.3.9 with the options of RFC 5258, RFC 5819 (STATUS) and RFC 6154 (SPECIAL-USE). */
export const list = command({
  name: 'LIST',
  states: afterLogin,
  updates: 'all',
  async run(session, args) {
    if (!args.extended && args.patterns[0] === '') {
      session.out.ascii(`* LIST (\\Noselect) "${SEPARATOR}" ""\r\n`)
      return ok('LIST completed')
    }
    const tree = await FolderTree.of(session.user.mailbox, session.context.settings.showHiddenFolders)
    const patterns = args.patterns.map((pattern) => args.reference + pattern)
    const matches = (entry: Entry): boolean => patterns.some((pattern) => matchesPattern(pattern, entry.name))
    for (const entry of tree.entries()) {
      if (!matches(entry)) continue
      const chosen = isChosen(entry, args)
      const childInfo = args.selection.recursiveMatch && hasChosenBelow(tree, entry, args, matches)
      if (!chosen && !childInfo) continue
      writeList(session, entry, args, childInfo)
      if (chosen && entry.folder !== undefined && args.returns.status !== undefined) {
        await writeStatus(session, entry.name, entry.folder, args.returns.status)
      }
      await session.pace()
    }
    if (args.selection.subscribed) await writeLost(session, args, patterns)
    return ok('LIST completed')
  },
})

/** RFC 5258 §3: subscribed names without a mailbox are \NonExistent. */
async function writeLost(session: Session, { selection }: Arguments, patterns: readonly string[]): Promise<void> {
  if (selection.specialUse) return
  for (const name of await lostSubscriptions(session.user.mailbox)) {
    if (!patterns.some((pattern) => matchesPattern(pattern, name))) continue
    session.out.ascii(`* LIST (\\NonExistent \\Subscribed \\HasNoChildren) "${SEPARATOR}" `).mailbox(name).crlf()
  }
}

type Arguments = CommandOf<'LIST'>

function isChosen(entry: Entry, { selection }: Arguments): boolean {
  if (selection.subscribed && entry.folder?.subscribed !== true) return false
  return !selection.specialUse || (entry.folder !== undefined && FolderTree.use(entry.folder) !== undefined)
}

/** RFC 5258 §3.5: a mailbox inside meets the selection and would not be listed by itself. */
function hasChosenBelow(tree: FolderTree, entry: Entry, args: Arguments, matches: (entry: Entry) => boolean): boolean {
  const prefix = entry.name + SEPARATOR
  return tree.entries().some((one) => one.name.startsWith(prefix) && isChosen(one, args) && !matches(one))
}

function writeList(session: Session, entry: Entry, { selection, returns }: Arguments, childInfo: boolean): void {
  const subscribed = selection.subscribed || returns.subscribed
  const attributes = listAttributes(entry, { children: true, subscribed })
  session.out.ascii('* LIST (').ascii(attributes.join(' ')).ascii(`) "${SEPARATOR}" `).mailbox(entry.name)
  // RFC 5258 §3.5: the selection options that something inside meets.
  const met = [...(selection.subscribed ? ['"SUBSCRIBED"'] : []), ...(selection.specialUse ? ['"SPECIAL-USE"'] : [])]
  if (childInfo) session.out.ascii(` ("CHILDINFO" (${met.join(' ')}))`)
  session.out.crlf()
}

/** The attributes of one line: RFC 9051 §7.3.1. */
export function listAttributes(entry: Entry, show: { children?: boolean; subscribed?: boolean }): string[] {
  const attributes: string[] = []
  if (entry.folder === undefined) attributes.push('\\Noselect')
  if (show.subscribed && entry.folder?.subscribed) attributes.push('\\Subscribed')
  if (show.children) attributes.push(entry.children ? '\\HasChildren' : '\\HasNoChildren')
  const use = entry.folder === undefined ? undefined : FolderTree.use(entry.folder)
  if (use !== undefined) attributes.push(use)
  return attributes
}

/** RFC 3501 §6.3.9: the subscribed names; a level above one of them is listed when `%` stops there. */
export const lsub = command({
  name: 'LSUB',
  states: afterLogin,
  updates: 'all',
  async run(session, { reference, pattern }) {
    const tree = await FolderTree.of(session.user.mailbox, session.context.settings.showHiddenFolders)
    const whole = reference + pattern
    const here = tree.entries().filter((entry) => entry.folder?.subscribed)
    const subscribed = [...here.map((entry) => entry.name), ...(await lostSubscriptions(session.user.mailbox))]
    const listed = new Set(subscribed.filter((name) => matchesPattern(whole, name)))
    const above = new Set<string>()
    if (whole.endsWith('%')) {
      for (const name of subscribed) {
        if (listed.has(name)) continue
        for (let cut = name.lastIndexOf(SEPARATOR); cut > 0; cut = name.lastIndexOf(SEPARATOR, cut - 1)) {
          const parent = name.slice(0, cut)
          if (!listed.has(parent) && matchesPattern(whole, parent)) above.add(parent)
        }
      }
    }
    for (const name of [...listed, ...above]) {
      session.out
        .ascii(`* LSUB (${above.has(name) ? '\\Noselect' : ''}) "${SEPARATOR}" `)
        .mailbox(name)
        .crlf()
    }
    return ok('LSUB completed')
  },
})
