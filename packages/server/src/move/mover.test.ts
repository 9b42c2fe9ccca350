import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeNumber, Flag, isDomainError, type Mid, movedEpoch, resultOf, type Uid } from '@postrider/domain'
import { init, mail, until, World } from './test-world.ts'

const kinds = [
  ['two databases of one owner', true],
  ['two owners', false],
] as const

const steps = ['prepared', 'copied', 'locked', 'settled', 'decided', 'opened'] as const

/** A mailbox with something of everything. */
async function fill(world: World): Promise<void> {
  const { service, mailbox } = world
  const [inbox, sent, drafts] = [
    await world.folder_('inbox'),
    await world.folder_('sentitems'),
    await world.folder_('drafts'),
  ]
  await service.apply(
    mailbox,
    Array.from({ length: 40 }, (_, n) => ({
      op: 'add' as const,
      folder: inbox,
      item: mail(`mail-${n}`, 'x'.repeat(n * 1_000)),
    })),
  )
  await service.apply(mailbox, [
    { op: 'copy', from: inbox, items: { uids: [3, 4, 5] as Uid[] }, to: sent },
    { op: 'move', from: inbox, items: { uids: [6, 7] as Uid[] }, to: sent },
    { op: 'remove', folder: inbox, items: { uids: [8, 9] as Uid[] } },
    { op: 'flag', folder: inbox, items: { uids: [10, 11, 12] as Uid[] }, set: Flag.seen },
    { op: 'flag', folder: inbox, items: { uids: [12, 13] as Uid[] }, addKeywords: ['$Important', 'Blue'] },
    { op: 'createFolder', parent: inbox, name: 'A', class: 'IPF.Note' },
    { op: 'createFolder', parent: inbox, name: 'B', class: 'IPF.Note' },
    { op: 'putState', client: 'eas', key: 'sync/1', value: Buffer.from('state one') },
    { op: 'putState', client: 'eas', key: 'sync/2', value: Buffer.alloc(5_000, 7) },
    { op: 'setPermission', folder: inbox, member: 'bob', rights: 1 },
    { op: 'once', key: 'delivered before', keepMs: 86_400_000 },
    { op: 'setQuota', quota: 50_000_000 },
  ])
  const draft = resultOf(await world.add(drafts, 'draft'), 0, 'add')
  await service.apply(mailbox, [{ op: 'replace', mid: draft.mid, item: mail('draft again') }])
  const staged = await service.stage(mailbox, Buffer.from('attached bytes'))
  const attachment = { n: 1, method: 'byValue', name: 'a.txt', type: 'text/plain', size: 14, inline: false } as const
  const hidden = { ...mail('hidden'), associated: true, attachments: [{ ...attachment, source: { blob: staged } }] }
  await service.apply(mailbox, [{ op: 'add', folder: inbox, item: hidden }])
  const entry = {
    from: 'alice@example.com',
    recipients: [{ address: 'x@example.net' }],
    destination: 'example.net',
    size: 10,
    smtputf8: false,
    eightBit: false,
    due: 1,
    expires: Date.now() + 86_400_000,
  }
  await service.apply(mailbox, [
    { op: 'add', folder: sent, item: mail('sent') },
    { op: 'enqueue', entry, original: { operation: 0 } },
  ])
  const folders = await service.folders(mailbox)
  const [a] = folders.filter(({ name }) => name === 'A')
  await service.apply(mailbox, [{ op: 'deleteFolder', folder: a!.id, recursive: false }])
}

