import {
  type Clock,
  type Directory,
  type Logger,
  type MailboxId,
  type MailboxService,
  type Meter,
  noMeter,
  type Submitter,
  silentLog,
  systemClock,
} from '@postrider/domain'
import { FolderIds, type TransportCore } from './core.ts'
import { type Egress, nodeEgress } from './egress/egress.ts'
import { Intake } from './intake/intake.ts'
import { AutomaticReplies } from './oof/reply.ts'
import type { Timeouts } from './outbound/client.ts'
import { dnsResolver, type Resolver } from './outbound/resolver.ts'
import { DeliveryWishes } from './queue/arrange.ts'
import type { DeliveryHook } from './queue/local.ts'
import { QueueRunner } from './queue/runner.ts'
import { defaultSettings, type TransportSettings } from './settings.ts'

export interface TransportOptions {
  readonly service: MailboxService
  readonly directory: Directory
  /** Everything not given is Exchange's default. */
  readonly settings: Partial<TransportSettings> & Pick<TransportSettings, 'fqdn'>
  /** The mailbox that holds queue rows nobody inside is concerned with (relayed mail); undefined: such mail is refused for now. */
  readonly systemMailbox?: () => MailboxId | undefined
  readonly egress?: Egress
  readonly resolver?: Resolver
  readonly clock?: Clock
  readonly log?: Logger
  readonly meter?: Meter
  /** For tests: RFC 5321's time-outs are minutes. */
  readonly timeouts?: Timeouts
}

export interface Transport extends Submitter {
  /** What the SMTP server's sessions hand their mail to (`MailIntake` of `protocols/smtp`). */
  readonly intake: Pick<Intake, 'accept' | 'condition' | 'hasRoom'>
  readonly runner: Pick<QueueRunner, 'start' | 'stop' | 'claim' | 'idle'>
  /** Resolves when all work behind accepted mail (deliveries after the commit, automatic replies) is done: before exit, and in tests. */
  settled(): Promise<void>
}

/** Puts the transport together; nothing runs until `runner.start()`, intake works at once. */
export function createTransport(options: TransportOptions): Transport {
  const core: TransportCore = {
    service: options.service,
    directory: options.directory,
    settings: { ...defaultSettings, ...options.settings },
    clock: options.clock ?? systemClock,
    log: (options.log ?? silentLog).child({ part: 'transport' }),
    meter: options.meter ?? noMeter,
    folders: new FolderIds(options.service),
    wishes: new DeliveryWishes({ service: options.service, clock: options.clock ?? systemClock }),
    systemMailbox: options.systemMailbox ?? (() => undefined),
  }
  const background = new Set<Promise<void>>()
  const track = (work: Promise<void>): void => {
    const tracked = work.finally(() => background.delete(tracked))
    background.add(tracked)
  }
  const replies = new AutomaticReplies(core)
  const hook: DeliveryHook = (entry, recipient, job) =>
    track(replies.consider(entry, job.from, recipient.address, job.bytes))
  const intake = new Intake(core, hook, track)
  const world = {
    egress: options.egress ?? nodeEgress,
    resolver: options.resolver ?? dnsResolver(),
    ...(options.timeouts === undefined ? {} : { timeouts: options.timeouts }),
  }
  return {
    intake,
    runner: new QueueRunner(core, world, hook),
    submit: (submission) => intake.submit(submission),
    async settled() {
      while (background.size > 0) await Promise.all(background)
    },
  }
}
