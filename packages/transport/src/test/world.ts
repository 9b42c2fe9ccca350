/** An organisation on the memory store, with a clock that tests move, a DNS that tests write, and a transport over them. */
import type {
  Clock,
  FolderRole,
  Item,
  MailboxEntry,
  MailboxId,
  Operation,
  Principal,
  QueueRecipient,
} from '@postrider/domain'
import { noMeter } from '@postrider/domain'
import { openDirectory } from '@postrider/store/directory'
import { openMemoryStore } from '@postrider/store/memory'
import type { DnsAnswer, MxRecord, Resolver } from '../outbound/resolver.ts'
import type { TransportSettings } from '../settings.ts'
import { createTransport, type Transport } from '../transport.ts'

export class TestClock implements Clock {
  time = Date.UTC(2026, 10, 21, 12)
  now(): number {
    return this.time
  }
  monotonic(): number {
    return this.time
  }
  advance(ms: number): void {
    this.time += ms
  }
}

export class TestResolver implements Resolver {
  readonly records = new Map<string, DnsAnswer<MxRecord>>()
  readonly hosts = new Map<string, DnsAnswer<string>>()
  async mx(domain: string): Promise<DnsAnswer<MxRecord>> {
    return this.records.get(domain) ?? { kind: 'noDomain' }
  }
  async addresses(host: string): Promise<DnsAnswer<string>> {
    return this.hosts.get(host) ?? { kind: 'noDomain' }
  }
  configured(host: string): Promise<DnsAnswer<string>> {
    return this.addresses(host)
  }
  /** remote.example has one MX, at this address. */
  point(domain: string, address = '127.0.0.1'): void {
    this.records.set(domain, { kind: 'found', records: [{ exchange: `mx.${domain}`, priority: 10 }] })
    this.hosts.set(`mx.${domain}`, { kind: 'found', records: [address] })
  }
}

export const MINUTE = 60_000

export async function world(settings: Partial<TransportSettings> = {}) {
  const clock = new TestClock()
  const directory = openDirectory({
    file: ':memory:',
    hashCost: { memory: 8, passes: 1 },
    databases: ['one', 'two'],
    clock,
  })
  await directory.addDomain('example.com', 'Authoritative')
  const store = openMemoryStore({ clock })
  const add = async (
    name: string,
    change: { quota?: number; type?: MailboxEntry['type'] } = {},
  ): Promise<MailboxEntry> => {
    const entry = await directory.addMailbox({ address: `${name}@example.com`, ...change })
    await store.create(entry.mailbox, { language: 'en', quota: change.quota, database: entry.database })
    return entry
  }
  const system = await add('system', { type: 'system' })
  const bob = await add('bob')
  const alice = await add('alice')
  const carol = await add('carol')
  const resolver = new TestResolver()
  const gauges = new Map<string, number>()
  const make = (): Transport =>
    createTransport({
      service: store,
      directory,
      settings: { fqdn: 'mail.example.com', allowPrivateAddresses: true, ...settings },
      systemMailbox: () => system.mailbox,
      resolver,
      clock,
      meter: { ...noMeter, gauge: (name, value) => void gauges.set(name, value) },
    })
  const transport = make()

  const items = async (mailbox: MailboxId, role: FolderRole = 'inbox'): Promise<readonly Item[]> => {
    const folder = (await store.folders(mailbox)).find((one) => one.role === role)!
    const packed = await store.scan(mailbox, { folder: folder.id, columns: ['mid'] })
    const mids = [...packed.mid] as Item['mid'][]
    return mids.length === 0 ? [] : store.get(mailbox, { by: { mids }, columns: ['original', 'promoted'] })
  }
  const text = async (mailbox: MailboxId, role: FolderRole = 'inbox'): Promise<string[]> => {
    const texts: string[] = []
    for (const item of await items(mailbox, role))
      texts.push(Buffer.from(await store.blob(mailbox, item.original!)).toString('latin1'))
    return texts
  }
  const principal = (entry: MailboxEntry): Principal => ({
    account: entry.account,
    address: entry.address,
    displayName: entry.displayName,
    mailbox: entry.mailbox,
    language: 'en',
    protocol: 'activesync',
    appPassword: undefined,
  })
  return {
    clock,
    directory,
    store,
    resolver,
    gauges,
    transport,
    make,
    add,
    system,
    bob,
    alice,
    carol,
    items,
    text,
    principal,
    queue: () => store.queueList({ limit: 1000 }),
    /** From outside, or as a submission of `as`. */
    send: (
      from: string,
      recipients: readonly (string | QueueRecipient)[],
      message = MAIL,
      more: { as?: MailboxEntry; envelopeId?: string; ret?: 'full' | 'hdrs' } = {},
    ) =>
      transport.intake.accept({
        principal: more.as === undefined ? undefined : principal(more.as),
        from,
        recipients: recipients.map((one) => (typeof one === 'string' ? { address: one } : one)),
        message: Buffer.from(message, 'utf8'),
        envelopeId: more.envelopeId,
        ret: more.ret,
        trace: {
          hello: 'client.example',
          remoteAddress: '192.0.2.7',
          by: 'mail.example.com',
          protocol: 'ESMTP',
          id: 'x1',
        },
      }),
    /** Runs the queue until nothing is due. */
    async run() {
      await transport.runner.start()
      await transport.runner.idle()
      for (let i = 0; i < 5; i++) {
        await transport.runner.claim()
        await transport.runner.idle()
        await transport.settled()
      }
      await transport.runner.stop()
    },
    apply: (entry: MailboxEntry, operations: Operation[]) => store.apply(entry.mailbox, operations),
  }
}
export type World = Awaited<ReturnType<typeof world>>

export const MAIL =
  'From: a@outside.example\r\nTo: bob@example.com\r\nSubject: hello\r\nMessage-ID: <m1@outside.example>\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\r\nbody\r\n'
