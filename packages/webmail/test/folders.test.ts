/** Folders moved by drag, by keys and back, in the real program. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { violations, withoutBrowser } from './browser.ts'
import { menuItem, Room, row, shot, toast } from './room.ts'

const skip = withoutBrowser
let room: Room
before(async () => {
  if (skip === false) room = await Room.open()
})
after(async () => {
  await room?.[Symbol.asyncDispose]()
})
const folder = (page: Page, name: string, level = 1): Locator =>
  page.locator(`.folders .folder[aria-level="${level}"]`, { hasText: name })
async function make(page: Page, name: string): Promise<void> {
  await page.locator('.new-folder').click()
  await page.getByRole('dialog').getByLabel('Name of the folder').fill(name)
  await page.getByRole('dialog').getByRole('button', { name: 'Create' }).click()
  await folder(page, name).waitFor()
}

test('R15: a folder is dragged into another and to the top, undone; by keys the same', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const ada = await room.person(t)
  await ada.deliver({ subject: 'Welcome' })
  const { page, problems } = await ada.visit(1440)
  await row(page, 'Welcome').waitFor()
  for (const name of ['Plans', 'Travel', '2026']) await make(page, name)
  await folder(page, '2026').dragTo(folder(page, 'Plans'))
  await folder(page, '2026', 2).waitFor()
  await toast(page, /2026 moved to Plans/)
  await shot(page, 'folder-moved')
  await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
  await folder(page, '2026').waitFor()
  await folder(page, '2026').dragTo(folder(page, 'Plans'))
  await folder(page, '2026', 2).waitFor()
  // Not into what is below it; the Inbox is not moved at all.
  await folder(page, 'Plans').dragTo(folder(page, '2026', 2))
  await folder(page, 'Inbox').dragTo(folder(page, 'Travel'))
  // By keys.
  await folder(page, 'Plans').focus()
  await page.keyboard.press('Shift+F10')
  await menuItem(page, 'Move folder to…').click()
  const choices = page.getByRole('option')
  await choices.filter({ hasText: 'Travel' }).waitFor()
  assert.equal(await choices.filter({ hasText: /^(?:2026|Plans)$/ }).count(), 0)
  assert.deepEqual(await violations(page), [])
  await page.keyboard.type('Travel')
  await page.keyboard.press('Enter')
  await folder(page, 'Plans', 2).waitFor()
  await folder(page, '2026', 3).waitFor()
  assert.equal(await folder(page, 'Inbox').count(), 1)
  // To the top: a place for it is there while it is dragged.
  await folder(page, '2026', 3).hover()
  await page.mouse.down()
  await folder(page, 'Travel').hover()
  await page.locator('.folder-top').waitFor()
  const box = await page.locator('.folder-top').boundingBox()
  assert.ok(box !== null)
  await page.mouse.move(box.x + 20, box.y + 10, { steps: 4 })
  await page.mouse.up()
  await folder(page, '2026').waitFor()
  await page.reload()
  await folder(page, '2026').waitFor()
  await folder(page, 'Plans', 2).waitFor()
  assert.deepEqual(problems, [])
})
