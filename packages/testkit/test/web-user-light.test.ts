/**
 * Issue 5, "Done when", without JavaScript: a new user in Chromium with its scripts off signs in, finds, reads, answers with a picture, undoes, snoozes,
 * searches and reads the POP settings in the Light version, on a phone and on a desk.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { button, Office, pictureFile, row, noWalk } from './web-user.ts'

const skip = noWalk
const timeout = 180_000
let office: Office

before(async () => {
  if (skip === false) office = await Office.open()
})
after(async () => {
  await office?.[Symbol.asyncDispose]()
})

for (const { name, width, height, touch } of [
  { name: 'Dora', width: 360, height: 740, touch: true },
  { name: 'Edda', width: 820, height: 1100, touch: false },
  { name: 'Fay', width: 1440, height: 900, touch: false },
])
  test(`a new user without JavaScript at ${width} px: everything on the first try`, { skip, timeout }, async () => {
    const { address, password } = await office.newcomer(name)
    const { page, problems } = await office.sit({ width, height, touch, scripts: false })
    const mail = (subject: string) => page.getByRole('link', { name: subject, exact: true })
    const said = (words: RegExp): Promise<void> => page.getByRole('status').getByText(words).first().waitFor()
    const undo = async (): Promise<void> => {
      await button(page, 'Undo').click()
      await said(/Undone/)
    }
    const inbox = (): Promise<void> =>
      page
        .getByRole('link', { name: /^Inbox/ })
        .first()
        .click()

    // Signing in: no choice to make, Light comes by itself.
    await page.goto(office.origin)
    await page.getByRole('link', { name: /sign in/i }).click()
    await page.getByLabel('Email').fill(address)
    await page.getByLabel('Password').fill(password)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Inbox' }).waitFor()

    // Finding and reading.
    await mail('Picnic on Sunday').click()
    await page.getByRole('heading', { name: 'Picnic on Sunday' }).waitFor()
    await page.getByText('Shall we meet at the old mill?').waitFor()

    // Answering with a picture; taken back, and sent again.
    await page.getByRole('link', { name: 'Reply', exact: true }).click()
    await page.getByLabel('Attach').setInputFiles({ ...pictureFile })
    const letter = page.getByRole('textbox', { name: 'Message' })
    await letter.fill(`Here it is, says ${name}.`)
    await button(page, 'Send').first().click()
    await said(/It leaves in \d+ seconds/)
    await button(page, 'Undo').click()
    assert.match(await letter.inputValue(), new RegExp(`says ${name}`))
    assert.ok(await page.getByRole('checkbox', { name: /garden\.png/ }).isChecked(), 'the picture is still there')
    await button(page, 'Send').first().click()
    await said(/It leaves in \d+ seconds/)

    // Undoing: archive, delete, junk, a flag.
    for (const act of ['Archive', 'Delete', 'Junk']) {
      await inbox()
      await mail('Boat for the lake').click()
      await page.getByText('There are two left').waitFor()
      await button(page, act).click()
      await page.getByRole('heading', { name: 'Inbox' }).waitFor()
      assert.equal(await mail('Boat for the lake').count(), 0, act)
      await undo()
      await mail('Boat for the lake').waitFor()
    }

    // Snoozing, and where it sleeps.
    await mail('Notes of the choir').click()
    await button(page, 'Snooze…').click()
    const times = page.getByLabel('When').first()
    const tomorrow = await times.getByRole('option', { name: /^Tomorrow morning/ }).getAttribute('value')
    await times.selectOption(tomorrow)
    await button(page, 'Snooze').click()
    await said(/Done/)
    await page.getByRole('link', { name: /^Snoozed/ }).waitFor()
    await undo()
    await inbox()
    await mail('Notes of the choir').waitFor()

    // Searching.
    await page.getByRole('searchbox', { name: 'Search' }).fill('old mill')
    await page.keyboard.press('Enter')
    await row(page, 'Picnic on Sunday').first().waitFor()
    assert.equal(await mail('Notes of the choir').count(), 0)
    await page.goBack()

    // The POP settings.
    await page.getByRole('link', { name: 'Settings' }).click()
    await page.getByRole('link', { name: 'My account' }).click()
    await page.getByRole('link', { name: 'Settings for POP or IMAP access' }).click()
    const pop = await page.getByRole('main').textContent()
    assert.match(pop ?? '', new RegExp(`127\\.0\\.0\\.1[\\s\\S]*${office.server.port('pop3s')}`))

    // Out, and in again at the page one wanted.
    const there = page.url()
    await button(page, 'Sign out').click()
    await page.getByText('You are signed out.').waitFor()
    await page.goto(there)
    await page.getByLabel('Email').fill(address)
    await page.getByLabel('Password').fill(password)
    await button(page, 'Sign in').click()
    await page.getByText(String(office.server.port('pop3s'))).waitFor()

    await office.arrives(`says ${name}.`)
    assert.deepEqual(problems, [])
  })
