import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ALL_RIGHTS, createDoor, folderRoleRights, Right, type Principal } from '@postrider/domain'
import { allRights, bitsOf, changedRights, lettersOf } from './rights.ts'
import { mail, openRoom } from './test/room.ts'

test('RFC 4314 §2.1: letters are bits and back; unknown ones are none; roles of administrators are told in letters', () => {
  assert.equal(lettersOf(ALL_RIGHTS), allRights)
  for (const letter of 'lrswikxtea') assert.ok(lettersOf(bitsOf(letter) ?? 0).includes(letter))
  for (const letter of 'znAL0 ') assert.equal(bitsOf(letter), undefined)
  assert.equal(lettersOf(folderRoleRights.Reviewer), 'lr')
  assert.equal(lettersOf(folderRoleRights.Editor), 'lrswited')
  assert.equal(lettersOf(folderRoleRights.None), '')
  assert.equal(changedRights(0, '', bitsOf('r') ?? 0), Right.readAny)
})

test('RFC 4314 §3.1: what is added is there, what is taken is not, the rest stays; bits without a letter go with the last one', () => {
  const letters = fc.array(fc.constantFrom(...'lrswikxteacd')).map((all) => all.join(''))
  fc.assert(
    fc.property(fc.nat({ max: 0x1fff }), letters, (any, given) => {
      const before = any & ALL_RIGHTS
      const bits = bitsOf(given) ?? 0
      assert.equal(lettersOf(changedRights(before, '+', bits)), lettersOf(before | bits))
      assert.equal(lettersOf(changedRights(before, '-', bits)), lettersOf(before & ~bits))
      assert.equal(lettersOf(changedRights(before, '', bits)), lettersOf(bits))
      assert.equal(changedRights(before, '', 0), 0)
      assert.equal(changedRights(before, '+', bits) & ~ALL_RIGHTS, 0)
    }),
    { numRuns: 300 },
  )
})

test('SETACL is what the door goes by: a right given opens the folder to its member and to nobody else, until it is taken', async (t) => {
  const room = await openRoom()
  t.after(() => room.close())
  await room.deliver(mail('shared'))
  const client = await room.login()
  const [administrator] = [...room.directory.mailboxes()].filter((one) => one.account !== room.bob.account)
  assert.ok(administrator)
  const { account, mailbox, address, displayName } = administrator
  const member = { account, mailbox, address, displayName } as Principal
  const inbox = (await room.store.folders(room.bob.mailbox)).find((one) => one.role === 'inbox')
  assert.ok(inbox)
  const read = async (): Promise<number> => {
    const handle = await createDoor(room.store, room.directory).open(member, room.bob.mailbox)
    return (await handle.scan({ folder: inbox.id, columns: ['uid'] })).count
  }
  await assert.rejects(read())
  const { change } = await room.store.info(room.bob.mailbox)
  assert.deepEqual(await client.command('SETACL INBOX administrator@example.com lr'), ['OK The rights are changed'])
  assert.equal(await read(), 1)
  assert.ok((await room.store.info(room.bob.mailbox)).change > change, 'others hear of it')
  await client.command('DELETEACL INBOX administrator@example.com')
  await assert.rejects(read())
})
