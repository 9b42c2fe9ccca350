/** Acts on a whole folder, and sweeps: done by the server, told in numbers, undone there. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { violations, withoutBrowser } from './browser.ts'
import { menuItem, Room, row, shot, toast, widths } from './room.ts'

const skip = withoutBrowser
let room: Room
before(async () => {
  if (skip === false) room = await Room.open()
})
after(async () => {
  await room?.[Symbol.asyncDispose]()
})
const MANY = 120

/** Everything of the folder is selected: the rows that are here by key, the rest by the link. */
async function selectWhole(page: Page, narrow: boolean): Promise<void> {
  const first = page.locator('.row:not(.waiting)').first()
  if (narrow) await first.click({ button: 'right' })
  else await first.locator('input[type=checkbox], [role=checkbox]').first().click({ force: true })
  if (narrow) await menuItem(page, /select/i).click()
  await page.getByRole('button', { name: 'Select all', exact: true }).click()
  await page.getByRole('button', { name: /Select all .* in this folder/ }).click()
}

for (const width of widths)
  test(`R18 a whole folder is archived in one act and comes back, ${width} px`, {
    skip,
    timeout: 180_000,
  }, async (t) => {
    const ada = await room.person(t)
    await ada.deliver(...Array.from({ length: MANY }, (_, i) => ({ subject: `Letter ${i}` })))
    const { page, problems } = await ada.visit(width)
    await row(page, `Letter ${MANY - 1}`).waitFor()
    const sent: string[] = []
    page.on('request', (request) => sent.push(request.postData() ?? ''))
    await selectWhole(page, width < 700)
    await shot(page, `whole-selected-${width}`)
    assert.deepEqual(await violations(page), [])
    await page.locator('.list-head.selection').getByRole('button', { name: 'Archive' }).click()
    await toast(page, /archived/)
    await page.locator('.empty').waitFor()
    await shot(page, `whole-archived-${width}`)
    assert.equal(sent.filter((one) => one.includes('Bulk/act')).length, 1)
    assert.equal(sent.filter((one) => one.includes('Email/set')).length, 0, 'no ids went through the client')
    await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
    await row(page, `Letter ${MANY - 1}`).waitFor()
    await toast(page, /Undone/)
    assert.deepEqual(problems, [])
  })

test('a whole folder is snoozed and followed up in one act each, and comes back', {
  skip,
  timeout: 180_000,
}, async (t) => {
  const ada = await room.person(t)
  await ada.deliver(...Array.from({ length: MANY }, (_, i) => ({ subject: `Letter ${i}` })))
  const { page, problems } = await ada.visit(1440)
  const last = row(page, `Letter ${MANY - 1}`)
  await last.waitFor()
  const sent: string[] = []
  page.on('request', (request) => sent.push(request.postData() ?? ''))
  const undo = page.locator('.toast').getByRole('button', { name: 'Undo' })
  await selectWhole(page, false)
  await page.keyboard.press('Shift+G')
  await menuItem(page, 'Tomorrow').click()
  await undo.click()
  await toast(page, /Undone/)
  await page.reload()
  await last.waitFor()
  await selectWhole(page, false)
  await page.keyboard.press('b')
  await menuItem(page, 'Tomorrow morning').click()
  await page.locator('.empty').waitFor()
  await undo.click()
  await last.waitFor()
  await toast(page, /Undone/)
  assert.equal(sent.filter((one) => one.includes('Bulk/act')).length, 2)
  assert.equal(sent.filter((one) => one.includes('Email/set')).length, 0, 'no ids went through the client')
  assert.deepEqual(problems, [])
})

test('a sweep that repeats keeps only the latest, is listed and ended', { skip, timeout: 180_000 }, async (t) => {
  const ada = await room.person(t)
  const from = 'News <news@outside.example>'
  await ada.deliver({ subject: 'Paper 1', from }, { subject: 'Letter' }, { subject: 'Paper 2', from })
  const { page, problems } = await ada.visit(1440)
  await row(page, 'Paper 2').click({ button: 'right' })
  await menuItem(page, 'Sweep').click()
  await page.getByLabel('Always keep only the latest').check()
  await shot(page, 'sweep-1440')
  await page.locator('dialog').getByRole('button', { name: 'Sweep', exact: true }).click()
  await toast(page, /1 message swept/)
  await row(page, 'Paper 1').waitFor({ state: 'detached' })
  await ada.deliver({ subject: 'Paper 3', from })
  await row(page, 'Paper 3').waitFor()
  await row(page, 'Paper 2').waitFor({ state: 'detached' })
  assert.equal(await row(page, 'Letter').count(), 1)
  await page.goto(new URL('/mail/settings/rules', page.url()).href)
  await page.getByText('Of news@outside.example in Inbox only the latest stays').waitFor()
  assert.deepEqual(await violations(page), [])
  await shot(page, 'sweeps-1440')
  await page.getByRole('button', { name: 'Remove news@outside.example' }).click()
  await page.getByText('Nothing is swept of itself.').waitFor()
  assert.deepEqual(problems, [])
})
