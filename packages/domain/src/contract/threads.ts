import assert from 'node:assert/strict'
import type { Mid } from '../ids.ts'
import { mailItem } from '../mail.ts'
import { type Operation, resultOf } from '../operations.ts'
import { goneReasons } from '../packed.ts'
import { rejects, type Box, bytesOf } from './subject.ts'
import type { Topic } from './topic.ts'

interface Letter {
  readonly id: string
  readonly subject?: string
  readonly references?: string
  readonly inReplyTo?: string
}

const letter = ({ id, subject = 'Re: plans', references, inReplyTo }: Letter) =>
  mailItem(
    bytesOf(
      [
        `Message-ID: <${id}@example.com>`,
        `Subject: ${subject}`,
        ...(references === undefined ? [] : [`References: ${names(references)}`]),
        ...(inReplyTo === undefined ? [] : [`In-Reply-To: ${names(inReplyTo)}`]),
        '',
        id,
        '',
      ].join('\r\n'),
    ),
    { received: 1_790_000_000_000 },
  )
const names = (ids: string): string => [...ids].map((id) => `<${id}@example.com>`).join(' ')

const adding = (box: Box, one: Letter): Operation => ({ op: 'add', folder: box.inbox, item: letter(one) })

/** Conversations of mails, each as the letters of it, after they arrived in this order. */
async function grouped(box: Box, letters: readonly Letter[]): Promise<readonly string[]> {
  const mids = new Map<Mid, string>()
  for (const one of letters) mids.set(resultOf(await box.apply(adding(box, one)), 0, 'add').mid, one.id)
  const items = await box.service.get(box.id, { by: { mids: [...mids.keys()] }, columns: ['promoted'] })
  assert.equal(items.length, letters.length)
  const groups = new Map<string, string[]>()
  for (const { mid, promoted } of items) {
    const name = promoted?.conversation ?? ''
    groups.set(name, [...(groups.get(name) ?? []), mids.get(mid) as string])
  }
  return [...groups.values()].map((group) => group.sort().join('')).sort()
}

const orders = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  all.length < 2
    ? [all]
    : all.flatMap((one, i) => orders([...all.slice(0, i), ...all.slice(i + 1)]).map((rest) => [one, ...rest]))

const chain: readonly Letter[] = [
  { id: 'a', subject: 'plans' },
  { id: 'b', inReplyTo: 'a' },
  { id: 'c', inReplyTo: 'b' },
  { id: 'd', inReplyTo: 'c' },
]

export const threadsTopic: Topic = {
  name: 'threads',
  tests: {
    'RFC 8621 §3: four mails with In-Reply-To alone are one conversation, in any order of arrival': async (subject) => {
      for (const letters of orders(chain)) {
        const order = letters.map(({ id }) => id).join('')
        assert.deepEqual(await grouped(await subject.box(), letters), ['abcd'], order)
      }
    },
    'mails with and without References, and with a root cut off, are one': async (subject) => {
      const letters: readonly Letter[] = [
        { id: 'a', subject: 'plans' },
        { id: 'b', references: 'a', inReplyTo: 'a' },
        { id: 'c', inReplyTo: 'b' },
        { id: 'd', references: 'bc' },
      ]
      for (const order of orders(letters)) assert.deepEqual(await grouped(await subject.box(), order), ['abcd'])
    },
    'another topic is another conversation, whatever it answers; mails without names stay apart': async (subject) => {
      const other: Letter = { id: 'x', subject: 'Re: lunch', inReplyTo: 'b' }
      const answer: Letter = { id: 'y', subject: 'Re: lunch', inReplyTo: 'x' }
      const alone: Letter = { id: 'z', subject: 'plans' }
      assert.deepEqual(await grouped(await subject.box(), [...chain, other, answer, alone]), ['abcd', 'xy', 'z'])
    },
    'the answer to an add says where it went, and a mail that changes its conversation has a new UID': async (
      subject,
    ) => {
      const box = await subject.box()
      const [a, b, c] = chain as [Letter, Letter, Letter]
      const first = resultOf(await box.apply(adding(box, a)), 0, 'add')
      const early = resultOf(await box.apply(adding(box, c)), 0, 'add')
      assert.notEqual(early.conversation, first.conversation)
      const { change } = await box.info()
      const link = resultOf(await box.apply(adding(box, b)), 0, 'add')
      assert.equal(link.conversation, first.conversation)
      const [item] = await box.service.get(box.id, { by: { mids: [early.mid] }, columns: ['promoted'] })
      assert.equal(item?.promoted?.conversation, first.conversation)
      assert.equal(item?.itemId, early.itemId)
      assert.ok((item?.uid ?? 0) > early.uid)
      const { gone, items } = await box.service.changes(box.id, { since: change, limit: 100 })
      assert.deepEqual([...gone.uid], [early.uid])
      assert.equal(goneReasons[gone.why[0] as number], 'renumbered')
      assert.equal(items.count, 2)
    },
    'a failed apply joins nothing': async (subject) => {
      const box = await subject.box()
      const [a, b, c] = chain as [Letter, Letter, Letter]
      await box.apply(adding(box, a))
      const early = resultOf(await box.apply(adding(box, c)), 0, 'add')
      await rejects(box.apply(adding(box, b), { ...adding(box, a), folder: 987_654 } as Operation), 'folderNotFound')
      const [item] = await box.service.get(box.id, { by: { mids: [early.mid] }, columns: ['promoted'] })
      assert.equal(item?.promoted?.conversation, early.conversation)
      assert.equal(item?.uid, early.uid)
    },
  },
}
