import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { WebContext } from '../context.ts'
import type { WebSession } from '../sessions.ts'
import { changePassword, passwordFault, passwordRules } from './new-password.ts'

const bob = { address: 'Bob@example.com' }
const fault = (wanted: string, length = 8, again = wanted) =>
  passwordFault(bob, { old: 'one two three', wanted, again }, length)

test('a new password: as long as is asked, twice the same, not the old one, not the address', () => {
  assert.equal(fault('four five six'), undefined)
  assert.equal(fault('four five six', 8, 'four five'), 'again')
  assert.equal(fault('seven77'), 'short')
  assert.equal(fault('eight888'), undefined)
  assert.equal(fault('👩‍👩‍👧👩‍👩‍👧', 3), 'short', 'a family is one character')
  assert.equal(fault('one two three'), 'same')
  assert.equal(fault('BOB@EXAMPLE.COM'), 'address')
  assert.equal(fault('bob', 3), 'address')
})

test('an administrator may say that passwords are not changed here: nothing is looked at', async () => {
  const config = (possible: boolean) => () => ({ 'web.passwordChange': possible, 'web.passwordLength': 12 })
  const off = { config: config(false) } as unknown as WebContext
  assert.equal(passwordRules(off), undefined)
  assert.deepEqual(passwordRules({ config: config(true) } as unknown as WebContext), { length: 12 })
  const session = { principal: bob } as unknown as WebSession
  const given = { old: 'one two three', wanted: 'four five six', again: 'four five six' }
  assert.deepEqual(await changePassword(off, {} as never, session, given), { fault: 'off' })
})
