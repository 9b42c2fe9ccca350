import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Flag, type FolderId, type Mid } from '@postrider/domain'
import type { Args, JmapClient, JmapError } from '@postrider/testkit/jmap'
import { mail, Room } from './room.ts'

const fails = (type: string) => (error: unknown) => (error as JmapError).type === type

async function filled(
  room: Room,
): Promise<{ client: JmapClient; ids: string[]; find: (filter: object | null, more?: object) => Promise<number[]> }> {
  const DAY = 86_400_000
  const made = [
    await room.deliver(mail('Apple pie', [], 'sweet crumbs'), { received: DAY, flags: Flag.seen }),
    await room.deliver(mail('Banana', ['Cc: Dora <dora@example.org>', 'X-Fruit: yes']), { received: 2 * DAY }),
    await room.deliver(mail('Re: Apple pie', ['References: <Applepie@example.net>'], 'crumbs are sweet'), {
      received: 3 * DAY,
      flags: Flag.flagged,
    }),
    await room.deliver(mail('Cherry', [], 'x'.repeat(5_000)), { received: 4 * DAY, role: 'archive', flags: Flag.seen }),
  ]
  const client = await room.client()
  const ids = made.map((one) => one.id)
  const find = async (filter: object | null, more: object = {}) =>
    (await client.call('Email/query', { filter, ...more })).ids.map((id: string) => ids.indexOf(id) + 1)
  return { client, ids, find }
}

test('RFC 8621 §4.4.1: every filter condition', async () => {
  await using room = await Room.open()
  const { client, find } = await filled(room)
  const cases: [object | null, number[]][] = [
    [null, [4, 3, 2, 1]],
    [{ inMailbox: 'F3' }, [3, 2, 1]],
    [{ inMailboxOtherThan: ['F3'] }, [4]],
    [{ before: '1970-01-03T00:00:00Z' }, [1]],
    [{ after: '1970-01-03T00:00:00Z' }, [4, 3, 2]],
    [{ minSize: 1_000 }, [4]],
    [{ maxSize: 1_000 }, [3, 2, 1]],
    [{ hasKeyword: '$SEEN' }, [4, 1]],
    [{ notKeyword: '$seen' }, [3, 2]],
    [{ allInThreadHaveKeyword: '$seen' }, [4]],
    [{ someInThreadHaveKeyword: '$seen' }, [4, 3, 1]],
    [{ noneInThreadHaveKeyword: '$flagged' }, [4, 2]],
    [{ hasAttachment: false }, [4, 3, 2, 1]],
    [{ text: 'crumbs sweet' }, [3, 1]],
    [{ text: '"sweet crumbs"' }, [1]],
    [{ subject: 'apple' }, [3, 1]],
    [{ body: 'crumbs' }, [3, 1]],
    [{ from: 'carol' }, [4, 3, 2, 1]],
    [{ cc: 'dora@example.org' }, [2]],
    [{ header: ['X-Fruit'] }, [2]],
    [{ header: ['x-fruit', 'no'] }, []],
    [
      { operator: 'OR', conditions: [{ subject: 'banana' }, { subject: 'cherry' }, { hasKeyword: '$flagged' }] },
      [4, 3, 2],
    ],
    [{ operator: 'NOT', conditions: [{ subject: 'apple' }, { inMailbox: 'F9' }] }, [2]],
    [
      { operator: 'AND', conditions: [{ inMailbox: 'F3' }, { operator: 'NOT', conditions: [{ body: 'crumbs' }] }] },
      [2],
    ],
    [{ inMailbox: 'F3', subject: 'apple', notKeyword: '$seen' }, [3]],
  ]
  for (const [filter, expected] of cases) assert.deepEqual(await find(filter), expected, JSON.stringify(filter))
  await assert.rejects(client.call('Email/query', { filter: { colour: 'red' } }), fails('unsupportedFilter'))
  await assert.rejects(client.call('Email/query', { filter: { inMailbox: 'F999' } }), fails('invalidArguments'))
  await assert.rejects(client.call('Email/query', { filter: { before: 'yesterday' } }), fails('invalidArguments'))
})

