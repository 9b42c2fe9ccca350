/** A JMAP server over mailboxes in memory, two people in it, an HTTP port on loopback: the room of the contract tests. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createDoor,
  type Directory,
  type FolderRole,
  HeldTable,
  type MailboxEntry,
  type MailboxHandle,
  type MailboxService,
  mailboxId,
  mailItem,
  noMeter,
  type Operation,
  type Principal,
  protocolNames,
  resultOf,
  silentLog,
  type SubmitResult,
  type Submission,
  systemClock,
  TimerWheel,
} from '@postrider/domain'
import { openMemoryStore } from '@postrider/store/memory'
import { JmapClient } from '@postrider/testkit/jmap'
import { createJmap, type JmapService } from '../index.ts'
import type { JmapParts } from '../parts.ts'

const person = (name: string, n: number, more: Partial<MailboxEntry> = {}): MailboxEntry => ({
  account: name,
  mailbox: mailboxId(n),
  address: `${name}@example.com`,
  aliases: [],
  displayName: name[0]?.toUpperCase() + name.slice(1),
  givenName: '',
  surname: '',
  title: '',
  department: '',
  company: '',
  office: '',
  phone: '',
  mobilePhone: '',
  type: 'user',
  enabled: true,
  hiddenFromAddressLists: false,
  language: 'en',
  database: 'db1',
  quota: undefined,
  protocols: Object.fromEntries(protocolNames.map((one) => [one, true])) as MailboxEntry['protocols'],
  fullAccess: [],
  sendAs: [],
  sendOnBehalf: [],
  forwardTo: undefined,
  deliverAndForward: false,
  epoch: 1,
  isAdministrator: false,
  mobileDevicePolicy: undefined,
  created: 0,
  ...more,
})

function directoryOf(entries: readonly MailboxEntry[]): Directory {
  const byAddress = (address: string) =>
    entries.find((one) => [one.address, ...one.aliases].includes(address.toLowerCase()))
  return {
    organization: 'Example',
    domains: () => [{ name: 'example.com', type: 'Authoritative', isDefault: true }],
    resolve: (address) => {
      const entry = byAddress(address)
      return entry === undefined ? { kind: 'outside', relay: false } : { kind: 'mailbox', entry }
    },
    expand: (addresses) => ({ mailboxes: [], outside: addresses, unknown: [] }),
    mailbox: (id) => entries.find((one) => one.mailbox === id),
    mailboxes: () => entries,
    groups: () => [],
    account: (account) => entries.find((one) => one.account === account),
    find(text, limit) {
      const found = entries.filter((one) => one.displayName.toLowerCase().startsWith(text.toLowerCase()))
      return { total: found.length, entries: found.slice(0, limit) }
    },
    maySendAs: (account, address) => {
      const entry = byAddress(address)
      if (entry?.account === account) return 'own'
      return entry?.sendOnBehalf.includes(account) ? 'onBehalf' : 'no'
    },
    watch: () => () => {},
  }
}

const principalOf = (entry: MailboxEntry): Principal => ({
  account: entry.account,
  address: entry.address,
  displayName: entry.displayName,
  mailbox: entry.mailbox,
  language: 'en',
  protocol: 'web',
  appPassword: undefined,
})

export class Room implements AsyncDisposable {
  readonly service: MailboxService
  readonly sent: Submission[] = []
  readonly entries: readonly MailboxEntry[]
  /** What the next submissions are answered; empty: they are taken. */
  readonly refusals: SubmitResult[] = []
  jmap: JmapService
  /** Set before a restart: where pushes go. */
  push: JmapParts['push'] | undefined
  /** Whose certificates are believed. */
  believes: JmapParts['believes']
  readonly #server: Server
  readonly #directory: Directory

  private constructor(service: MailboxService, entries: readonly MailboxEntry[]) {
    this.service = service
    this.entries = entries
    this.#directory = directoryOf(entries)
    this.jmap = this.#make()
    this.#server = createServer((request, response) => {
      const login = Buffer.from((request.headers.authorization ?? '').slice(6), 'base64')
        .toString()
        .split(':', 1)[0]
      const entry = entries.find((one) => one.address === login)
      if (entry === undefined) return void response.writeHead(401).end()
      this.jmap.handle(request, response, principalOf(entry), '').catch((error: unknown) => {
        console.error(error)
        response.writeHead(500).end()
      })
    })
  }

  static async open(more: readonly Partial<MailboxEntry>[] = []): Promise<Room> {
    const entries = [person('alice', 1, more[0]), person('bob', 2, more[1])]
    const service = openMemoryStore()
    for (const one of entries) await service.create(one.mailbox, { language: 'en', quota: one.quota, database: 'db1' })
    const room = new Room(service, entries)
    await new Promise<void>((resolve) => room.#server.listen(0, '127.0.0.1', resolve))
    return room
  }

  #make(): JmapService {
    const { service } = this
    const directory = this.#directory
    const wheel = new TimerWheel({ tickMs: 20 })
    const held = new HeldTable(service)
    const submitter = { submit: (submission: Submission) => this.#submit(submission) }
    return createJmap({
      door: createDoor(service, directory),
      directory,
      submitter,
      held,
      wheel,
      clock: systemClock,
      log: { ...silentLog, error: (fields) => console.error(fields) },
      meter: noMeter,
      settings: { pushToPlainHttp: true },
      believes: () => this.believes?.() ?? (() => Promise.resolve('unknownIssuer')),
      ...(this.push === undefined ? {} : { push: this.push }),
    })
  }

  /** The program ends and starts again. */
  async restart(): Promise<void> {
    this.jmap.drain()
    this.jmap = this.#make()
    await this.jmap.start()
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  client(name = 'alice'): Promise<JmapClient> {
    return new JmapClient({ port: this.port, user: `${name}@example.com`, password: 'x' }).connect()
  }

  /** The mailbox itself, as another program uses it. */
  mailbox(name = 'alice'): Promise<MailboxHandle> {
    const entry = this.entries.find((one) => one.account === name) as MailboxEntry
    return createDoor(this.service, this.#directory).open(principalOf(entry), entry.mailbox)
  }

  async folder(role: FolderRole, name = 'alice') {
    const found = (await (await this.mailbox(name)).folders()).find((one) => one.role === role)
    if (found === undefined) throw new Error(role)
    return found
  }

  /** Delivers a mail; answers its ids. */
  async deliver(
    mail: string | Uint8Array,
    options: { role?: FolderRole; received?: number; flags?: number; name?: string } = {},
  ) {
    const bytes = typeof mail === 'string' ? Buffer.from(mail.replace(/\r?\n/g, '\r\n')) : mail
    const folder = await this.folder(options.role ?? 'inbox', options.name)
    const item = mailItem(bytes, { received: options.received ?? Date.now(), flags: options.flags ?? 0 })
    const handle = await this.mailbox(options.name)
    const added = resultOf(await handle.apply([{ op: 'add', folder: folder.id, item }]), 0, 'add')
    return { id: `M${added.itemId}`, mid: added.mid, folder: folder.id, thread: `T${added.conversation}` }
  }

  async apply(...operations: Operation[]) {
    return (await this.mailbox()).apply(operations)
  }

  async #submit(submission: Submission): Promise<SubmitResult> {
    const refusal = this.refusals.shift()
    if (refusal !== undefined) return refusal
    const operations: Operation[] = [...(submission.also ?? [])]
    if (submission.once !== undefined) operations.push({ op: 'once', ...submission.once })
    const applied = await this.service.apply(submission.principal.mailbox, operations)
    this.sent.push(submission)
    return { ok: true, saved: undefined, also: applied.results }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.jmap.drain()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

export const mail = (subject: string, more: readonly string[] = [], body = 'Hello.'): string =>
  [
    `From: Carol <carol@example.net>`,
    `To: Alice <alice@example.com>`,
    `Subject: ${subject}`,
    `Date: Fri, 20 Nov 2026 10:00:00 +0100`,
    `Message-ID: <${subject.replace(/\W/g, '')}@example.net>`,
    ...more,
    '',
    body,
    '',
  ].join('\n')
