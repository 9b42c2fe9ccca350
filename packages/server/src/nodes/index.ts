/**
 * Several machines: architecture.md §1. One node holds the directory; the others follow it (directory-link.ts) and go on with their copy while it is away.
 * Mailboxes are asked for at the node that owns their database (links.ts), over mutual TLS (link/carriers/tls.ts); what other nodes may ask of this
 * one is in hosted.ts. Who a node is stands in identity.ts. Invariant: a mailbox has one home, the one the directory names.
 */
import { isIP } from 'node:net'
import { databaseOwner, type Logger, type MailboxService, SpokenError, type Together } from '@postrider/domain'
import { listenTls, serveChannel } from '@postrider/link'
import type { DirectoryStore } from '@postrider/store/directory'
import { databasesInUse, type Loaded } from '../config/load.ts'
import { type FollowedDirectory, serveDirectory } from './directory-link.ts'
import { hostedService } from './hosted.ts'
import { type NodeIdentity, type NodeRecord, nodeSetting } from './identity.ts'

/** The databases that this node owns. A machine for client access has none. */
export function ownDatabases(
  loaded: Pick<Loaded, 'config'>,
  directory: DirectoryStore,
  identity: NodeIdentity | undefined,
): string[] {
  const names = namesOf(loaded, directory, identity)
  if (loaded.config.role === 'access' && names.length > 0)
    throw new SpokenError({
      en: `"role": "access" is for a machine without mailboxes; this one has ${names.join(', ')}. Join it with --databases 0.`,
      fr: `"role": "access" est pour une machine sans boîtes ; celle-ci a ${names.join(', ')}. Joignez-la avec --databases 0.`,
    })
  return names
}
function namesOf(
  loaded: Pick<Loaded, 'config'>,
  directory: DirectoryStore,
  identity: NodeIdentity | undefined,
): string[] {
  if (identity === undefined) return databasesInUse(loaded, directory)
  if (identity.head !== undefined) {
    const own = directory.setting(nodeSetting(identity.name)) as NodeRecord | undefined
    return (own?.databases ?? []).filter((name) => databaseOwner(directory, name).node === identity.name)
  }
  return databasesInUse(loaded, directory).filter((name) => databaseOwner(directory, name).node === '')
}

/** How a note of JMAP ends that says so: protocols/jmap/service.ts. */
const HELD = ' held'

/** What is held for later leaves from the directory's node: it is told when there is something. */
export function heldElsewhere(together: Together, followed: FollowedDirectory | undefined): Together {
  if (followed === undefined) return together
  return {
    ...together,
    post(topic, key, note, keepMs) {
      if (key.endsWith(HELD)) followed.held()
      return together.post(topic, key, note, keepMs)
    },
    // What this node's client-access processes say.
    read: (topic, reader) =>
      together.read(topic, (key, note) => {
        if (key.endsWith(HELD)) followed.held()
        reader(key, note)
      }),
  }
}

export interface NodeListening {
  readonly identity: NodeIdentity
  /** Address to listen on; empty: that of the identity if it is one, else all. */
  readonly address: string
  readonly directory: DirectoryStore
  /** Another node holds the directory. */
  readonly follows: boolean
  readonly service: MailboxService
  readonly wrote: () => Promise<void>
  readonly held: () => void
  readonly log: Logger
}

/** What other nodes hold for later is looked at together. */
const HELD_MS = 500

/** Listens for the other nodes. */
export async function listenForNodes(options: NodeListening): Promise<{ close(): void }> {
  const { identity, address, directory, follows, service, wrote, held, log } = options
  const isOwn = (database: string): boolean => {
    const { node } = databaseOwner(directory, database)
    return node === identity.name || (node === '' && identity.head === undefined)
  }
  const hosted = hostedService(service, directory, isOwn)
  let planned = false
  const look = (): void => {
    if (planned) return
    planned = true
    setTimeout(() => {
      planned = false
      held()
    }, HELD_MS).unref()
  }
  const listening = await listenTls({
    own: identity.certificate,
    host: address || (isIP(identity.host) === 0 ? '::' : identity.host),
    port: identity.port,
    purposes: follows ? ['postrider-mailboxes/1'] : ['postrider-mailboxes/1', 'postrider-directory/1'],
    admits({ name, fingerprint }) {
      const known = directory.setting(nodeSetting(name)) as NodeRecord | undefined
      const isOurs = known?.fingerprint === fingerprint
      if (!isOurs) log.warn({ node: name }, 'a node that is not one of ours any more was turned away')
      return isOurs
    },
    joined(channel, purpose, node) {
      log.info({ node: node.name, purpose }, 'another node has joined')
      if (purpose === 'postrider-mailboxes/1') serveChannel(hosted, channel, { log })
      else serveDirectory(channel, directory, { wrote, held: look }, log)
    },
  })
  log.info({ node: identity.name, port: listening.port }, 'the other nodes are listened for')
  return listening
}