test('RFC 8621 §4.4.2, §4.4.3, RFC 8620 §5.5: sorts, conversations, windows, anchors, totals', async () => {
  await using room = await Room.open()
  const { client, ids, find } = await filled(room)
  const by = (property: string, isAscending = true, more: object = {}) => ({
    sort: [{ property, isAscending, ...more }],
  })
  assert.deepEqual(await find(null, by('receivedAt')), [1, 2, 3, 4])
  assert.deepEqual(
    await find(null, by('size', false)),
    [4, 3, 2, 1].sort((a, b) => [4, 3, 2, 1].indexOf(a) - [4, 3, 2, 1].indexOf(b)),
  )
  assert.deepEqual(await find(null, by('subject')), [3, 1, 2, 4])
  assert.deepEqual(await find(null, by('hasKeyword', false, { keyword: '$flagged' })), [3, 4, 2, 1])
  assert.deepEqual(await find(null, by('someInThreadHaveKeyword', false, { keyword: '$flagged' })), [3, 1, 4, 2])
  assert.deepEqual(await find(null, { collapseThreads: true }), [4, 3, 2])
  assert.deepEqual(await find(null, { position: 1, limit: 2 }), [3, 2])
  assert.deepEqual(await find(null, { position: -1 }), [1])
  assert.deepEqual(await find(null, { position: 9 }), [])
  assert.deepEqual(await find(null, { anchor: ids[1], anchorOffset: -1, limit: 2 }), [3, 2])
  assert.deepEqual(await find(null, { anchor: ids[3], anchorOffset: -5 }), [4, 3, 2, 1])
  await assert.rejects(find(null, { anchor: 'M999' }), fails('anchorNotFound'))
  await assert.rejects(find(null, by('colour')), fails('unsupportedSort'))
  await assert.rejects(find(null, by('subject', true, { collation: 'i;none' })), fails('unsupportedSort'))
  const answer = await client.call('Email/query', { limit: 1, calculateTotal: true })
  assert.deepEqual([answer.total, answer.position, answer.canCalculateChanges], [4, 0, true])
})

test('RFC 8621 §5.1: snippets mark and escape', async () => {
  await using room = await Room.open()
  const { id } = await room.deliver(mail('Tom & <Jerry>', [], `${'word '.repeat(100)} cat <b> mouse`))
  const client = await room.client()
  const { list, notFound } = await client.call('SearchSnippet/get', {
    filter: { text: 'jerry mouse' },
    emailIds: [id, 'M999'],
  })
  assert.equal(list[0].subject, 'Tom &amp; &lt;<mark>Jerry</mark>&gt;')
  assert.match(list[0].preview, /cat &lt;b&gt; <mark>mouse<\/mark>/)
  assert.ok(Buffer.byteLength(list[0].preview) <= 255)
  assert.deepEqual(notFound, ['M999'])
})

/** A client that knows only what /changes and /queryChanges tell it. */
class Mirror {
  readonly client: JmapClient
  readonly query: object
  state = ''
  queryState = ''
  mails = new Map<string, unknown>()
  ids: string[] = []
  constructor(client: JmapClient, query: object) {
    this.client = client
    this.query = query
  }
  async start(): Promise<void> {
    const answer = await this.client.call('Email/query', this.query)
    this.ids = answer.ids
    this.queryState = answer.queryState
    const got = await this.client.call('Email/get', { ids: null, properties: ['mailboxIds', 'keywords'] })
    this.state = got.state
    this.mails = new Map(got.list.map((one: Args) => [one.id, one]))
  }
  async follow(maxChanges: number): Promise<void> {
    for (let more = true; more; ) {
      const page = await this.client.call('Email/changes', { sinceState: this.state, maxChanges })
      const { list, notFound } = await this.client.call('Email/get', {
        ids: [...page.created, ...page.updated],
        properties: ['mailboxIds', 'keywords'],
      })
      for (const id of page.created) assert.ok(!this.mails.has(id), `${id} was there before`)
      for (const id of page.updated) assert.ok(this.mails.has(id), `${id} was not there before`)
      for (const one of list) this.mails.set(one.id, one)
      for (const id of [...page.destroyed, ...notFound]) this.mails.delete(id)
      this.state = page.newState
      more = page.hasMoreChanges
    }
    const changes = await this.client.call('Email/queryChanges', { ...this.query, sinceQueryState: this.queryState })
    this.ids = this.ids.filter((id) => !changes.removed.includes(id))
    for (const { id, index } of changes.added) this.ids.splice(index, 0, id)
    this.queryState = changes.newQueryState
  }
  async check(): Promise<void> {
    const got = await this.client.call('Email/get', { ids: null, properties: ['mailboxIds', 'keywords'] })
    assert.deepEqual(new Map([...this.mails].sort()), new Map(got.list.map((one: Args) => [one.id, one]).sort()))
    assert.deepEqual(this.ids, (await this.client.call('Email/query', this.query)).ids)
  }
}

