import type { Logger, MailboxId, Traces } from '@postrider/domain'
import { Peer } from '@postrider/link'
import {
  type DirectoryAuthenticator,
  type DirectoryNews,
  type DirectoryStore,
  directoryWrites,
  type SentVerdict,
} from '@postrider/store/directory'
import type { Channel } from '@postrider/link'
import type { Verdict } from '@postrider/domain'
import type { Measured } from '../home/side-channel.ts'
import { type SecondStep, secondStepMethods } from '../web/second-factor.ts'
import type { MetricsText } from './front.ts'
import type { AccessSide, HubSide, Joined } from './messages.ts'
import type { Shared } from './shared.ts'

export interface HubParts {
  readonly directory: DirectoryStore
  readonly authenticator: DirectoryAuthenticator
  readonly secondStep: SecondStep
  readonly shared: Shared
  readonly traces: Traces
  readonly log: Logger
  readonly joined: () => Joined
  readonly health: () => string | undefined
  readonly metrics: () => Promise<MetricsText>
}

/** What one client-access process tells its supervisor through the hub. */
export interface MemberEvents {
  ready(): void
  took(id: number): void
  gone(id: number): void
  pulse(measured: readonly Measured[], memoryBytes: number): void
}

/** Steps of the directory in one frame. */
const NEWS_A_FRAME = 500

/** Serves one client-access process: everything that only the main process knows. `events` finds out by name whom it speaks with. */
export function serveMember(
  channel: Channel,
  { directory, authenticator, secondStep, shared, traces, log, ...parts }: HubParts,
  events: (name: string, peer: Peer<AccessSide>) => MemberEvents,
): void {
  let member: MemberEvents | undefined
  let unfollow: (() => void) | undefined
  const sent = (verdict: Verdict): SentVerdict => ({
    verdict,
    version: verdict.ok ? authenticator.provedWith(verdict.principal) : 0,
  })
  const ours: HubSide = {
    calls: {
      async join(name) {
        member ??= events(name, peer)
        for (const news of inParts(directory.steps())) peer.words.directory(news)
        unfollow ??= followInBatches(directory, (news) => peer.words.directory(news))
        shared.join(peer)
        return parts.joined()
      },
      verify: async (attempt) => sent(await authenticator.verify(attempt)),
      scram: (login, protocol) => authenticator.scram(login, protocol),
      scramDone: async (...of) => sent(await authenticator.scramDone(...of)),
      async write(method, args) {
        if (!directoryWrites.includes(method)) throw new TypeError(`no ${String(method)}`)
        const change = directory[method] as (...of: readonly unknown[]) => Promise<unknown>
        const answer = await change.apply(directory, [...args])
        await shared.heard()
        return answer
      },
      async secondStep(method, args) {
        if (!secondStepMethods.includes(method)) throw new TypeError(`no ${String(method)}`)
        const run = secondStep[method] as (...of: readonly unknown[]) => Promise<unknown>
        return run.apply(secondStep, [...args] as [MailboxId])
      },
      turn: (name, id) => shared.turn(peer, name, id),
      post: (topic, key, note, keepMs) => shared.post(peer, topic, key, note, keepMs),
      health: async () => parts.health(),
      metrics: () => parts.metrics(),
    },
    words: {
      ready: () => member?.ready(),
      count: (key, by) => shared.count(peer, key, by),
      claim: (place, id) => shared.claim(peer, place, id),
      leave: (place, id) => shared.leavePlace(peer, place, id),
      vacate: (place) => shared.vacate(place),
      done: (id) => shared.done(peer, id),
      took: (id) => member?.took(id),
      gone: (id) => member?.gone(id),
      pulse: (measured, memoryBytes) => member?.pulse(measured, memoryBytes),
      trace: (address, line) => traces.of(address)?.(line),
    },
  }
  const peer: Peer<AccessSide> = new Peer<AccessSide>(channel, ours, {
    log,
    deadlines: DEADLINES,
    closed() {
      unfollow?.()
      shared.leave(peer)
    },
  })
}

/** A drain takes as long as clients are given; everything else answers at once. */
const DEADLINES = { drain: 3_600_000, reload: 10_000, status: 5_000 }

function* inParts(news: Iterable<DirectoryNews>): Generator<DirectoryNews[]> {
  let part: DirectoryNews[] = []
  for (const one of news) {
    part.push(one)
    if (part.length < NEWS_A_FRAME) continue
    yield part
    part = []
  }
  if (part.length > 0) yield part
}

/** The steps of one change travel together. A frame goes out with the step that ends a change, before anybody is answered. */
function followInBatches(directory: DirectoryStore, tell: (news: readonly DirectoryNews[]) => void): () => void {
  let waiting: DirectoryNews[] = []
  return directory.follow((news) => {
    waiting.push(news)
    if (news.kind !== 'changed' && waiting.length < NEWS_A_FRAME) return
    tell(waiting)
    waiting = []
  })
}
