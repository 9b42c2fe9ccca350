/**
 * A server with one mailbox in memory, an HTTP port on loopback, and as many phones as a test wants: the room in which the
 * transcripts of ActiveSync are played. The second client of a transcript is the mailbox itself (deliver, flag, remove…),
 * as IMAP or a desktop program would use it.
 */
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  createDoor,
  type Directory,
  type Folder,
  type FolderRole,
  HeldTable,
  type Logger,
  type MailboxEntry,
  type MailboxHandle,
  type MailboxService,
  type Mid,
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
import { Phone, type PhoneSettings, schemaMissing, validate } from '@postrider/testkit/activesync'
import { type ActiveSync, activeSync, defaultSettings, type Settings } from '../index.ts'

const entry = (): MailboxEntry => ({
  account: 'alice',
  mailbox: mailboxId(1),
  address: 'alice@example.com',
  aliases: [],
  displayName: 'Alice Example',
  givenName: 'Alice',
  surname: 'Example',
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
  protocols: Object.fromEntries(protocolNames.map((name) => [name, true])) as MailboxEntry['protocols'],
  fullAccess: [],
  sendAs: [],
  sendOnBehalf: [],
  forwardTo: undefined,
  deliverAndForward: false,
  epoch: 1,
  isAdministrator: false,
  mobileDevicePolicy: undefined,
  created: 0,
})

/** A directory with one mailbox in it. */
function directoryOf(mailbox: MailboxEntry): Directory {
  return {
    organization: 'Example',
    domains: () => [{ name: 'example.com', type: 'Authoritative', isDefault: true }],
    resolve: (address) =>
      address.toLowerCase() === mailbox.address
        ? { kind: 'mailbox', entry: mailbox }
        : { kind: 'outside', relay: false },
    expand: (addresses) => ({ mailboxes: [], outside: addresses, unknown: [] }),
    mailbox: (id) => (id === mailbox.mailbox ? mailbox : undefined),
    mailboxes: () => [mailbox],
    groups: () => [],
    account: (account) => (account === mailbox.account ? mailbox : undefined),
    find: () => ({ total: 0, entries: [] }),
    maySendAs: (account, address) => (account === mailbox.account && address === mailbox.address ? 'own' : 'no'),
    watch: () => () => {},
  }
}

/** What the server of a room seals with. */
export const installationSecret = Buffer.alloc(32, 1)

export interface RoomOptions {
  readonly settings?: Partial<Settings>
  readonly log?: Logger
  /** Another directory over the one mailbox's: more people, aliases, rights. */
  readonly directory?: (base: Directory) => Directory
  /** Wraps the store: faults. */
  readonly wrap?: (service: MailboxService) => MailboxService
}

export class Room implements AsyncDisposable {
  readonly service: MailboxService
  readonly mailbox: MailboxHandle
  readonly phones: Phone[] = []
  /** What was handed to the submitter, once each. */
  readonly sent: Submission[] = []
  readonly eas: ActiveSync
  readonly #servers: Server[]
  readonly #another: () => Promise<Server>
  #devices = 0
  #mails = 0

  private constructor(
    service: MailboxService,
    mailbox: MailboxHandle,
    eas: ActiveSync,
    server: Server,
    another: () => Promise<Server>,
    sent: Submission[],
  ) {
    this.service = service
    this.mailbox = mailbox
    this.eas = eas
    this.#servers = [server]
    this.#another = another
    this.sent = sent
  }

  static async open(options: RoomOptions = {}): Promise<Room> {
    const mailboxEntry = entry()
    const store = openMemoryStore()
    await store.create(mailboxEntry.mailbox, { language: 'en', quota: undefined, database: 'db1' })
    const service = options.wrap?.(store) ?? store
    const base = directoryOf(mailboxEntry)
    const directory = options.directory?.(base) ?? base
    const principal: Principal = {
      account: mailboxEntry.account,
      address: mailboxEntry.address,
      displayName: mailboxEntry.displayName,
      mailbox: mailboxEntry.mailbox,
      language: 'en',
      protocol: 'activesync',
      appPassword: undefined,
    }
    const door = createDoor(service, directory)
    const mailbox = await createDoor(store, directory).open(principal, principal.mailbox)
    const sent: Submission[] = []
    const make = (): ActiveSync =>
      activeSync({
        door,
        directory,
        submitter: { submit: (submission) => submit(service, mailbox, sent, submission) },
        held: new HeldTable(service),
        wheel: new TimerWheel({ tickMs: 50 }),
        clock: systemClock,
        log: options.log ?? silentLog,
        meter: noMeter,
        secret: installationSecret,
        settings: { ...defaultSettings, minHeartbeatInterval: 1, coalesceMs: 5, ...options.settings },
      })
    const listen = async (eas: ActiveSync): Promise<Server> => {
      const server = createServer((request, response) => void eas.handle(request, response, principal))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      return server
    }
    const eas = make()
    return new Room(service, mailbox, eas, await listen(eas), () => listen(make()), sent)
  }

  /** Another client-access process before the same mailboxes: the port of its own. */
  async twin(): Promise<number> {
    const server = await this.#another()
    this.#servers.push(server)
    return (server.address() as AddressInfo).port
  }

