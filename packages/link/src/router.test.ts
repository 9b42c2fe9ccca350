import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ClaimRequest,
  DomainError,
  isDomainError,
  type MailboxId,
  type MailboxInfo,
  type MailboxService,
  type QueueEntry,
} from '@postrider/domain'
import { methodNames } from './methods.ts'
import { routeMailboxes } from './router.ts'

const partial = (given: Partial<MailboxService>): MailboxService =>
  Object.fromEntries(
    methodNames.map((name) => [name, given[name] ?? (() => Promise.reject(new DomainError('unavailable')))]),
  ) as unknown as MailboxService

const route = (owners: Record<string, MailboxService | undefined>): MailboxService =>
  routeMailboxes({
    databaseOf: (mailbox) => ({ 1: 'a', 2: 'b', 3: 'away' })[mailbox as number],
    ownerOf: (database) => owners[database],
    owners: () => Object.values(owners).filter((owner) => owner !== undefined),
  })

/** An owner whose queue has entries with these due times; ids count from `first`. */
function queue(first: number, ...due: readonly number[]): MailboxService & { requests: ClaimRequest[] } {
  const entries = due.map((at, i) => ({ id: first + i, due: at, destination: 'x' }) as QueueEntry)
  const requests: ClaimRequest[] = []
  const service = partial({
    queueClaim: async (request) => {
      requests.push(request)
      return entries.splice(0, request.limit)
    },
    queueList: async ({ limit, afterId = 0 }) => entries.filter((one) => one.id > afterId).slice(0, limit),
    subscribeQueue: async (listener) => {
      listener()
      return { close: () => {} }
    },
  })
  return { ...service, requests }
}
const claim = (limit: number): ClaimRequest => ({ now: 100, leaseMs: 10, limit, exclude: [] })
const named = (database: string): MailboxService =>
  partial({ info: async () => ({ database }) as MailboxInfo, create: async () => {} })

test('calls go to the owner of the mailbox’s database', async () => {
  const router = route({ a: named('a'), b: named('b') })
  assert.equal((await router.info(1 as MailboxId)).database, 'a')
  assert.equal((await router.info(2 as MailboxId)).database, 'b')
})

test('no such mailbox: mailboxNotFound; no owner: unavailable', async () => {
  const router = route({ a: named('a') })
  await assert.rejects(router.info(9 as MailboxId), (error) => isDomainError(error, 'mailboxNotFound'))
  await assert.rejects(router.info(3 as MailboxId), (error) => isDomainError(error, 'unavailable'))
})

test('a new mailbox goes where it is told to live', async () => {
  const made: string[] = []
  const maker = (name: string) => partial({ create: async () => void made.push(name) })
  const router = route({ a: maker('a'), b: maker('b') })
  await router.create(77 as MailboxId, { language: 'en', quota: undefined, database: 'b' })
  assert.deepEqual(made, ['b'])
})

test('claims come from all owners, oldest first, and never more than asked for', async () => {
  const [a, b] = [queue(1, 50, 70), queue(101, 10, 60)]
  const router = route({ a, b })
  const claimed = await router.queueClaim(claim(3))
  assert.equal(claimed.length, 3)
  assert.deepEqual(
    claimed.map((one) => one.due),
    [...claimed.map((one) => one.due)].sort((x, y) => x - y),
  )
  assert.deepEqual(
    [...a.requests, ...b.requests].map((request) => request.limit),
    [3, 1],
  )
})

test('no owner is always the last to be asked', async () => {
  const [a, b] = [queue(1, ...Array<number>(20).fill(1)), queue(101, ...Array<number>(20).fill(1))]
  const router = route({ a, b })
  for (let i = 0; i < 4; i++) await router.queueClaim(claim(5))
  assert.deepEqual([a.requests.length, b.requests.length], [2, 2])
})

test('what one owner has claimed is answered even when another is away', async () => {
  const router = route({ a: queue(1, 5), b: partial({}) })
  for (let i = 0; i < 2; i++) assert.ok((await router.queueClaim(claim(10))).length <= 1)
  await assert.rejects(route({ b: partial({}) }).queueClaim(claim(1)), (error) => isDomainError(error, 'unavailable'))
  assert.deepEqual(await route({}).queueClaim(claim(1)), [])
})

test('lists are merged by id', async () => {
  const router = route({ a: queue(1, 5, 5, 5), b: queue(2, 5, 5) })
  assert.deepEqual(
    (await router.queueList({ limit: 3 })).map((one) => one.id),
    [1, 2, 2],
  )
})

test('a subscription to the queue hears every owner that is there', async () => {
  let heard = 0
  const subscription = await route({ a: queue(1), b: partial({}), c: queue(2) }).subscribeQueue(() => heard++)
  assert.equal(heard, 2)
  subscription.close()
  const nobody = route({ b: partial({}) }).subscribeQueue(() => {})
  await assert.rejects(nobody, (error) => isDomainError(error, 'unavailable'))
})
