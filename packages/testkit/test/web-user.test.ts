/**
 * Issue 5, "Done when": a new user, on a phone, a tablet and a desk, signs in, finds, reads, answers with a picture, undoes, snoozes, searches, swipes
 * and reads the POP settings; everything is found by what is written on it, and works the first time.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
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

/** A finger on a row: pressed, drawn by `part` of its width, lifted. */
async function swipe(page: Page, words: string, part: number): Promise<void> {
  const box = await row(page, words).boundingBox()
  assert.ok(box !== null)
  const devtools = await page.context().newCDPSession(page)
  const y = box.y + box.height / 2
  const from = box.x + box.width * (part > 0 ? 0.2 : 0.8)
  const at = (x: number) => ({ touchPoints: [{ x, y }] })
  await devtools.send('Input.dispatchTouchEvent', { type: 'touchStart', ...at(from) })
  for (let step = 1; step <= 10; step++)
    await devtools.send('Input.dispatchTouchEvent', { type: 'touchMove', ...at(from + (box.width * part * step) / 10) })
  await devtools.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
  await devtools.detach()
}

const seats = [
  { name: 'Ada', width: 360, height: 740, touch: true },
  { name: 'Bea', width: 820, height: 1100, touch: false },
  { name: 'Cleo', width: 1440, height: 900, touch: false },
] as const

for (const { name, width, height, touch } of seats)
  test(`a new user at ${width} px: everything on the first try`, { skip, timeout }, async () => {
    const { address, password } = await office.newcomer(name)
    const { page, problems } = await office.sit({ width, height, touch, scripts: true })
    const text = page.frameLocator('iframe')
    const toList = async (): Promise<void> => {
      if (touch) await button(page, 'Back').click()
    }
    const undo = async (words: RegExp): Promise<void> => {
      await page.getByText(words).filter({ visible: true }).first().waitFor()
      await button(page, 'Undo').click()
      await page.getByText('Undone').first().waitFor()
    }

    // Signing in: from the address somebody was told, with Enter.
    await page.goto(office.origin)
    await page.getByRole('link', { name: /sign in/i }).click()
    await page.getByLabel('Email').fill(address)
    await page.getByLabel('Password').fill('not this one')
    await page.keyboard.press('Enter')
    await page
      .getByRole('alert')
      .getByText(/do not go together/)
      .waitFor()
    await page.getByLabel('Password').fill(password)
    await page.keyboard.press('Enter')

    // Finding and reading.
    await row(page, 'Picnic on Sunday').click()
    await text.getByText('Shall we meet at the old mill?').waitFor()
    await page.getByRole('heading', { name: 'Picnic on Sunday' }).waitFor()

    // Answering with a picture in the text and one beside it; taken back, and sent again.
    await button(page, 'Reply').first().click()
    const letter = page.getByRole('dialog', { name: /Re: Picnic on Sunday/ })
    await letter.getByRole('textbox', { name: 'Message text' }).click()
    await page.keyboard.type(`Here it is, says ${name}.`)
    for (const label of ['Insert picture', 'Attach files']) {
      const chooser = page.waitForEvent('filechooser')
      await button(letter, label).click()
      await (await chooser).setFiles({ ...pictureFile })
    }
    await letter.getByRole('img', { name: 'garden.png' }).waitFor()
    await button(letter, 'Remove garden.png').waitFor()
    await button(letter, 'Send').click()
    await page
      .getByText(/^Sending in/)
      .first()
      .waitFor()
    if (touch) await button(page, 'Undo').click()
    else await page.keyboard.press('z')
    await letter.getByText(`Here it is, says ${name}.`).waitFor()
    await letter.getByRole('img', { name: 'garden.png' }).waitFor()
    await button(letter, 'Send').click()
    await page
      .getByText(/^Sending in/)
      .first()
      .waitFor()

    // Undoing: archiving, deleting, junk.
    for (const [act, done] of [
      ['Archive', /archived/],
      ['Delete', /deleted/i],
    ] as const) {
      await toList()
      await row(page, 'Boat for the lake').click()
      await text.getByText('There are two left').waitFor()
      await button(page.getByRole('toolbar', { name: 'Actions' }), act).click()
      await row(page, 'Boat for the lake').waitFor({ state: 'detached' })
      await undo(done)
      if (touch) await row(page, 'Boat for the lake').waitFor()
      else await row(page, 'Boat for the lake').first().waitFor()
      if (touch) await row(page, 'Notes of the choir').click()
    }

    // Snoozing, and where it sleeps.
    await toList()
    await row(page, 'Notes of the choir').click()
    await text.getByText('in the cupboard').waitFor()
    await button(page, /^Snooze/)
      .first()
      .click()
    await page.getByRole('menuitem', { name: /^Tomorrow morning/ }).click()
    await page
      .getByText(/snoozed until/)
      .first()
      .waitFor()
    await row(page, 'Notes of the choir').waitFor({ state: 'detached' })
    if (width < 1024) await button(page, 'Folders').click()
    await page.getByRole('treeitem', { name: /^Snoozed/ }).click()
    await row(page, 'Notes of the choir').waitFor()
    await page.goBack()
    await row(page, 'Boat for the lake').waitFor()
    await button(page, 'Undo').click()
    await row(page, 'Notes of the choir').waitFor()

    // Searching as one types; back again.
    await page.getByRole('searchbox', { name: /search/i }).click()
    await page.keyboard.type('old mill')
    await row(page, 'Notes of the choir').waitFor({ state: 'detached' })
    await row(page, 'Picnic on Sunday').first().waitFor()
    await button(page, 'Clear the search').click()
    await row(page, 'Notes of the choir').waitFor()

    // Swiping: right archives, left deletes; both come back.
    if (touch)
      for (const [part, done] of [
        [0.6, /archived/],
        [-0.6, /deleted/i],
      ] as const) {
        await swipe(page, 'Notes of the choir', part)
        await row(page, 'Notes of the choir').waitFor({ state: 'detached' })
        await undo(done)
        await row(page, 'Notes of the choir').waitFor()
      }

    // The POP settings.
    await button(page, /^Account/).click()
    await page.getByRole('menuitem', { name: 'Settings' }).click()
    await page.getByRole('link', { name: 'Account' }).click()
    await page.getByRole('heading', { name: 'Settings for POP or IMAP access' }).waitFor()
    const pop = await page.getByRole('row', { name: /^POP/ }).textContent()
    assert.match(pop ?? '', new RegExp(`127\\.0\\.0\\.1[\\s\\S]*${office.server.port('pop3s')}[\\s\\S]*SSL`))

    // A page's address leads back to it after signing in.
    const address2 = page.url()
    await button(page, /^Account/).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.getByText('You are signed out.').waitFor()
    await page.goto(address2)
    await page.getByLabel('Email').fill(address)
    await page.getByLabel('Password').fill(password)
    await button(page, 'Sign in').click()
    await page.getByRole('heading', { name: 'Settings for POP or IMAP access' }).waitFor()

    await office.arrives(`says ${name}.`)
    assert.deepEqual(problems, [])
  })

test('what people type from habit leads to the sign-in', { skip, timeout }, async () => {
  const { page } = await office.sit({ width: 1440, height: 900, touch: false, scripts: true })
  for (const path of ['/mail', '/mail/', '/owa', '/OWA/', '/exchange', '/webmail', '/login', '/light', '/mail/inbox']) {
    await page.goto(office.origin + path)
    await page.getByLabel('Email').waitFor()
  }
})