  get port(): number {
    return (this.#servers[0]!.address() as AddressInfo).port
  }

  /** A phone that knows nothing yet. */
  phone(settings: Partial<PhoneSettings> = {}): Phone {
    const deviceId = `PHONE${String(++this.#devices).padStart(4, '0')}`
    const phone = new Phone({ port: this.port, user: 'alice@example.com', password: 'x', deviceId, ...settings })
    this.phones.push(phone)
    return phone
  }

  /** A phone that has its policy and its folders. */
  async ready(settings: Partial<PhoneSettings> = {}): Promise<Phone> {
    const phone = this.phone(settings)
    await phone.provision()
    await phone.folderSync()
    assert.ok(phone.folders.size > 0, 'the phone has its folders')
    return phone
  }

  async folder(role: FolderRole): Promise<Folder> {
    const folder = (await this.mailbox.folders()).find((candidate) => candidate.role === role)
    assert.ok(folder, role)
    return folder
  }

  /** A mail arrives. */
  async deliver(
    subject: string,
    options: { folder?: FolderRole; received?: number; body?: string } = {},
  ): Promise<Mid> {
    const folder = await this.folder(options.folder ?? 'inbox')
    const number = ++this.#mails
    const mime = [
      'From: Bob Example <bob@example.net>',
      'To: alice@example.com',
      `Subject: ${subject}`,
      `Message-ID: <${number}.${process.pid}@example.net>`,
      'Date: Sat, 21 Nov 2026 10:00:00 +0000',
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      '',
      options.body ?? `Body of ${subject}`,
      '',
    ].join('\r\n')
    const item = mailItem(Buffer.from(mime), { received: options.received ?? Date.now() - 60_000 + number })
    const applied = await this.mailbox.apply([{ op: 'add', folder: folder.id, item }])
    return resultOf(applied, 0, 'add').mid
  }

  /** A mail arrives with the bytes it has. */
  async deliverMime(
    mime: string | Uint8Array,
    options: { folder?: FolderRole; received?: number; flags?: number } = {},
  ): Promise<Mid> {
    const folder = await this.folder(options.folder ?? 'inbox')
    const bytes = typeof mime === 'string' ? Buffer.from(mime) : mime
    const received = options.received ?? Date.now() - 60_000 + ++this.#mails
    const item = mailItem(bytes, { received, flags: options.flags ?? 0 })
    return resultOf(await this.mailbox.apply([{ op: 'add', folder: folder.id, item }]), 0, 'add').mid
  }

  /** Another client writes. */
  async write(...operations: Operation[]): Promise<void> {
    await this.mailbox.apply(operations)
  }

  /** Subjects of a folder as the store has them, sorted. */
  async subjects(role: FolderRole): Promise<string[]> {
    const folder = await this.folder(role)
    const rows = await this.mailbox.scan({ folder: folder.id, columns: ['mid'] })
    const mids = Array.from(rows.mid) as Mid[]
    const items = await this.mailbox.get({ by: { mids }, columns: ['promoted'] })
    return items.map((item) => item.promoted?.subject ?? '').sort()
  }

  /** Closes everything; first all answers of all phones pass the schemas, and no phone saw what no server sends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.eas.drain()
    for (const server of this.#servers) {
      server.close()
      server.closeAllConnections()
    }
    for (const phone of this.phones) assert.deepEqual(phone.mirror.violations, [])
    checkSchemas(this.phones.flatMap((phone) => phone.answers))
  }
}

/** Fails on the first answer that is not as its schema says. */
export function checkSchemas(answers: Parameters<typeof validate>[0]): void {
  const validation = validate(answers)
  if ('skipped' in validation) return
  const [first] = validation.invalid
  if (first !== undefined) assert.fail(`${first.messages.join('\n')}\n${first.xml.slice(0, 3000)}`)
}

/** Why answers are not validated on this machine; for a test that is skipped by that name. */
export const schemasMissing = schemaMissing

/** A submitter that keeps what it is given: the once key, the saved copy and `also` in one commit. */
async function submit(
  _service: MailboxService,
  mailbox: MailboxHandle,
  sent: Submission[],
  submission: Submission,
): Promise<SubmitResult> {
  const operations: Operation[] = [...(submission.also ?? [])]
  if (submission.once !== undefined) operations.push({ op: 'once', ...submission.once })
  const sentItems = (await mailbox.folders()).find((folder) => folder.role === 'sentitems')
  const save = submission.save
  if (save !== undefined && sentItems !== undefined) {
    const item = mailItem(save.message ?? submission.message, { received: Date.now(), flags: 1 | (save.flags ?? 0) })
    operations.push({ op: 'add', folder: save.folder === 'sentitems' ? sentItems.id : save.folder, item })
  }
  try {
    const applied = await mailbox.apply(operations)
    sent.push(submission)
    return { ok: true, saved: undefined, also: applied.results.slice(0, submission.also?.length ?? 0) }
  } catch (error) {
    if ((error as { code?: string }).code === 'duplicate') return { ok: false, reason: 'duplicate', detail: '' }
    throw error
  }
}
