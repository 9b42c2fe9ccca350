import assert from 'node:assert/strict'
import { Flag } from '../flags.ts'
import type { FolderId, Mid } from '../ids.ts'
import { mailItem } from '../mail.ts'
import { Pid } from '../props/tags.ts'
import { MAX_SEARCH_DEPTH, MAX_SEARCH_NODES, type SearchQuery, type TextField } from '../search.ts'
import { type Box, bytesOf, newItem, numbers, rejects } from './subject.ts'
import type { Topic } from './topic.ts'

const mail = (headers: readonly string[], ...body: readonly string[]): Uint8Array =>
  bytesOf([...headers, '', ...body, ''].join('\r\n'))

/** UID 1 to 5. */
const mails = [
  mail(
    [
      'From: Zoë Müller <zoe@contoso.com>',
      'To: Bob <bob@example.com>',
      'Subject: Quarterly report',
      'X-Project: Apollo eleven',
    ],
    'The figures are attached, 100% sure_thing.',
  ),
  mail(
    [
      'From: =?utf-8?q?Andr=C3=A9?= <andre@fabrikam.com>',
      'To: team@example.com',
      'Cc: Carol Jones <carol@example.com>',
      'Subject: =?utf-8?b?R3LDvMOfZSBhdXMgTcO8bmNoZW4=?=',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: quoted-printable',
    ],
    'Sch=C3=B6ne Gr=C3=BC=C3=9Fe vom Oktober=',
    'fest',
  ),
  mail(
    [
      'From: News <news@example.org>',
      'To: bob@example.com',
      'Subject: Weekly',
      'Content-Type: text/html; charset=utf-8',
      'Content-Transfer-Encoding: base64',
    ],
    Buffer.from('<html><body><p>Big <b>discount</b> on caf&eacute; tables</p></body></html>').toString('base64'),
  ),
  mail(
    [
      'From: dave@example.com',
      'To: Bob <bob@example.com>',
      'Subject: with a file',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b',
    ],
    '--b',
    'Content-Type: text/plain',
    '',
    'see the file',
    '--b',
    'Content-Type: application/pdf; name="budget-2027.pdf"',
    'Content-Disposition: attachment; filename="budget-2027.pdf"',
    'Content-Transfer-Encoding: base64',
    '',
    'AAAA',
    '--b--',
  ),
  mail(
    [
      'From: tanaka@example.jp',
      'To: bob@example.com',
      'Subject: 会議の議事録',
      'Content-Type: text/plain; charset=utf-8',
    ],
    '東京で会議があります。',
  ),
]

/** The five mails, and a task (UID 6) that has no original. */
async function filled(box: Box): Promise<void> {
  for (const [i, bytes] of mails.entries()) {
    await box.apply({ op: 'add', folder: box.inbox, item: mailItem(bytes, { received: 1_000 * (i + 1) }) })
  }
  await box.add(box.inbox, {
    original: undefined,
    size: 0,
    received: 500,
    keywords: ['Work'],
    promoted: { ...newItem().promoted, class: 'IPM.Task', subject: 'Buy milk', fromName: '', fromAddress: '' },
    props: new Map([[Pid.TagBody, 'two litres, semi-skimmed']]),
  })
}

async function found(box: Box, query: SearchQuery, folders: readonly FolderId[] = [box.inbox]): Promise<number[]> {
  const request = { folders, query, order: 'uid', offset: 0, limit: 1_000 } as const
  const result = await box.service.search(box.id, request)
  assert.equal(result.total, result.uids.length)
  return numbers(result.uids)
}
const substring = (field: TextField, value: string): SearchQuery => ({ kind: 'text', field, value, match: 'substring' })
const words = (field: TextField, value: string): SearchQuery => ({ kind: 'text', field, value, match: 'words' })

type Case = readonly [query: SearchQuery, uids: readonly number[]]
/** One test: each query finds exactly these UIDs. */
const table =
  (cases: readonly Case[]) =>
  async (subject: Parameters<Topic['tests'][string]>[0]): Promise<void> => {
    const box = await subject.box()
    await filled(box)
    for (const [query, uids] of cases) assert.deepEqual(await found(box, query), uids, JSON.stringify(query))
  }

