import { databaseOwner } from '@postrider/domain'
import { CommandFailed } from '../cli/command.ts'
import { type NodeRecord, NODES } from './identity.ts'

/** What a choice needs of the directory. */
interface Places {
  setting(name: string): unknown
  settingsNamed(prefix: string): readonly (readonly [string, unknown])[]
  mailboxes(): Iterable<{ readonly database: string }>
}

/**
 * The database of a new mailbox: the one with fewest mailboxes, of the node that is named or of all. `own`: databases the directory's node is known to
 * have. Undefined: the directory's node chooses among its own, as without further nodes. Throws in words when there is no such place.
 */
export function placeOf(directory: Places, own: readonly string[], named: string | undefined): string | undefined {
  const nodes = directory.settingsNamed(NODES).map(([, value]) => value as NodeRecord)
  const counts = new Map(own.map((database) => [database, 0]))
  for (const { databases } of nodes) for (const database of databases) counts.set(database, 0)
  for (const { database } of directory.mailboxes()) counts.set(database, (counts.get(database) ?? 0) + 1)
  if (named === undefined) return nodes.length === 0 ? undefined : fewest(counts)
  const node = nodes.find(({ name }) => name === named)
  if (node === undefined) {
    const names = nodes.map(({ name }) => name).join(', ') || '–'
    throw new CommandFailed(
      {
        en: `There is no node ${named}. There are: ${names}.`,
        fr: `Il n’y a pas de nœud ${named}. Il y a : ${names}.`,
      },
      'notFound',
    )
  }
  const isHere = ({ node: owner }: { readonly node: string }): boolean => owner === (isHead(node) ? '' : named)
  const there = [...counts].filter(([database]) => isHere(databaseOwner(directory, database)))
  if (there.length === 0 && !isHead(node))
    throw new CommandFailed({ en: `${named} has no mailboxes.`, fr: `${named} n’a pas de boîtes.` })
  return fewest(new Map(there))
}

/** The directory's own node has the first number; its databases are those that nobody else owns. */
const isHead = ({ number }: NodeRecord): boolean => number === 0

function fewest(counts: ReadonlyMap<string, number>): string | undefined {
  let best: readonly [string, number] | undefined
  for (const one of counts) if (best === undefined || one[1] < best[1]) best = one
  return best?.[0]
}
