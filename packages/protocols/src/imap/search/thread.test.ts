import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { byReferences, byRefs, formatThreads, orderedSubject, type ThreadMessage } from './thread.ts'

let clock = 0
const message = (
  sequence: number,
  id: string,
  references: string[] = [],
  subject = `Subject ${id}`,
  date = ++clock,
): ThreadMessage => ({
  sequence,
  messageId: id,
  references,
  subject,
  date,
})
const shown = (threads: Parameters<typeof formatThreads>[0]): string => formatThreads(threads, (one) => one.sequence)

test('RFC 5256 §4: chains and branches', () => {
  const messages = [
    message(1, 'a'),
    message(2, 'b', ['a'], 'x'),
    message(3, 'c', ['a', 'b'], 'y'),
    message(4, 'd', ['a', 'b'], 'z'),
    message(5, 'e', ['a', 'b', 'd'], 'w'),
    message(6, 'f'),
  ]
  assert.equal(shown(byReferences(messages)), '(1 2 (3)(4 5))(6)')
  assert.equal(shown(byRefs(messages)), '(1 2 (3)(4 5))(6)')
})

test('RFC 5256 §3 step 3: a missing root joins its answers, a missing link gives way', () => {
  assert.equal(shown(byReferences([message(1, 'b', ['a'], 'p'), message(2, 'c', ['a'], 'q')])), '((1)(2))')
  assert.equal(shown(byReferences([message(1, 'b', ['a'], 'p'), message(2, 'd', ['a', 'b', 'gone'], 'q')])), '(1 2)')
})

test('RFC 5256 §3 step 5: equal base subjects are joined, replies under the first', () => {
  assert.equal(shown(byReferences([message(1, 'a', [], 'Plan'), message(2, 'b', [], 'Re: Plan')])), '(1 2)')
  assert.equal(shown(byReferences([message(1, 'a', [], 'Re: Plan'), message(2, 'b', [], 'Plan')])), '(2 1)')
  assert.equal(shown(byReferences([message(1, 'a', [], 'Plan'), message(2, 'b', [], 'plan')])), '((1)(2))')
  assert.equal(shown(byRefs([message(1, 'a', [], 'Plan'), message(2, 'b', [], 'Re: Plan')])), '(1)(2)')
  assert.equal(shown(byReferences([message(1, 'a', [], ''), message(2, 'b', [], 'Re:')])), '(1)(2)')
})

test('RFC 5256 §3 step 1: loops and repeated ids do no harm', () => {
  assert.equal(shown(byReferences([message(1, 'a', ['b'], 'p'), message(2, 'b', ['a'], 'q')])), '(2 1)')
  assert.equal(shown(byReferences([message(1, 'a', ['a'], 'p')])), '(1)')
  assert.equal(shown(byReferences([message(1, 'a', [], 'p'), message(2, 'a', [], 'q')])), '(1)(2)')
})

test('RFC 5256 §3 step 1 B: a message’s own references end the link that others made', () => {
  const [a, b, c] = [
    message(1, 'a', [], 'p', 30),
    message(2, 'b', ['a', 'c'], 'q', 10),
    message(3, 'c', ['b'], 'r', 20),
  ]
  assert.equal(shown(byReferences([a, b, c])), '(3 2)(1)')
})

test('REFS: threads in the order of their newest message', () => {
  const old = message(1, 'a', [], 'p', 1)
  const young = message(2, 'b', [], 'q', 2)
  const answer = message(3, 'c', ['a'], 'r', 3)
  assert.equal(shown(byRefs([old, young, answer])), '(2)(1 3)')
})

test('RFC 5256 §3 ORDEREDSUBJECT: the first is above all others', () => {
  const messages = [
    message(1, 'a', [], 'Plan'),
    message(2, 'b', [], 'Other'),
    message(3, 'c', [], 'Re: Plan'),
    message(4, 'd', [], 'Fwd: plan'),
  ]
  assert.equal(shown(orderedSubject(messages)), '(1 (3)(4))(2)')
})

test('every message comes out once, however wild the references, and depth is no matter', () => {
  const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g')
  const any = fc.array(
    fc.record({
      id: ids,
      references: fc.array(ids, { maxLength: 5 }),
      subject: fc.constantFrom('', 'x', 'Re: x', 'y'),
    }),
    {
      maxLength: 12,
    },
  )
  fc.assert(
    fc.property(any, (list) => {
      const messages = list.map(({ id, references, subject }, i) => message(i + 1, id, references, subject))
      for (const threads of [byReferences(messages), byRefs(messages), orderedSubject(messages)]) {
        const numbers = (shown(threads).match(/\d+/g) ?? []).map(Number).sort((a, b) => a - b)
        assert.deepEqual(
          numbers,
          messages.map((one) => one.sequence),
        )
      }
    }),
    { numRuns: 500 },
  )
  const chain = Array.from({ length: 20_000 }, (_, i) => message(i + 1, `m${i}`, i === 0 ? [] : [`m${i - 1}`], 'deep'))
  const started = workedMs()
  assert.equal(shown(byReferences(chain)).length > 100_000, true)
  assert.ok(workedMs() - started < 1_000)
})