export const searchTopic: Topic = {
  name: 'search',
  tests: {
    'RFC 9051 §6.4.4: subjects by substring, decoded, without case': table([
      [substring('subject', 'report'), [1]],
      [substring('subject', 'QUARTERLY'), [1]],
      [substring('subject', 'arterly rep'), [1]],
      [substring('subject', 'grüße aus'), [2]],
      [substring('subject', 'MÜNCHEN'), [2]],
      [substring('subject', '議事'), [5]],
      [substring('subject', 'e'), [1, 2, 3, 4]],
      [substring('subject', 'milk'), [6]],
      [substring('subject', 'nothing like it'), []],
      [substring('subject', ''), [1, 2, 3, 4, 5, 6]],
    ]),
    'addresses by substring: names and addresses': table([
      [substring('from', 'contoso'), [1]],
      [substring('from', 'zoë m'), [1]],
      [substring('from', 'andré'), [2]],
      [substring('from', '@example'), [3, 4, 5]],
      [substring('to', 'bob'), [1, 3, 4, 5]],
      [substring('to', 'carol'), []],
      [substring('cc', 'jones'), [2]],
      [substring('bcc', 'bob'), []],
      [substring('addresses', 'carol@'), [2]],
      [substring('addresses', 'example.com'), [1, 2, 3, 4, 5]],
    ]),
    'bodies by substring: transfer encodings, charsets and HTML undone': table([
      [substring('body', 'figures are'), [1]],
      [substring('body', 'gures'), [1]],
      [substring('body', 'schöne grüße vom oktoberfest'), [2]],
      [substring('body', 'discount'), [3]],
      [substring('body', 'café tables'), [3]],
      [substring('body', '<b>'), []],
      [substring('body', '東京で'), [5]],
      [substring('body', 'semi-skimmed'), [6]],
      [substring('body', 'quarterly'), []],
      [substring('body', 'AAAA'), []],
    ]),
    'no letter is a wildcard': table([
      [substring('body', '100%'), [1]],
      [substring('body', '1%0'), []],
      [substring('body', 'sure_thing'), [1]],
      [substring('body', 'sure?thing'), []],
      [substring('body', '*'), []],
      [substring('body', '"'), []],
      [substring('body', "'; DROP TABLE"), []],
      [substring('text', 'NEAR('), []],
      [words('text', '" OR "x'), []],
    ]),
    'text is everything: headers, bodies and attachment names': table([
      [substring('text', 'quarterly'), [1]],
      [substring('text', 'apollo'), [1]],
      [substring('text', 'x-project'), [1]],
      [substring('text', 'discount'), [3]],
      [substring('text', 'budget-2027'), [4]],
      [substring('text', 'milk'), [6]],
      [substring('attachmentName', 'BUDGET'), [4]],
      [substring('attachmentName', 'file'), []],
    ]),
    'header fields by name': table([
      [{ kind: 'header', name: 'X-Project', value: 'eleven' }, [1]],
      [{ kind: 'header', name: 'x-project', value: '' }, [1]],
      [{ kind: 'header', name: 'Subject', value: 'GRÜSSE' }, []],
      [{ kind: 'header', name: 'Subject', value: 'grüße' }, [2]],
      [{ kind: 'header', name: 'X-None', value: '' }, []],
    ]),
    'words: every word, the last one may be a beginning': table([
      [words('text', 'quarterly report'), [1]],
      [words('text', 'report quart'), [1]],
      [words('text', 'quart report'), []],
      [words('subject', 'repo'), [1]],
      [words('subject', 'eport'), []],
      [words('body', 'disc'), [3]],
      [words('text', 'BOB FIG'), [1]],
      [words('text', 'münchen'), [2]],
    ]),
    'flags, keywords, sizes, dates, UIDs, mids and change numbers': async (subject) => {
      const box = await subject.box()
      await filled(box)
      const two = { uids: Uint32Array.of(2, 3) }
      const before = (await box.info()).change
      await box.apply({ op: 'flag', folder: box.inbox, items: two, set: Flag.seen, addKeywords: ['Blue'] })
      const rows = await box.rows()
      const cases: readonly Case[] = [
        [{ kind: 'all' }, [1, 2, 3, 4, 5, 6]],
        [{ kind: 'flags', set: Flag.seen, clear: 0 }, [2, 3]],
        [{ kind: 'flags', set: 0, clear: Flag.seen }, [1, 4, 5, 6]],
        [{ kind: 'flags', set: Flag.seen, clear: Flag.seen }, []],
        [{ kind: 'keyword', name: 'blue' }, [2, 3]],
        [{ kind: 'keyword', name: 'WORK' }, [6]],
        [{ kind: 'keyword', name: 'none' }, []],
        [{ kind: 'received', from: 2_000, before: 4_000 }, [2, 3]],
        [{ kind: 'received', before: 1_000 }, [6]],
        [{ kind: 'size', larger: 0 }, [1, 2, 3, 4, 5]],
        [{ kind: 'size', smaller: 1 }, [6]],
        [{ kind: 'size', larger: rows[0]!.size - 1, smaller: rows[0]!.size + 1 }, [1]],
        [
          {
            kind: 'uid',
            ranges: [
              [1, 1],
              [4, 5],
            ],
          },
          [1, 4, 5],
        ],
        [{ kind: 'uid', ranges: [] }, []],
        [{ kind: 'mid', mids: [rows[4]!.mid, rows[0]!.mid, 77_777] as Mid[] }, [1, 5]],
        [{ kind: 'modseq', from: (before + 1) as never }, [2, 3]],
        [{ kind: 'class', prefix: 'IPM.Task' }, [6]],
        [{ kind: 'class', prefix: 'ipm.note' }, [1, 2, 3, 4, 5]],
        [{ kind: 'attachments', has: true }, [4]],
        [{ kind: 'importance', value: 1 }, [1, 2, 3, 4, 5, 6]],
        [{ kind: 'conversation', id: newItem().promoted.conversation }, [6]],
        [{ kind: 'sent', from: newItem().promoted.sent! }, [6]],
      ]
      for (const [query, uids] of cases) assert.deepEqual(await found(box, query), uids, JSON.stringify(query))
    },
    'and, or, not': table([
      [{ kind: 'and', of: [substring('to', 'bob'), substring('from', 'example')] }, [3, 4, 5]],
      [{ kind: 'or', of: [substring('subject', 'weekly'), substring('body', 'figures')] }, [1, 3]],
      [{ kind: 'not', of: substring('to', 'bob') }, [2, 6]],
      [{ kind: 'and', of: [] }, [1, 2, 3, 4, 5, 6]],
      [{ kind: 'or', of: [] }, []],
      [
        { kind: 'not', of: { kind: 'or', of: [substring('text', 'discount'), { kind: 'uid', ranges: [[4, 9]] }] } },
        [1, 2],
      ],
      [{ kind: 'and', of: [{ kind: 'not', of: words('text', 'bob') }, substring('subject', 'aus')] }, [2]],
    ]),
    'order, offset, limit and total': async (subject) => {
      const box = await subject.box()
      await filled(box)
      await box.add(box.trash, { received: 3_500 })
      const request = { folders: [box.inbox, box.trash], query: { kind: 'all' }, offset: 0, limit: 100 } as const
      const byUid = await box.service.search(box.id, { ...request, order: 'uid' })
      assert.deepEqual(numbers(byUid.uids), [1, 2, 3, 4, 5, 6, 1])
      assert.deepEqual(numbers(byUid.folders), [...Array<number>(6).fill(box.inbox), box.trash])
      const newest = { ...request, order: 'newest' } as const
      const all = await box.service.search(box.id, newest)
      assert.deepEqual(numbers(all.uids), [5, 4, 1, 3, 2, 1, 6])
      const page = await box.service.search(box.id, { ...newest, offset: 2, limit: 3 })
      assert.equal(page.total, 7)
      assert.deepEqual(numbers(page.mids), numbers(all.mids).slice(2, 5))
      const beyond = await box.service.search(box.id, { ...newest, offset: 50 })
      assert.deepEqual([beyond.total, beyond.uids.length], [7, 0])
    },
    'only the folders asked for, and never hidden items': async (subject) => {
      const box = await subject.box()
      await box.add(box.inbox, { associated: true })
      await box.add(box.trash)
      assert.deepEqual(await found(box, { kind: 'all' }), [])
      assert.deepEqual(await found(box, substring('subject', 'hello')), [])
      assert.deepEqual(await found(box, substring('subject', 'hello'), [box.trash]), [1])
      assert.deepEqual(await found(box, { kind: 'all' }, []), [])
    },
    'a search sees what was written before it, and no longer what is gone': async (subject) => {
      const box = await subject.box()
      const query = substring('text', 'needle')
      const { mid } = await box.add(box.inbox, { text: 'Subject: x\r\n\r\nthe needle\r\n' })
      assert.deepEqual(await found(box, query), [1])
      await box.apply({ op: 'move', from: box.inbox, to: box.trash, items: { mids: [mid] } })
      assert.deepEqual(await found(box, query), [])
      assert.deepEqual(await found(box, query, [box.trash]), [1])
      await box.apply({ op: 'copy', from: box.trash, to: box.inbox, items: { uids: Uint32Array.of(1) } })
      assert.deepEqual(await found(box, query), [2])
      await box.apply({ op: 'remove', folder: box.inbox, items: { uids: Uint32Array.of(2) } })
      assert.deepEqual(await found(box, query), [])
      assert.deepEqual(await found(box, words('text', 'needle'), [box.trash]), [1])
    },
    'replaced content is found by its new words only': async (subject) => {
      const box = await subject.box()
      const { mid } = await box.add(box.inbox, { text: 'Subject: x\r\n\r\nbefore\r\n' })
      await box.apply({ op: 'replace', mid, item: newItem({ text: 'Subject: x\r\n\r\nafterwards\r\n' }) })
      assert.deepEqual(await found(box, substring('body', 'before')), [])
      assert.deepEqual(await found(box, substring('body', 'afterw')), [2])
    },
    'updated properties are found': async (subject) => {
      const box = await subject.box()
      const { mid } = await box.add(box.inbox, { original: undefined, size: 0 })
      const update = {
        op: 'update',
        mid,
        promoted: { subject: 'Renamed' },
        set: new Map([[Pid.TagBody, 'milestone']]),
      } as const
      await box.apply(update)
      assert.deepEqual(await found(box, substring('subject', 'renam')), [1])
      assert.deepEqual(await found(box, substring('subject', 'hello')), [])
      assert.deepEqual(await found(box, words('body', 'mile')), [1])
    },
    'mailboxes are searched alone': async (subject) => {
      const [box, other] = [await subject.box(), await subject.box()]
      await box.add()
      assert.deepEqual(await found(other, words('subject', 'hello')), [])
      assert.deepEqual(await found(other, substring('text', 'hello')), [])
    },
    'queries too deep, too large or of no kind: invalid': async (subject) => {
      const box = await subject.box()
      await box.add()
      const nest = (depth: number): SearchQuery => (depth <= 1 ? { kind: 'all' } : { kind: 'not', of: nest(depth - 1) })
      assert.deepEqual(await found(box, nest(MAX_SEARCH_DEPTH - 1)), [1])
      await rejects(found(box, nest(MAX_SEARCH_DEPTH + 2)), 'invalid')
      const wide = (nodes: number): SearchQuery => ({ kind: 'or', of: Array<SearchQuery>(nodes).fill({ kind: 'all' }) })
      assert.deepEqual(await found(box, wide(MAX_SEARCH_NODES - 1)), [1])
      await rejects(found(box, wide(MAX_SEARCH_NODES + 1)), 'invalid')
      await rejects(found(box, { kind: 'nonsense' } as unknown as SearchQuery), 'invalid')
    },
  },
}
