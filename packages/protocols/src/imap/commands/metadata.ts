/**
 * Annotations of mailboxes and of the server: RFC 5464. Kept as state entries of the mailbox, by folder, so they stay with a mailbox that is
 * renamed and go with the account's own data. Key: the folder's id (0: the server), a space, the entry in lower case. Value: its octets.
 */
import type { Operation } from '@postrider/domain'
import { no, ok, type Answer, Refusal, bad } from '../codes.ts'
import { afterLogin, command } from '../command.ts'
import { FolderTree } from '../folders.ts'
import type { Session } from '../session.ts'

const CLIENT = 'imap-metadata'
const SERVER = 0

/** Octets of one value; the literals of a command hold no more. */
const MAX_VALUE = 64 * 1024
/** Entries of one mailbox. */
const MAX_ENTRIES = 200
const MAX_NAME = 256

const prefixOf = (folder: number): string => `${folder} `

/** What is to go with a mailbox that is deleted. */
export const dropMetadata = (folder: number): Operation => ({
  op: 'deleteState',
  client: CLIENT,
  prefix: prefixOf(folder),
})

/** The mailbox a name stands for; '' is the server. */
async function folderOf(session: Session, name: string): Promise<number> {
  if (name === '') return SERVER
  const tree = await FolderTree.of(session.user.mailbox, session.context.settings.showHiddenFolders)
  return tree.folder(name).id
}

/** RFC 5464 §3.2, §6.2: /private/ or /shared/ and levels of ASCII; case does not count. Raises BAD. */
function entryName(text: string): string {
  if (text.length > MAX_NAME || !/^\/(?:private|shared)(?:\/[!-$&-).0-~+,-]+)+$/i.test(text)) {
    throw new Refusal(bad('Invalid entry name'))
  }
  return text.toLowerCase()
}

async function stored(session: Session, folder: number): Promise<ReadonlyMap<string, Uint8Array>> {
  const prefix = prefixOf(folder)
  const entries = await session.user.mailbox.state(CLIENT, prefix)
  return new Map(entries.map(({ key, value }) => [key.slice(prefix.length), value]))
}

/** Whether `name` is `entry` or so many levels below it. */
function within(name: string, entry: string, depth: 0 | 1 | 'infinity'): boolean {
  if (name === entry) return true
  if (depth === 0 || !name.startsWith(`${entry}/`)) return false
  return depth === 'infinity' || !name.slice(entry.length + 1).includes('/')
}

/** RFC 5464 §4.2. An entry that is asked for by its name alone and is not there is NIL. */
export const getMetadata = command({
  name: 'GETMETADATA',
  states: afterLogin,
  capability: 'METADATA',
  updates: 'all',
  async run(session, { mailbox, entries, maxSize, depth }) {
    const wanted = entries.map(depth === 0 ? entryName : topName)
    const folder = await folderOf(session, mailbox)
    const all = await stored(session, folder)
    const names = new Set<string>(depth === 0 ? wanted : [])
    for (const name of all.keys()) if (wanted.some((entry) => within(name, entry, depth))) names.add(name)
    let longest = 0
    const shown: (readonly [string, Uint8Array | undefined])[] = []
    for (const name of names) {
      const value = all.get(name)
      if (value !== undefined && maxSize !== undefined && value.length > maxSize)
        longest = Math.max(longest, value.length)
      else shown.push([name, value])
    }
    if (shown.length > 0) {
      const { out } = session
      out.ascii('* METADATA ').mailbox(mailbox).ascii(' (')
      for (const [i, [name, value]] of shown.entries()) {
        out
          .ascii(i === 0 ? '' : ' ')
          .astring(name)
          .ascii(' ')
        if (value === undefined) out.ascii('NIL')
        else if (value.includes(0)) out.literalHead(value.length, true).bytes(value)
        else out.byteString(value)
        await session.pace()
      }
      out.ascii(')').crlf()
    }
    return ok('GETMETADATA completed', longest > 0 ? `METADATA LONGENTRIES ${longest}` : undefined)
  },
})

/** With a depth the two roots may be asked for, too. */
const topName = (text: string): string => (/^\/(?:private|shared)$/i.test(text) ? text.toLowerCase() : entryName(text))

/** RFC 5464 §4.3: all or nothing, in one transaction. */
export const setMetadata = command({
  name: 'SETMETADATA',
  states: afterLogin,
  capability: 'METADATA',
  updates: 'all',
  async run(session, { mailbox, values }): Promise<Answer> {
    const wanted = values.map(({ entry, value }) => ({ entry: entryName(entry), value }))
    const folder = await folderOf(session, mailbox)
    // What all users of the server see is not one user's to write.
    if (folder === SERVER && wanted.some(({ entry }) => entry.startsWith('/shared/'))) {
      return no('Only the administrator annotates the server for all', 'NOPERM')
    }
    if (wanted.some(({ value }) => (value?.length ?? 0) > MAX_VALUE)) {
      return no('The value is too long', `METADATA MAXSIZE ${MAX_VALUE}`)
    }
    const names = new Set((await stored(session, folder)).keys())
    for (const { entry, value } of wanted) {
      if (value === undefined) names.delete(entry)
      else names.add(entry)
    }
    if (names.size > MAX_ENTRIES) return no('The mailbox has too many annotations', 'METADATA TOOMANY')
    await session.user.mailbox.apply(
      wanted.map(({ entry, value }): Operation => {
        const key = prefixOf(folder) + entry
        return value === undefined
          ? { op: 'deleteState', client: CLIENT, key }
          : { op: 'putState', client: CLIENT, key, value: Buffer.from(value, 'latin1') }
      }),
    )
    return ok('SETMETADATA completed')
  },
})
