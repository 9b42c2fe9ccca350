import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DirectoryError, DomainError, isDomainError } from '@postrider/domain'
import { directChannel } from './carriers/direct.ts'
import { Peer } from './peer.ts'

type Far = {
  readonly calls: {
    add(a: number, b: number): Promise<number>
    refuse(kind: string): Promise<never>
    never(): Promise<void>
    heard(): Promise<readonly string[]>
  }
  readonly words: { say(text: string): void }
}
type Near = { readonly calls: { double(n: number): Promise<number> }; readonly words: { nothing(): void } }

function pair(deadlines: Readonly<Record<string, number>> = {}) {
  const [a, b] = directChannel()
  const said: string[] = []
  let closed = 0
  const far: Peer<Near> = new Peer<Near>(b, {
    calls: {
      add: async (x: number, y: number) => x + (await far.calls.double(y)),
      async refuse(kind: string) {
        if (kind === 'directory') throw new DirectoryError('exists', { en: 'There is one.', fr: 'Il y en a un.' })
        if (kind === 'domain') throw new DomainError('busy', 'full')
        throw new TypeError('a secret of ours')
      },
      never: () => new Promise(() => {}),
      heard: async () => said,
    },
    words: { say: (text: string) => void said.push(text) },
  })
  const near = new Peer<Far>(
    a,
    { calls: { double: async (n: number) => n * 2 }, words: { nothing() {} } },
    { deadlines, closed: () => closed++ },
  )
  return { near, far, closed: () => closed }
}

test('both sides call each other, and an answer comes behind everything said before it', async () => {
  const { near } = pair()
  assert.equal(await near.calls.add(1, 2), 5)
  near.words.say('one')
  near.words.say('two')
  assert.deepEqual(await near.calls.heard(), ['one', 'two'])
})

test('a refusal arrives as the error it was; a fault of ours tells nothing', async () => {
  const { near } = pair()
  await assert.rejects(near.calls.refuse('directory'), (error) => {
    assert.ok(error instanceof DirectoryError)
    assert.deepEqual([error.code, error.phrase.fr], ['exists', 'Il y en a un.'])
    return true
  })
  await assert.rejects(near.calls.refuse('domain'), (error) => isDomainError(error, 'busy'))
  await assert.rejects(near.calls.refuse('other'), (error) => isDomainError(error) && !/secret/.test(error.message))
  const unknown = near.calls as unknown as Record<string, () => Promise<void>>
  for (const name of ['toString', 'constructor', 'nothing'])
    await assert.rejects(unknown[name]!(), (error) => isDomainError(error, 'invalid'))
})

test('a call without an answer ends with its deadline or with the channel', async () => {
  const { near, far, closed } = pair({ never: 20 })
  await assert.rejects(near.calls.never(), (error) => isDomainError(error, 'unavailable'))
  const waiting = near.calls.refuse('x').catch((error: unknown) => error)
  far.close()
  assert.ok(isDomainError(await waiting))
  await assert.rejects(near.calls.add(1, 1), (error) => isDomainError(error, 'unavailable'))
  near.words.say('to nobody')
  assert.equal(closed(), 1)
})
