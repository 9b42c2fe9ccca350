/** Writing in the real program: what goes out is what was chosen, and a draft opens as it was left. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { violations, withoutBrowser } from './browser.ts'
import { Room, row, shot, toast, widths } from './room.ts'

const skip = withoutBrowser
const timeout = 180_000
let room: Room

before(async () => {
  if (skip === false) room = await Room.open()
})
after(async () => {
  if (skip === false) await room[Symbol.asyncDispose]()
})

test('R15: a read receipt is asked for, kept with the draft, and the reader is asked', { skip, timeout }, async (t) => {
  const ada = await room.person(t)
  const grace = await room.person(t)
  await ada.deliver({ subject: 'Welcome' })
  await grace.deliver({ subject: 'Welcome' })
  const { page, problems } = await ada.visit(1440)
  await page.goto(new URL('/mail/compose', page.url()).href)
  const writing = page.locator('.composer')
  await writing.getByLabel('To', { exact: true }).fill(`${grace.address},`)
  await writing.getByLabel('Subject').fill('Read me')
  const asking = writing.getByRole('button', { name: 'Ask for a read receipt' })
  assert.equal(await asking.getAttribute('aria-pressed'), 'false')
  await asking.focus()
  await page.keyboard.press('Space')
  assert.equal(await asking.getAttribute('aria-pressed'), 'true')
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 })
    await shot(page, `receipt-ask-${width}`)
    assert.deepEqual(await violations(page), [])
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  // Left and opened again, it still asks.
  await writing.getByText('Draft saved').waitFor()
  await writing.getByRole('button', { name: 'Close', exact: true }).click()
  await writing.waitFor({ state: 'detached' })
  await page.goto(new URL('/mail/drafts', page.url()).href)
  await row(page, 'Read me').click()
  await page.locator('.message-acts').getByRole('button', { name: 'Open' }).click()
  await page.waitForSelector('.composer [aria-label="Ask for a read receipt"][aria-pressed="true"]')
  await writing.getByRole('button', { name: 'Send', exact: true }).click()
  await toast(page, /Sending|Sent/)
  const other = await grace.visit(1440)
  await row(other.page, 'Read me').click({ timeout: 60_000 })
  await other.page.getByText('wants to know that you have read this').waitFor()
  assert.deepEqual([...problems, ...other.problems], [])
})

test('R15: people of the organisation: found as one types, written to, added while writing', {
  skip,
  timeout,
}, async (t) => {
  const ada = await room.person(t)
  const grace = await room.person(t)
  await ada.deliver({ subject: 'Welcome' })
  const { page, problems } = await ada.visit(1440)
  const dialog = page.getByRole('dialog', { name: 'People' })
  const line = dialog.locator('.person', { hasText: grace.address })
  await page.locator('.list-rows [tabindex="0"]').first().focus()
  await page.keyboard.press('g')
  await page.keyboard.press('p')
  await dialog.getByLabel('Name or address').fill(grace.address.slice(0, 4))
  await line.waitFor()
  await line.locator('.person-name').click()
  await line.getByText('Address', { exact: true }).waitFor()
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 })
    await shot(page, `people-${width}`)
    assert.deepEqual(await violations(page), [])
  }
  await page.setViewportSize({ width: 1440, height: 900 })
  await line.getByRole('button', { name: /^Write to/ }).click()
  const writing = page.locator('.composer')
  const chip = writing.locator('.chip')
  await chip.waitFor()
  assert.match((await chip.getAttribute('title')) ?? '', new RegExp(grace.address))
  // While writing: oneself as a copy; who is there already is not offered again.
  await writing.getByRole('button', { name: 'Look up people' }).click()
  await dialog.getByLabel('Name or address').fill('ada')
  await line.getByText('Added').waitFor()
  const own = dialog.locator('.person', { hasText: ada.address })
  await own.getByRole('button', { name: /to Cc$/ }).click()
  await own.getByText('Added').waitFor()
  await shot(page, 'people-adding')
  assert.deepEqual(await violations(page), [])
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  assert.equal(await writing.locator('.chip').count(), 2)
  await dialog.waitFor({ state: 'detached' })
  assert.deepEqual(problems, [])
})
