import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'
import { type FolderId, isDomainError, type Operation } from '@postrider/domain'
import fc from 'fast-check'
import { type Files, realFiles } from '../blobs/index.ts'
import { upgrades } from '../engine/upgrades.ts'
import { backupDatabase, checkBackup } from './backup.ts'
import { Connection } from './connection.ts'
import { FrameWriter, frameAt, readFrame } from './redo-frames.ts'
import { repairDatabase } from './repair.ts'
import type { SqliteStore } from './store.ts'
import { temporaryFolder, testMail, testMailbox, testStore } from './testing.ts'

/** Nothing is folded by the clock. */
const foldMs = 1e9
const HOME = 'mailboxes/db'
const REDO = `${HOME}/mailbox.sqlite-redo`
const add = (folder: FolderId, subject: string, body = subject): Operation => ({
  op: 'add',
  folder,
  item: testMail(subject, body),
})

/** The folder as a kill would leave it. */
function killed(folder: string): string {
  const to = temporaryFolder()
  cpSync(folder, to, { recursive: true })
  return to
}

/** As a power cut may leave it: of the segments only what was synced, and that is what the tables know. */
function cut(folder: string): string {
  const to = killed(folder)
  const connection = new Connection(join(to, HOME, 'mailbox.sqlite'), { readOnly: true })
  const known = new Map(connection.all('SELECT segment, bytes FROM segment') as readonly (readonly [number, number])[])
  connection.close()
  for (const name of readdirSync(join(to, HOME, 'segments')))
    truncateSync(join(to, HOME, 'segments', name), known.get(Number.parseInt(name, 10)) ?? 0)
  return to
}

/** Everything in the tables but what is different at every start. */
function tables(folder: string): Record<string, unknown> {
  const connection = new Connection(join(folder, HOME, 'mailbox.sqlite'), { readOnly: true })
  try {
    const names = connection
      .all(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)
      .map(([name]) => name)
    return Object.fromEntries(
      names.map((name) => [
        name,
        connection
          .all(`SELECT * FROM ${name}`)
          .filter((row) => row[0] !== 'redo')
          .map(String),
      ]),
    )
  } finally {
    connection.close()
  }
}

async function subjects(store: SqliteStore, folder: FolderId): Promise<string[]> {
  const { total } = (await store.folders(testMailbox)).find(({ id }) => id === folder) as { total: number }
  const uids = Array.from({ length: total + 50 }, (_, i) => i + 1)
  const items = await store.get(testMailbox, { by: { folder, uids: uids as never }, columns: ['original', 'promoted'] })
  for (const { original, promoted } of items) {
    const bytes = await store.blob(testMailbox, original as never)
    assert.ok(Buffer.from(bytes).includes(`Subject: ${promoted?.subject}\r\n`))
  }
  return items.map(({ promoted }) => promoted?.subject as string)
}

async function sound(store: SqliteStore): Promise<void> {
  assert.deepEqual((await store.check())[0]?.problems, [])
}

