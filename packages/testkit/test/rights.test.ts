import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createDoor,
  type Directory,
  DomainError,
  type Folder,
  type FolderId,
  folderRoleRights,
  type MailboxEntry,
  type MailboxHandle,
  type MailboxId,
  mailboxId,
  mailItem,
  type Mid,
  type Principal,
  resultOf,
} from '@postrider/domain'
import { openMemoryStore } from '@postrider/store/memory'

const owner = mailboxId(1)
const stranger = mailboxId(2)

const principalOf = (mailbox: MailboxId): Principal => ({
  account: `account-${mailbox}`,
  address: `user${mailbox}@example.com`,
  displayName: '',
  mailbox,
  language: 'en',
  protocol: 'imap',
  appPassword: undefined,
})

/** Only what the door asks a directory for. */
const directoryWith = (fullAccess: readonly string[]): Directory =>
  ({
    mailbox: (id: MailboxId) =>
      id === owner || id === stranger
        ? ({
            account: `account-${id}`,
            mailbox: id,
            fullAccess: id === owner ? fullAccess : [],
          } as unknown as MailboxEntry)
        : undefined,
  }) as unknown as Directory

const mail = () => mailItem(Buffer.from('Subject: secret\r\n\r\nsecret words\r\n'), { received: 0 })

async function world(role: keyof typeof folderRoleRights | undefined, fullAccess: readonly string[] = []) {
  const service = openMemoryStore()
  for (const id of [owner, stranger]) await service.create(id, { language: 'en', quota: undefined, database: 'db1' })
  const inbox = (await service.folders(owner)).find((one: Folder) => one.role === 'inbox') as Folder
  const drafts = (await service.folders(owner)).find((one: Folder) => one.role === 'drafts') as Folder
  const added = resultOf(await service.apply(owner, [{ op: 'add', folder: inbox.id, item: mail() }]), 0, 'add')
  if (role !== undefined)
    await service.apply(owner, [
      { op: 'setPermission', folder: inbox.id, member: 'account-2', rights: folderRoleRights[role] },
    ])
  const door = createDoor(service, directoryWith(fullAccess))
  return { service, door, inbox, drafts, added }
}

type Act = (handle: MailboxHandle, at: { inbox: FolderId; drafts: FolderId; mid: Mid }) => Promise<unknown>
/** Every kind of access, and the roles that may. */
const acts: readonly [name: string, act: Act, allowed: readonly (keyof typeof folderRoleRights)[]][] = [
  ['scan', (h, at) => h.scan({ folder: at.inbox, columns: ['uid'] }), ['Owner', 'Editor', 'Author', 'Reviewer']],
  [
    'get by a pasted mid',
    async (h, at) => {
      const items = await h.get({ by: { mids: [at.mid] }, columns: ['promoted', 'original'] })
      if (items.length === 0) throw new DomainError('accessDenied')
    },
    ['Owner', 'Editor', 'Author', 'Reviewer'],
  ],
  [
    'changes',
    (h, at) => h.changes({ since: 0 as never, folder: at.inbox, limit: 10 }),
    ['Owner', 'Editor', 'Author', 'Reviewer'],
  ],
  ['ready answers', (h, at) => h.ready({ folder: at.inbox, kind: 'a', blocks: [0, 0] }), []],
  ['keepReady', (h, at) => h.apply([{ op: 'keepReady', folder: at.inbox, kind: 'a', blocks: [] }]), []],
  ['changes of everything', (h) => h.changes({ since: 0 as never, limit: 10 }), []],
  [
    'search',
    (h, at) => h.search({ folders: [at.inbox], query: { kind: 'all' }, order: 'uid', offset: 0, limit: 1 }),
    ['Owner', 'Editor', 'Author', 'Reviewer'],
  ],
  [
    'add',
    (h, at) => h.apply([{ op: 'add', folder: at.inbox, item: mail() }]),
    ['Owner', 'Editor', 'Author', 'Contributor'],
  ],
  [
    'flag',
    (h, at) => h.apply([{ op: 'flag', folder: at.inbox, items: { mids: [at.mid] }, set: 1 }]),
    ['Owner', 'Editor'],
  ],
  ['update by a pasted mid', (h, at) => h.apply([{ op: 'update', mid: at.mid, set: new Map() }]), ['Owner', 'Editor']],
  ['move away', (h, at) => h.apply([{ op: 'move', from: at.inbox, items: { mids: [at.mid] }, to: at.drafts }]), []],
  ['remove', (h, at) => h.apply([{ op: 'remove', folder: at.inbox, items: { mids: [at.mid] } }]), ['Owner', 'Editor']],
  ['rename', (h, at) => h.apply([{ op: 'updateFolder', folder: at.inbox, subscribed: true }]), ['Owner']],
  [
    'give rights',
    (h, at) => h.apply([{ op: 'setPermission', folder: at.inbox, member: 'default', rights: 1 }]),
    ['Owner'],
  ],
  ['read client state', (h) => h.state('phone'), []],
  ['write client state', (h) => h.apply([{ op: 'putState', client: 'phone', key: 'k', value: new Uint8Array() }]), []],
  ['set the quota', (h) => h.apply([{ op: 'setQuota', quota: 1 }]), []],
]

for (const role of ['Owner', 'Editor', 'Author', 'Reviewer', 'Contributor'] as const)
  test(`P20: a delegate with ${role} on one folder may do just that`, async () => {
    for (const [name, act, allowed] of acts) {
      const { door, inbox, drafts, added } = await world(role)
      const handle = await door.open(principalOf(stranger), owner)
      const doing = act(handle, { inbox: inbox.id, drafts: drafts.id, mid: added.mid })
      if (allowed.includes(role)) await assert.doesNotReject(doing, `${role} ${name}`)
      else
        await assert.rejects(
          doing,
          (error) => error instanceof DomainError && error.code === 'accessDenied',
          `${role} ${name}`,
        )
    }
  })

test('P20: without any right the door stays shut; FullAccess opens it; the owner may everything but system work', async () => {
  const shut = await world(undefined)
  await assert.rejects(shut.door.open(principalOf(stranger), owner), /accessDenied/)
  await assert.rejects(shut.door.open(principalOf(stranger), mailboxId(99)), /accessDenied/)
  const full = await world(undefined, ['account-2'])
  for (const who of [stranger, owner]) {
    const handle = await full.door.open(principalOf(who), owner)
    assert.equal(handle.full, true)
    assert.equal((await handle.scan({ folder: full.inbox.id, columns: ['uid'] })).count, 1)
    await assert.rejects(handle.apply([{ op: 'setQuota', quota: undefined }]), /accessDenied/)
  }
})

test('P20: a delegate sees only the folders that are shown to it', async () => {
  const { door, inbox } = await world('Reviewer')
  const handle = await door.open(principalOf(stranger), owner)
  assert.deepEqual(
    (await handle.folders()).map((one) => one.id),
    [inbox.id],
  )
})
