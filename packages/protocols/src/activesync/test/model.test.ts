/**
 * The tracker: a mailbox that several clients change at random, and phones that sync at random, with small windows, filters
 * of their own, lost replies and restarts. Whenever a phone has synced to the end it has exactly what the mailbox has.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Flag, type Mid, type Operation } from '@postrider/domain'
import { el } from '@postrider/wire/wbxml'
import { changeOf, deleteOf, type Phone } from '@postrider/testkit/activesync'
import fc from 'fast-check'
import { Room } from './room.ts'

type Step =
  | { readonly do: 'deliver'; readonly daysAgo: number }
  | {
      readonly do: 'mailbox'
      readonly what: 'flag' | 'remove' | 'moveOut' | 'moveBack'
      readonly pick: number
      readonly bit: number
    }
  | { readonly do: 'sync'; readonly phone: number; readonly window: number; readonly lose: number }
  | {
      readonly do: 'write'
      readonly what: 'read' | 'delete'
      readonly phone: number
      readonly pick: number
      readonly lose: number
    }
  | { readonly do: 'rekey'; readonly phone: number }
  | { readonly do: 'settle'; readonly phone: number }

const pick = fc.nat(1000)
const phone = fc.nat(1)
const lose = fc.oneof(
  { weight: 3, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 }) },
)
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('deliver' as const), daysAgo: fc.constantFrom(0, 0, 0, 5, 20) }),
  fc.record({
    do: fc.constant('mailbox' as const),
    what: fc.constantFrom('flag' as const, 'remove' as const, 'moveOut' as const, 'moveBack' as const),
    pick,
    bit: fc.constantFrom(Flag.seen, Flag.flagged, Flag.answered),
  }),
  fc.record({ do: fc.constant('sync' as const), phone, window: fc.integer({ min: 1, max: 5 }), lose }),
  fc.record({
    do: fc.constant('write' as const),
    what: fc.constantFrom('read' as const, 'delete' as const),
    phone,
    pick,
    lose,
  }),
  fc.record({ do: fc.constant('rekey' as const), phone }),
  fc.record({ do: fc.constant('settle' as const), phone }),
)

/** Filters of the two phones: everything, and a week. */
const filters = [0, 3] as const
const week = 7 * 24 * 3600 * 1000

async function play(steps: readonly Step[]): Promise<void> {
  await using room = await Room.open()
  const inbox = await room.folder('inbox')
  const archive = await room.folder('archive')
  const phones = [await room.ready({ version: '14.1' }), await room.ready({ version: '16.1' })]
  const id = String(inbox.id)
  let mails = 0
  const midsOf = async (folder: typeof inbox): Promise<Mid[]> => {
    const rows = await room.mailbox.scan({ folder: folder.id, columns: ['mid'] })
    return Array.from(rows.mid) as Mid[]
  }
  const options = (device: Phone) => el('AirSync:Options', el('AirSync:FilterType', filters[phones.indexOf(device)]!))

  const settle = async (device: Phone): Promise<void> => {
    await device.syncAll(id, { options: options(device), windowSize: 3 })
    // A conflict or a lost answer may leave something for one more round.
    await device.syncAll(id, { options: options(device) })
    const cutoff = filters[phones.indexOf(device)] === 0 ? 0 : Date.now() - week
    const expected: string[] = []
    for (const mid of await midsOf(inbox)) {
      const [item] = await room.mailbox.get({ by: { mids: [mid] }, columns: ['promoted'] })
      if (item!.received < cutoff) continue
      expected.push(`${item!.promoted?.subject} ${item!.flags & Flag.seen}`)
    }
    const has = [...device.mirror.items(id).keys()].map(
      (key) => `${device.mirror.value(id, key, 'Email:Subject')} ${device.mirror.value(id, key, 'Email:Read')}`,
    )
    assert.deepEqual(has.sort(), expected.sort())
  }

  const one = async (step: Step): Promise<void> => {
    if (step.do === 'deliver') {
      await room.deliver(`mail ${++mails}`, { received: Date.now() - step.daysAgo * 24 * 3600 * 1000 - 1000 })
      return
    }
    if (step.do === 'mailbox') {
      const folder = step.what === 'moveBack' ? archive : inbox
      const mids = await midsOf(folder)
      if (mids.length === 0) return
      const items = { mids: [mids[step.pick % mids.length]!] }
      const operation: Operation =
        step.what === 'flag'
          ? { op: 'flag', folder: folder.id, items, ...(step.pick % 2 ? { set: step.bit } : { clear: step.bit }) }
          : step.what === 'remove'
            ? { op: 'remove', folder: folder.id, items }
            : { op: 'move', from: folder.id, items, to: step.what === 'moveOut' ? archive.id : inbox.id }
      await room.write(operation)
      return
    }
    const device = phones[step.phone]!
    if (step.do === 'settle') return settle(device)
    if (step.do === 'rekey') {
      device.setSyncKey(id, '0')
      device.mirror.collections.delete(id)
      await device.sync(id, { options: options(device) })
      return
    }
    if (device.syncKey(id) === '0') await device.sync(id, { options: options(device) })
    device.loseReplies(step.lose)
    if (step.do === 'sync') {
      await device.sync(id, { options: options(device), windowSize: step.window })
      return
    }
    const known = [...device.mirror.items(id).keys()]
    if (known.length === 0) {
      device.loseReplies(0)
      return
    }
    const target = known[step.pick % known.length]!
    if (step.what === 'read') {
      const to = device.mirror.value(id, target, 'Email:Read') === '1' ? '0' : '1'
      const result = await device.sync(id, { commands: [changeOf(target, el('Email:Read', to))] })
      // No answer to a Change means it was done: the phone keeps what it did.
      const item = device.mirror.items(id).get(target)
      const heard = result.commands.some((command) => JSON.stringify(command).includes(`"${target}"`))
      if (result.responses.length === 0 && !heard) item?.properties.set('Email:Read', el('Email:Read', to))
    } else {
      await device.sync(id, { commands: [deleteOf(target)] })
      device.mirror.items(id).delete(target)
    }
  }
  for (const step of steps) await one(step)
  for (const device of phones) await settle(device)
}

test('whatever happens, a phone that has synced to the end has what the mailbox has', { timeout: 60_000 }, async () => {
  await fc.assert(fc.asyncProperty(fc.array(anyStep, { minLength: 5, maxLength: 40 }), play), { numRuns: 25 })
})