test('RFC 8620 §5.2, §5.6: whatever IMAP or a phone does, a client that follows changes has what a new one gets', async () => {
  const action = fc.record({
    kind: fc.constantFrom('add', 'flag', 'move', 'copy', 'remove', 'hide'),
    at: fc.nat(30),
    to: fc.nat(3),
    bit: fc.constantFrom(Flag.seen, Flag.flagged),
  })
  const queries = [
    {},
    { filter: { inMailbox: 'F3' } },
    { filter: { inMailbox: 'F3', notKeyword: '$seen' }, sort: [{ property: 'receivedAt' }] },
    { collapseThreads: true, filter: { inMailboxOtherThan: ['F6'] } },
    {
      sort: [{ property: 'someInThreadHaveKeyword', keyword: '$flagged', isAscending: false }, { property: 'subject' }],
    },
  ]
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(action, { maxLength: 5 }), { minLength: 1, maxLength: 4 }),
      fc.nat(queries.length - 1),
      fc.integer({ min: 1, max: 5 }),
      async (rounds, query, page) => {
        await using room = await Room.open()
        const client = await room.client()
        const places: { mid: Mid; folder: FolderId }[] = []
        const folders = await Promise.all(
          (['inbox', 'archive', 'deleteditems', 'sentitems'] as const).map(
            async (role) => (await room.folder(role)).id,
          ),
        )
        const hidden = (await room.folder('recoverableitemsdeletions')).id
        let n = 0
        for (let i = 0; i < 4; i++)
          places.push(
            await room.deliver(mail('Topic', i % 2 === 0 ? ['References: <r@x>'] : []), { received: 1_000 * ++n }),
          )
        const mirror = new Mirror(client, queries[query] as object)
        await mirror.start()
        for (const round of rounds) {
          for (const { kind, at, to, bit } of round) {
            const target = folders[to] as FolderId
            if (kind === 'add') {
              places.push(
                await room.deliver(mail('Topic', at % 3 === 0 ? ['References: <r@x>'] : []), {
                  received: 1_000 * (at % 7),
                }),
              )
              continue
            }
            const place = places[at % places.length]
            if (place === undefined) continue
            const items = { mids: [place.mid] }
            const from = place.folder
            if (kind === 'flag')
              await room.apply({ op: 'flag', folder: from, items, ...(at % 2 === 0 ? { set: bit } : { clear: bit }) })
            else if (kind === 'remove') {
              await room.apply({ op: 'remove', folder: from, items })
              places.splice(places.indexOf(place), 1)
            } else {
              const op = kind === 'copy' ? 'copy' : 'move'
              const folder = kind === 'hide' ? (from === hidden ? target : hidden) : target
              const [result] = (await room.apply({ op, from, items, to: folder })).results
              if (result?.op !== op) throw new Error(op)
              const placed = { mid: result.mids[0] as Mid, folder }
              if (op === 'copy') places.push(placed)
              else places[places.indexOf(place)] = placed
            }
          }
          await mirror.follow(page)
          await mirror.check()
        }
      },
    ),
    { numRuns: 25 },
  )
})

test('conversations of a large folder are read as a column, not mail by mail; what came since joins them', async () => {
  await using room = await Room.open()
  const { service } = room
  const read: number[] = []
  const get = service.get.bind(service)
  service.get = (mailbox, request) => {
    if ('mids' in request.by) read.push(request.by.mids.length)
    return get(mailbox, request)
  }
  for (let i = 0; i < 700; i++) {
    const answers = i >= 350 ? [`References: <Topic${i - 350}@example.net>`] : []
    await room.deliver(mail(answers.length > 0 ? `Re: Topic ${i - 350}` : `Topic ${i}`, answers), {
      received: 1_700_000_000_000 + i * 1_000,
      role: i % 3 === 0 ? 'archive' : 'inbox',
    })
  }
  const client = await room.client()
  const collapsed = async (): Promise<number> =>
    (await client.call('Email/query', { filter: null, collapseThreads: true, limit: 50, calculateTotal: true })).total
  assert.equal(await collapsed(), 350)
  assert.deepEqual(read, [], 'no mail was read')
  const late = await room.deliver(mail('Re: Topic 7', ['References: <Topic7@example.net>']))
  assert.equal(await collapsed(), 350)
  const { list } = await client.call('Thread/get', { ids: [late.thread] })
  assert.equal(list[0].emailIds.length, 3)
  assert.deepEqual(read, [1], 'only what came since')
})

test('RFC 8621 §3: a link that comes last joins what only In-Reply-To ties together; ids stay', async () => {
  await using room = await Room.open()
  const client = await room.client()
  const named = (id: string, answers?: string): Promise<{ id: string; thread: string }> => {
    const more = answers === undefined ? [] : [`In-Reply-To: <${answers}@example.net>`]
    return room.deliver(
      mail(answers === undefined ? 'Journey' : 'Re: Journey', more).replace(
        /^Message-ID:.*/m,
        `Message-ID: <${id}@example.net>`,
      ),
    )
  }
  const a = await named('a')
  const c = await named('c', 'b')
  assert.notEqual(a.thread, c.thread)
  const { state } = await client.call('Email/get', { ids: [] })
  const { state: threads } = await client.call('Thread/get', { ids: [a.thread, c.thread] })
  const b = await named('b', 'a')
  const d = await named('d', 'c')
  const { list } = await client.call('Thread/get', { ids: [a.thread, c.thread] })
  assert.deepEqual(
    list.map((one: { emailIds: string[] }) => new Set(one.emailIds)),
    [new Set([a.id, b.id, c.id, d.id])],
  )
  const mails = await client.call('Email/get', { ids: [a.id, b.id, c.id, d.id], properties: ['threadId'] })
  for (const one of mails.list) assert.equal(one.threadId, a.thread)
  const changes = await client.call('Email/changes', { sinceState: state })
  assert.deepEqual(new Set(changes.created), new Set([b.id, d.id]))
  assert.deepEqual(changes.updated, [c.id])
  const moved = await client.call('Thread/changes', { sinceState: threads })
  assert.deepEqual([moved.updated, moved.destroyed], [[a.thread], [c.thread]])
})
