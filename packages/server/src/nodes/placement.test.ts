import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { NodeRecord } from './identity.ts'
import { placeOf } from './placement.ts'

const node = (name: string, number: number, databases: readonly string[]): NodeRecord => ({
  name,
  number,
  host: '127.0.0.1',
  port: 1,
  fingerprint: '',
  databases,
})

function directoryOf(nodes: readonly NodeRecord[], homes: readonly string[]) {
  const settings = new Map<string, unknown>(nodes.map((one) => [`node.${one.name}`, one]))
  for (const { name, databases } of nodes)
    for (const database of databases) settings.set(`owner.${database}`, { node: name, epoch: 2 })
  return {
    setting: (name: string) => settings.get(name),
    settingsNamed: (prefix: string) => [...settings].filter(([name]) => name.startsWith(prefix)),
    mailboxes: () => homes.map((database) => ({ database })),
  }
}
const nodes = [node('alpha', 0, []), node('beta', 1, ['beta-1', 'beta-2']), node('gamma', 2, [])]

test('a new mailbox lives where there are fewest, or on the node that is named', () => {
  const alone = directoryOf([], ['mailboxes-1'])
  assert.equal(placeOf(alone, ['mailboxes-1'], undefined), undefined)
  const directory = directoryOf(nodes, ['mailboxes-1', 'mailboxes-1', 'beta-1', 'beta-1', 'beta-1', 'beta-2'])
  assert.equal(placeOf(directory, ['mailboxes-1'], undefined), 'beta-2')
  assert.equal(placeOf(directory, ['mailboxes-1', 'mailboxes-2'], undefined), 'mailboxes-2')
  assert.equal(placeOf(directory, ['mailboxes-1'], 'alpha'), 'mailboxes-1')
  // Asked on another node, which sees of the directory's databases those that somebody lives in.
  assert.equal(placeOf(directory, [], 'alpha'), 'mailboxes-1')
  assert.equal(placeOf(directoryOf(nodes, []), [], 'alpha'), undefined)
  assert.equal(placeOf(directory, [], 'beta'), 'beta-2')
})

test('a node that is not there, or has no mailboxes, is said so', () => {
  const directory = directoryOf(nodes, [])
  assert.throws(() => placeOf(directory, [], 'delta'), /no node delta.*alpha, beta, gamma/)
  assert.throws(() => placeOf(directory, [], 'gamma'), /gamma has no mailboxes/)
})
