import type { Directory, Logger, MailboxService } from '@postrider/domain'
import { Caller, connectSocket, routeMailboxes } from '@postrider/link'
import { withSocketPath } from '../control/socket-path.ts'
import type { OwnerDoor } from '../home/index.ts'
import { whereabouts } from '../home/whereabouts.ts'
import type { NodeLinks } from '../nodes/links.ts'

/** An owner that starts again is looked for this often, ms; less often the longer it takes. */
const FIRST_RETRY_MS = 20
const LAST_RETRY_MS = 500

/** A way to one owner that is found again when the owner was started anew. Calls are `unavailable` meanwhile. */
class OwnerLink {
  readonly databases: readonly string[]
  readonly #folder: string
  readonly #door: OwnerDoor
  readonly #caller: Caller
  #retryMs = FIRST_RETRY_MS
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(folder: string, door: OwnerDoor, log: Logger) {
    this.#folder = folder
    this.#door = door
    this.databases = door.databases
    this.#caller = new Caller({ log, closed: () => this.#again() })
  }
  get service(): MailboxService {
    return this.#caller.service
  }
  /** Resolves after the first try, whether it went well or not. */
  async connect(): Promise<void> {
    try {
      const { socket, token } = this.#door
      const channel = await withSocketPath(this.#folder, socket, (path) => connectSocket(path, token))
      if (this.#closed) return channel.close()
      this.#retryMs = FIRST_RETRY_MS
      this.#caller.attach(channel)
    } catch {
      // The owner is away: its supervisor, in the main process, says why.
      this.#again()
    }
  }
  #again(): void {
    if (this.#closed) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.connect(), this.#retryMs)
    this.#retryMs = Math.min(LAST_RETRY_MS, this.#retryMs * 2)
  }
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#caller.close()
  }
}

/** The mailboxes as a client-access process reaches them: straight from their owners. */
export async function joinOwners(
  folder: string,
  doors: readonly OwnerDoor[],
  directory: Pick<Directory, 'mailbox' | 'watch'>,
  log: Logger,
  remote?: Pick<NodeLinks, 'ownerOf'>,
): Promise<{ readonly service: MailboxService; close(): void }> {
  const links = doors.map((door) => new OwnerLink(folder, door, log))
  const ownerOf = new Map(links.flatMap((link) => link.databases.map((name) => [name, link.service] as const)))
  await Promise.all(links.map((link) => link.connect()))
  return {
    service: routeMailboxes({
      ...whereabouts(directory),
      databaseOf: (mailbox) => directory.mailbox(mailbox)?.database,
      ownerOf: (database) => ownerOf.get(database) ?? remote?.ownerOf(database),
      owners: () => links.map((link) => link.service),
    }),
    close() {
      for (const link of links) link.close()
    },
  }
}