for (const [name, together] of kinds) {
  test(`a mailbox is the same after a move, in everything that clients know it by (${name})`, async (t) => {
    const world = await new World(t, together).start()
    await fill(world)
    const before = await world.picture()
    const items = (await world.service.info(world.mailbox)).items
    await world.mover.start(world.mailbox, 'two')
    await world.over()
    assert.equal(world.database, 'two')
    assert.equal((await world.service.info(world.mailbox)).epoch, 2)
    assert.deepEqual(await world.picture(), before)
    const [report] = world.mover.reports()
    assert.equal(report?.state, 'done')
    assert.ok((report?.copied ?? 0) >= items)
    // It goes on from there: numbers, UIDs, keys, the queue.
    await assert.rejects(
      world.service.apply(world.mailbox, [{ op: 'once', key: 'delivered before', keepMs: 1 }]),
      (error) => isDomainError(error, 'duplicate'),
    )
    const [claimed] = await world.service.queueClaim({ now: Date.now(), leaseMs: 1_000, limit: 10, exclude: [] })
    await world.service.apply(world.mailbox, [{ op: 'queueChange', change: { id: claimed!.id, kind: 'remove' } }])
    await world.add(await world.folder_('inbox'), 'afterwards')
    // And back, after a restart of everything.
    const then = await world.picture()
    await world.restart()
    await world.mover.start(world.mailbox, 'one')
    await world.over()
    assert.equal(world.database, 'one')
    assert.deepEqual(await world.picture(), then)
    await until(async () => {
      const reports = (await Promise.all(world.stores.map((store) => store.check()))).flat()
      assert.deepEqual(
        reports.flatMap(({ problems }) => problems),
        [],
      )
      return reports.reduce((sum, one) => sum + one.mailboxes, 0) === 1
    })
  })

  test(`what is written while a mailbox moves to and fro is there once, and waiters are woken (${name})`, async (t) => {
    const world = await new World(t, together).start()
    const { service, mailbox } = world
    const inbox = await world.folder_('inbox')
    for (let n = 0; n < 50; n++) await world.add(inbox, `old-${n}`)
    let last = 0
    const subscription = await service.subscribe(mailbox, ({ change }) => {
      last = Math.max(last, change)
    })
    t.after(() => subscription.close())
    const ledger: string[] = []
    const problems: unknown[] = []
    let running = true
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let n = 0; running; n++) {
        const subject = `new-${writer}-${n}`
        try {
          const added = resultOf(await world.add(inbox, subject, 'y'.repeat(3_000)), 0, 'add')
          ledger.push(subject)
          await service.apply(mailbox, [
            { op: 'flag', folder: inbox, items: { mids: [added.mid] }, set: Flag.flagged },
            { op: 'putState', client: 'eas', key: `writer/${writer}`, value: Buffer.from(String(n)) },
          ])
          assert.equal(Buffer.from(await service.blob(mailbox, added.original!)).includes(subject), true)
        } catch (error) {
          problems.push(error)
        }
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    })
    for (const to of ['two', 'one', 'two']) {
      await world.mover.start(mailbox, to)
      await world.over()
      assert.equal(world.database, to)
      const reached = ledger.length
      await until(() => ledger.length > reached + 4)
    }
    running = false
    await Promise.all(writers)
    assert.deepEqual(problems, [])
    const { change, items } = await service.info(mailbox)
    await until(() => last >= change)
    const rows = await service.scan(mailbox, { folder: inbox, columns: ['uid', 'mid'] })
    const found = await Promise.all(
      Array.from(rows.mid, async (mid) => {
        const [item] = await service.get(mailbox, { by: { mids: [mid as Mid] }, columns: ['promoted'] })
        return item?.promoted?.subject ?? ''
      }),
    )
    assert.deepEqual(found.filter((one) => one.startsWith('new-')).sort(), ledger.sort())
    assert.equal(items, 50 + ledger.length)
    assert.ok(world.mover.reports().every(({ lockedMs }) => lockedMs !== undefined))
  })

  for (const at of together ? (['decided'] as const) : steps)
    test(`everything falls in the middle of a move (${at}): one home, nothing lost, it goes on by itself (${name})`, async (t) => {
      const reached = Promise.withResolvers<void>()
      const world = await new World(t, together).start((step) => {
        if (step !== at) return
        reached.resolve()
        return new Promise<void>(() => {})
      })
      await fill(world)
      const before = await world.picture()
      await world.mover.start(world.mailbox, 'two')
      await reached.promise
      world.fell = true
      await world.restart()
      await world.over()
      assert.equal(world.database, 'two')
      assert.deepEqual(await world.picture(), before)
      await world.add(await world.folder_('inbox'), 'afterwards')
      const homes = await Promise.all(
        ['one', 'two'].map((database) => world.service.relocate(world.mailbox, database, 'look', {})),
      )
      assert.deepEqual(
        homes.filter((one) => one?.state === 'live').map((one) => one?.epoch),
        [2],
      )
    })
}