test('frames: what goes in comes out; one that is torn or of another generation is none', () => {
  const value = fc.oneof(
    fc.constant(null),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array({ maxLength: 2_000 }),
  )
  const entry = fc.tuple(fc.constantFrom('INSERT a', 'UPDATE b', 'DELETE é'), fc.array(value, { maxLength: 30 }))
  const frames = fc.array(fc.array(entry, { maxLength: 5 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(frames, fc.uint8Array({ maxLength: 3_000 }), fc.nat(), (all, record, flip) => {
      const writer = new FrameWriter()
      const log = Buffer.concat(
        all.map((entries, n) => {
          for (const [text, values] of entries) writer.statement(text, values)
          const takeBack = writer.mark()
          writer.statement('INSERT taken back', [n])
          takeBack()
          writer.record(7, n, [record.subarray(0, 10), record.subarray(10)], record.length)
          return Buffer.from(writer.finish(99, n))
        }),
      )
      const texts: string[] = []
      let at = 0
      for (const [n, entries] of all.entries()) {
        const frame = frameAt(log, at, 99)
        assert.ok(frame !== undefined && frame.number === n)
        assert.equal(frameAt(log, at, 98), undefined)
        const seen: unknown[] = []
        readFrame(frame.payload, texts, {
          statement: (text, values) =>
            seen.push([text, values.map((one) => (one instanceof Uint8Array ? [...one] : one))]),
          record: (...told) => seen.push([told[0], told[1], [...told[2]]]),
        })
        const wanted = entries.map(([text, values]) => [
          text,
          values.map((one) => (one instanceof Uint8Array ? [...one] : one)),
        ])
        assert.deepEqual(seen, [...wanted, [7, n, [...record]]])
        const damaged = Buffer.from(log)
        const bit = at + (flip % (24 + frame.payload.length))
        damaged[bit] = (damaged[bit] as number) ^ 1
        assert.equal(frameAt(damaged, at, 99), undefined)
        at = frame.end
      }
    }),
    { numRuns: 50 },
  )
})

test('whatever was answered is there after a kill and after a power cut, and the tables are the same as if nothing had happened', async (t) => {
  const { store, folder, inbox, trash } = await testStore(t, { foldMs, segmentBytes: 60_000 })
  await store.apply(testMailbox, [add(inbox, 'first')])
  await store.checkpoint()
  for (let i = 0; i < 30; i++) {
    await Promise.all([
      store.apply(testMailbox, [
        add(inbox, `mail ${i}`, `${i} `.repeat(i * 40)),
        { op: 'once', key: `${i}`, keepMs: 1e9 },
      ]),
      store
        .apply(testMailbox, [add(inbox, `with ${i}`), { op: 'remove', folder: 99 as FolderId, items: { uids: [] } }])
        .then(
          () => assert.fail('it cannot succeed'),
          () => {},
        ),
      store.apply(testMailbox, [
        {
          op: 'flag',
          folder: inbox,
          items: { uids: Uint32Array.of(i) },
          set: 1,
          addKeywords: [`k${i % 3}`],
        } as Operation,
      ]),
    ])
    if (i % 7 === 3)
      await store.apply(testMailbox, [{ op: 'move', from: inbox, to: trash, items: { uids: Uint32Array.of(i) } }])
    if (i % 10 === 5) {
      const staged = await store.stage(testMailbox, testMail(`staged ${i}`).original!['bytes' as never])
      await store.apply(testMailbox, [
        { op: 'add', folder: inbox, item: testMail(`staged ${i}`, 'body', { original: { ref: staged } as never }) },
      ])
    }
    if (i === 20) await store.apply(testMailbox, [add(inbox, 'large', randomBytes(90_000).toString('hex'))])
  }
  const copies = [killed(folder), cut(folder)]
  const before = [await subjects(store, inbox), await subjects(store, trash)]
  await store.checkpoint()
  const expected = tables(folder)
  for (const copy of copies) {
    const again = await testStore(t, { foldMs, folder: copy, segmentBytes: 60_000 })
    assert.deepEqual(tables(copy), expected)
    assert.deepEqual([await subjects(again.store, inbox), await subjects(again.store, trash)], before)
    await sound(again.store)
    await again.store.apply(testMailbox, [add(inbox, 'goes on')])
    await again.store.close()
  }
})

test('a frame that a power cut tore is as if it had not been; one damaged before others is said, and the log kept', async (t) => {
  const { store, folder, inbox } = await testStore(t, { foldMs })
  await store.checkpoint()
  const places: number[] = []
  for (const subject of ['one', 'two', 'three']) {
    const before = readFileSync(join(folder, REDO))
    await store.apply(testMailbox, [add(inbox, subject)])
    places.push(firstChange(before, readFileSync(join(folder, REDO))))
  }
  const flipped = (at: number): string => {
    const copy = cut(folder)
    const log = readFileSync(join(copy, REDO))
    log[at] = (log[at] as number) ^ 0x20
    writeFileSync(join(copy, REDO), log)
    return copy
  }
  const torn = await testStore(t, { foldMs, folder: flipped(places[2] as number) })
  assert.deepEqual(await subjects(torn.store, inbox), ['one', 'two'])
  await sound(torn.store)
  const damaged = flipped(places[1] as number)
  const rotten = await testStore(t, { foldMs, folder: damaged })
  assert.deepEqual(await subjects(rotten.store, inbox), ['one'])
  const problems = (await rotten.store.check())[0]?.problems ?? []
  assert.match(problems.map(({ detail }) => detail).join(), /sqlite-redo\.damaged-/)
  await rotten.store.close()
  assert.deepEqual(await subjects((await testStore(t, { foldMs, folder: damaged })).store, inbox), ['one'])
})

/** The first byte that is different: it is in the frame that was written, not in what fills it up. */
const firstChange = (before: Buffer, after: Buffer): number => after.findIndex((byte, at) => byte !== before[at])

test('a backup has what was answered, also from a folder that lost its power', async (t) => {
  const { store, folder, inbox } = await testStore(t, { foldMs })
  await store.apply(testMailbox, [add(inbox, 'folded')])
  await store.checkpoint()
  await Promise.all(['a', 'b', 'c'].map((subject) => store.apply(testMailbox, [add(inbox, subject)])))
  for (const from of [folder, cut(folder)]) {
    const to = join(temporaryFolder(), HOME)
    await backupDatabase(join(from, HOME), to)
    const { problems, items } = await checkBackup('db', to)
    assert.deepEqual([problems, items], [[], 4])
    assert.ok(!existsSync(`${to}/mailbox.sqlite-redo`))
    const restored = await testStore(t, { foldMs, folder: join(to, '../..') })
    assert.deepEqual((await subjects(restored.store, inbox)).sort(), ['a', 'b', 'c', 'folded'])
  }
})

test('store repair brings what was answered into the tables first, and a trial leaves all as it was', async (t) => {
  const { store, folder, inbox } = await testStore(t, { foldMs })
  await store.checkpoint()
  await store.apply(testMailbox, [add(inbox, 'answered')])
  const copy = cut(folder)
  const where = { name: 'db', folder: join(copy, HOME), now: 1 }
  const tried = await repairDatabase(where, false)
  assert.equal(tried.repaired[0], '1 batches of changes came from the redo log')
  assert.equal(statSync(join(copy, HOME, 'segments/00000001.seg')).size, 0)
  const done = await repairDatabase(where, true)
  assert.deepEqual([done.repaired, done.lost], [['1 batches of changes came from the redo log'], []])
  const again = await testStore(t, { foldMs, folder: copy })
  assert.deepEqual(await subjects(again.store, inbox), ['answered'])
  await sound(again.store)
})

test('a database of an older schema: what its redo log says comes before the upgrade, and older programs keep off', async (t) => {
  const { store, folder, inbox } = await testStore(t, { foldMs, upgrades: upgrades.slice(0, 2) })
  await store.checkpoint()
  await store.apply(testMailbox, [add(inbox, 'before')])
  const copy = cut(folder)
  const again = await testStore(t, { foldMs, folder: copy })
  await again.store.apply(testMailbox, [add(inbox, 'after')])
  assert.deepEqual(await subjects(again.store, inbox), ['before', 'after'])
  await sound(again.store)
  await again.store.close()
  await assert.rejects(testStore(t, { foldMs, folder: copy, upgrades: upgrades.slice(0, 2) }), (error) =>
    isDomainError(error, 'unavailable'),
  )
})

test('one delivery waits for one sync, of the redo log; a large one for its segment and the commit', async (t) => {
  const synced: string[] = []
  const paths = new Map<number, string>()
  const files: Files = {
    ...realFiles,
    open: (path, flags) => {
      const fd = realFiles.open(path, flags)
      paths.set(fd, path.endsWith('.seg') ? 'segment' : 'redo')
      return fd
    },
    sync: (fd) => {
      synced.push(paths.get(fd) ?? '')
      return realFiles.sync(fd)
    },
    syncNow: (fd) => {
      synced.push(paths.get(fd) ?? '')
      realFiles.syncNow(fd)
    },
  }
  const { store, inbox } = await testStore(t, { foldMs, files })
  await store.checkpoint()
  synced.length = 0
  await store.apply(testMailbox, [add(inbox, 'small')])
  assert.deepEqual(synced, ['redo'])
  await store.checkpoint()
  synced.length = 0
  await store.apply(testMailbox, [add(inbox, 'large', randomBytes(90_000).toString('hex'))])
  assert.deepEqual(synced, ['segment'])
})

test('without room for the redo log every batch is a commit, and nothing else is different', async (t) => {
  const files: Files = {
    ...realFiles,
    open: (path, flags) => {
      if (path.endsWith('-redo')) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
      return realFiles.open(path, flags)
    },
  }
  const { store, folder, inbox } = await testStore(t, { foldMs, files })
  await store.apply(testMailbox, [add(inbox, 'a'), add(inbox, 'b')])
  const again = await testStore(t, { foldMs, folder: cut(folder) })
  assert.deepEqual(await subjects(again.store, inbox), ['a', 'b'])
  await sound(again.store)
})

test('a long log is folded while deliveries go on', async (t) => {
  const { store, folder, inbox } = await testStore(t, { foldMs })
  const body = randomBytes(20_000).toString('hex')
  for (let i = 0; i < 12; i++)
    await Promise.all(Array.from({ length: 16 }, (_, n) => store.apply(testMailbox, [add(inbox, `${i} ${n}`, body)])))
  assert.equal(statSync(join(folder, REDO)).size, 4 * 1024 * 1024)
  const again = await testStore(t, { foldMs, folder: cut(folder) })
  assert.equal((await again.store.info(testMailbox)).items, 192)
  await sound(again.store)
})

test('a new redo log has its name on the disk before anything is answered', async (t) => {
  const calls: string[] = []
  const files: Files = {
    ...realFiles,
    open(path, flags) {
      if (path.endsWith('-redo') && flags.startsWith('w')) calls.push('made')
      return realFiles.open(path, flags)
    },
    syncDirectory(path) {
      calls.push(basename(path))
      realFiles.syncDirectory(path)
    },
  }
  await testStore(t, { files })
  const made = calls.indexOf('made')
  assert.ok(made >= 0 && calls.indexOf('db', made) > made, calls.join())
})
