/** The directory between nodes: who holds it tells every step to the others, who keep a copy and have changes made there. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DomainError, type Logger } from '@postrider/domain'
import { type Channel, connectTls, decodeFrame, encodeFrame, Peer } from '@postrider/link'
import {
  type DirectoryStore,
  type DirectoryWrite,
  directoryWrites,
  type NodeNews,
  openFollower,
} from '@postrider/store/directory'
import type { NodeIdentity } from './identity.ts'

type HeadSide = {
  readonly calls: {
    join(): Promise<void>
    write(method: DirectoryWrite, args: readonly unknown[]): Promise<unknown>
  }
  readonly words: {
    /** Something is held for later in a mailbox: it leaves from where the directory is. */
    held(): void
  }
}
type FollowerSide = {
  readonly calls: Record<string, never>
  readonly words: { directory(news: readonly NodeNews[]): void }
}

const NEWS_A_FRAME = 500

/** Serves the directory to one node. `wrote` hears of changes that it had made, `held` of what waits in a mailbox. */
export function serveDirectory(
  channel: Channel,
  directory: DirectoryStore,
  { wrote, held }: { readonly wrote: () => Promise<void>; readonly held: () => void },
  log: Logger,
): void {
  let unfollow: (() => void) | undefined
  const peer: Peer<FollowerSide> = new Peer<FollowerSide>(
    channel,
    {
      calls: {
        async join() {
          const news = [...directory.nodeSteps()]
          for (let at = 0; at < news.length; at += NEWS_A_FRAME) peer.words.directory(news.slice(at, at + NEWS_A_FRAME))
          unfollow ??= directory.follow((step) => peer.words.directory(directory.forNodes(step)))
        },
        async write(method: DirectoryWrite, args: readonly unknown[]) {
          if (!directoryWrites.includes(method)) throw new TypeError(`no ${String(method)}`)
          const change = directory[method] as (...of: readonly unknown[]) => Promise<unknown>
          const answer = await change.apply(directory, [...args])
          await wrote()
          return answer
        },
      },
      words: { held },
    },
    { log, closed: () => unfollow?.() },
  )
}

const COPY_FILE = 'directory.copy'
const SAVE_MS = 1_000
const FIRST_RETRY_MS = 200
const LAST_RETRY_MS = 5_000
/** The first copy must come within this. */
const FIRST_COPY_MS = 60_000

export interface FollowedDirectory {
  readonly directory: DirectoryStore
  /** Tells that something is held for later. */
  held(): void
  close(): void
}

/**
 * Opens this node's copy of the directory. What was copied before is used at once, also while the node that holds the directory is away; changes are made
 * there, and are `unavailable` meanwhile. Rejects when there is no copy yet and none comes.
 */
export async function followDirectory(
  dataFolder: string,
  identity: NodeIdentity,
  log: Logger,
): Promise<FollowedDirectory> {
  const { head } = identity
  if (head === undefined) throw new TypeError('this node holds the directory')
  const file = join(dataFolder, COPY_FILE)
  let peer: Peer<HeadSide> | undefined
  let closed = false
  let retryMs = FIRST_RETRY_MS
  let retry: NodeJS.Timeout | undefined
  let saving: NodeJS.Timeout | undefined
  const directory = openFollower((method, args) =>
    peer === undefined
      ? Promise.reject(new DomainError('unavailable', 'the node that holds the directory is away'))
      : peer.calls.write(method, args),
  )
  const save = (): void => {
    saving = undefined
    writeFileSync(`${file}.new`, encodeFrame(1, 0, [...directory.nodeSteps()]), { mode: 0o600, flush: true })
    renameSync(`${file}.new`, file)
  }
  const complete = Promise.withResolvers<void>()
  if (existsSync(file)) {
    for (const news of decodeFrame(readFileSync(file)).value as readonly NodeNews[]) directory.take(news)
    complete.resolve()
  }
  const again = (error: unknown): void => {
    if (closed) return
    if (peer !== undefined || retryMs === FIRST_RETRY_MS)
      log.warn({ err: error, node: head.name }, 'the directory’s node is away')
    peer = undefined
    clearTimeout(retry)
    retry = setTimeout(() => void connect(), retryMs)
    retryMs = Math.min(LAST_RETRY_MS, retryMs * 2)
  }
  const connect = async (): Promise<void> => {
    try {
      const channel = await connectTls({
        own: identity.certificate,
        ...head,
        purpose: 'postrider-directory/1',
        peer: { name: head.name },
      })
      if (closed) return channel.close()
      const joining: Peer<HeadSide> = new Peer<HeadSide>(
        channel,
        {
          calls: {},
          words: {
            directory(news: readonly NodeNews[]) {
              for (const one of news) {
                directory.take(one)
                if (one.kind === 'complete') complete.resolve()
              }
              saving ??= setTimeout(save, SAVE_MS).unref()
            },
          },
        },
        { log, closed: () => again(new Error('the connection was lost')) },
      )
      await joining.calls.join()
      peer = joining
      retryMs = FIRST_RETRY_MS
      log.info({ node: head.name }, 'the directory is followed')
    } catch (error) {
      again(error)
    }
  }
  await connect()
  const late = setTimeout(
    () =>
      complete.reject(new DomainError('unavailable', `no copy of the directory comes from ${head.host}:${head.port}`)),
    FIRST_COPY_MS,
  )
  const close = (): void => {
    closed = true
    clearTimeout(retry)
    clearTimeout(saving)
    if (saving !== undefined) save()
    peer?.close()
    directory.close()
  }
  try {
    await complete.promise
  } catch (error) {
    close()
    throw error
  } finally {
    clearTimeout(late)
  }
  return { directory, held: () => peer?.words.held(), close }
}