test('what goes wrong while the source is locked frees it at once, and the move is tried again', async (t) => {
  let failures = 0
  const world = await new World(t, false).start((step) => {
    if (step === 'settled' && failures++ === 0) throw new Error('not now')
  })
  const inbox = await world.folder_('inbox')
  await world.add(inbox, 'first')
  await world.mover.start(world.mailbox, 'two')
  await until(() => failures > 0)
  await world.add(inbox, 'second')
  await world.over()
  assert.equal(world.database, 'two')
  assert.equal((await world.service.info(world.mailbox)).items, 2)
})

test('a move that is called off leaves the mailbox where it is, and nothing where it was to go', async (t) => {
  const go = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const world = await new World(t, false).start(async (step) => {
    if (step !== 'prepared') return
    reached.resolve()
    await go.promise
  })
  await fill(world)
  const before = await world.picture()
  await world.mover.start(world.mailbox, 'two')
  await assert.rejects(world.mover.start(world.mailbox, 'two'), (error) => isDomainError(error, 'conflict'))
  await reached.promise
  assert.equal(world.mover.cancel(world.mailbox), true)
  go.resolve()
  await world.over()
  assert.equal(world.mover.reports()[0]?.state, 'cancelled')
  assert.equal(world.mover.cancel(world.mailbox), false)
  assert.deepEqual(await world.picture(), before)
  assert.equal(await world.service.relocate(world.mailbox, 'two', 'look', {}), undefined)
})

test('who asks the old home hears where to look, also after its restart; references of before are understood', async (t) => {
  const world = await new World(t, false).start()
  const inbox = await world.folder_('inbox')
  const { original } = resultOf(await world.add(inbox, 'known'), 0, 'add')
  await world.mover.start(world.mailbox, 'two')
  await world.over()
  const moved = (error: unknown): boolean => movedEpoch(error) === 2
  await assert.rejects(world.stores[0]!.info(world.mailbox), moved)
  await assert.rejects(world.stores[0]!.apply(world.mailbox, []), moved)
  assert.match(Buffer.from(await world.service.blob(world.mailbox, original!)).toString(), /Subject: known/)
  const again = await world.service.apply(world.mailbox, [
    { op: 'add', folder: inbox, item: { ...mail('known'), original: { ref: original! } } },
  ])
  assert.notEqual(resultOf(again, 0, 'add').original, original)
  await world.restart()
  await assert.rejects(world.stores[0]!.changes(world.mailbox, { since: changeNumber(0), limit: 1 }), moved)
  await assert.rejects(
    world.stores[0]!.create(world.mailbox, { ...init, database: 'one' }).then(() => world.service.info(9_999 as never)),
    (error) => isDomainError(error, 'mailboxNotFound'),
  )
})

test('a mailbox that is deleted while it moves is gone everywhere', async (t) => {
  const go = Promise.withResolvers<void>()
  const reached = Promise.withResolvers<void>()
  const world = await new World(t, false).start(async (step) => {
    if (step !== 'copied') return
    reached.resolve()
    await go.promise
  })
  const bob = await world.directory.addMailbox({ address: 'bob@example.com' })
  await world.service.create(bob.mailbox, { ...init, database: 'one' })
  await world.mover.start(bob.mailbox, 'two')
  await reached.promise
  await world.directory.removeMailbox('bob@example.com')
  await world.stores[0]!.destroy(bob.mailbox)
  go.resolve()
  await until(async () => (await world.service.relocate(bob.mailbox, 'two', 'look', {})) === undefined)
  await until(() => world.mover.reports().length === 0)
})
