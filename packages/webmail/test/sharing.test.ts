/** RFC 9670 in the client: a folder is shared, read by somebody else under its owner's name, within the rights given, and taken back. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { violations, withoutBrowser } from './browser.ts'
import { menuItem, Room, row, shot } from './room.ts'

const skip = withoutBrowser
const timeout = 180_000
let room: Room
before(async () => {
  if (skip === false) room = await Room.open()
})
after(async () => {
  await room?.[Symbol.asyncDispose]()
})

for (const width of [1440, 360])
  test(`RFC 9670: a folder is shared, read and taken back at ${width} px; what may not be done is not offered`, {
    skip,
    timeout,
  }, async (t) => {
    const [ada, bob] = [await room.person(t), await room.person(t)]
    await ada.deliver({ subject: 'Minutes' }, { subject: 'Numbers' })
    await bob.deliver({ subject: 'My own' })
    const owner = await ada.visit(1440)
    await owner.page.getByRole('treeitem', { name: /^Inbox/ }).click({ button: 'right' })
    await menuItem(owner.page, 'Share…').click()
    const dialog = owner.page.getByRole('dialog', { name: 'Share Inbox' })
    await dialog.getByText('Nobody else sees this folder.').waitFor()
    await dialog.getByLabel('Add somebody of the organisation').fill(bob.address)
    await dialog.getByRole('button', { name: /^Share with / }).click()
    const may = dialog.getByRole('combobox', { name: /^What .* may do$/ })
    await may.waitFor()
    assert.equal(await may.inputValue(), 'read')
    await shot(owner.page, 'share')
    assert.deepEqual(await violations(owner.page), [])

    const reader = await bob.visit(width)
    const tree = async (): Promise<void> => {
      if (width < 700) await reader.page.getByRole('button', { name: 'Folders' }).click()
    }
    await tree()
    const shared = reader.page.getByRole('region', { name: ada.address })
    await shot(reader.page, `shared-tree-${width}`)
    assert.deepEqual(await violations(reader.page), [])
    await shared.getByRole('link', { name: /^Inbox/ }).click()
    await row(reader.page, 'Minutes').click()
    await reader.page.frameLocator('.message-frame').getByText('About Minutes').waitFor()
    const tools = reader.page.getByRole('toolbar', { name: 'Actions' })
    await tools.getByRole('button', { name: 'Reply', exact: true }).waitFor()
    for (const name of ['Delete', 'Flag', 'Archive', 'Snooze…'])
      assert.equal(await tools.getByRole('button', { name, exact: true }).count(), 0, name)
    assert.deepEqual(await violations(reader.page), [])
    await shot(reader.page, `shared-read-${width}`)
    await reader.page.keyboard.press('Delete')
    assert.equal(await reader.page.getByRole('dialog').count(), 0)

    // More is given: it may be marked and deleted.
    await Promise.all([
      owner.page.waitForResponse((one) => (one.request().postData() ?? '').includes('Mailbox/set')),
      may.selectOption('edit'),
    ])
    await reader.page.reload()
    await tools.getByRole('button', { name: 'Delete', exact: true }).waitFor()
    await tools.getByRole('button', { name: 'Flag', exact: true }).click()
    await tools.getByRole('button', { name: 'Remove flag', exact: true }).waitFor()
    await owner.page.keyboard.press('Escape')
    await row(owner.page, 'Minutes').locator('.is-flag').waitFor()

    // One answers from one's own mailbox.
    await tools.getByRole('button', { name: 'Reply', exact: true }).click()
    await reader.page.getByRole('dialog', { name: 'Re: Minutes' }).waitFor()
    assert.equal(new URL(reader.page.url()).pathname, '/mail/inbox')

    // Taken back: it is gone from the tree.
    await owner.page.getByRole('treeitem', { name: /^Inbox/ }).click({ button: 'right' })
    await menuItem(owner.page, 'Share…').click()
    await may.selectOption('none')
    await dialog.getByText('Nobody else sees this folder.').waitFor()
    const again = await bob.visit(1440)
    await row(again.page, 'My own').waitFor()
    const accounts = await again.page.evaluate(async () => {
      const session = (await (await fetch('/jmap/session')).json()) as { readonly accounts: object }
      return Object.keys(session.accounts).length
    })
    assert.equal(accounts, 1)
    assert.equal(await again.page.getByRole('region', { name: ada.address }).count(), 0)
    assert.deepEqual([...owner.problems, ...reader.problems, ...again.problems], [])
  })
