/** Panes that are dragged, templates that are edited, events and attachments that are looked at: with the real program. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Page } from 'playwright-core'
import { violations, withoutBrowser } from './browser.ts'
import { Room, row, shot, toast, widths } from './room.ts'

const skip = withoutBrowser
let room: Room
before(async () => {
  if (skip === false) room = await Room.open()
})
after(async () => {
  await room?.[Symbol.asyncDispose]()
})
const timeout = 240_000

const widthOf = (page: Page, selector: string): Promise<number> =>
  page.evaluate((one) => Math.round(document.querySelector(one)?.getBoundingClientRect().width ?? 0), selector)
const heightOf = (page: Page, selector: string): Promise<number> =>
  page.evaluate((one) => Math.round(document.querySelector(one)?.getBoundingClientRect().height ?? 0), selector)
/** Settings that were sent to the server are there after a reload. */
const settled = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => ['{}', null].includes(localStorage.getItem('postrider.settings.unsent')))

test('panes: dragged, moved by key, put back by a double click, remembered on this device', {
  skip,
  timeout,
}, async (t) => {
  const ada = await room.person(t)
  await ada.deliver({ subject: 'One' })
  const { page, problems } = await ada.visit(1440)
  const line = page.getByRole('separator', { name: 'Width of the list' })
  const before = await widthOf(page, '.list')
  const box = await line.boundingBox()
  assert.ok(box !== null)
  await page.mouse.move(box.x + box.width / 2, 400)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width / 2 + 60, 400, { steps: 4 })
  await page.mouse.up()
  assert.equal(await widthOf(page, '.list'), before + 60)
  await line.focus()
  await page.keyboard.press('ArrowLeft')
  assert.equal(await widthOf(page, '.list'), before + 44)
  assert.equal(await line.getAttribute('aria-valuenow'), String(before + 44))
  await page.keyboard.press('Home')
  assert.equal(await widthOf(page, '.list'), 280)
  await shot(page, 'panes-1440')
  assert.deepEqual(await violations(page), [])
  await page.reload()
  await row(page, 'One').waitFor()
  assert.equal(await widthOf(page, '.list'), 280)
  await page.getByRole('separator', { name: 'Width of the list' }).dblclick()
  assert.equal(await widthOf(page, '.list'), before)
  await page.getByRole('separator', { name: 'Width of the folders' }).focus()
  const folders = await widthOf(page, '.shell > .folders')
  await page.keyboard.press('ArrowRight')
  assert.equal(await widthOf(page, '.shell > .folders'), folders + 16)
  await page.goto(new URL('/mail/settings/appearance', page.url()).href)
  await page.getByLabel('Bottom').check({ force: true })
  await settled(page)
  await page.goto(new URL('/mail/', page.url()).href)
  const rows = page.getByRole('separator', { name: 'Height of the list' })
  await rows.focus()
  const height = await heightOf(page, '.list')
  await page.keyboard.press('ArrowUp')
  assert.ok((await heightOf(page, '.list')) < height)
  await shot(page, 'panes-bottom-1440')
  assert.deepEqual(await violations(page), [])
  assert.deepEqual(problems, [])
})

for (const width of widths)
  test(`templates: made, changed, put into a message, deleted, ${width} px`, { skip, timeout }, async (t) => {
    const ada = await room.person(t)
    await ada.deliver({ subject: 'One' })
    const { page, problems } = await ada.visit(width)
    await page.goto(new URL('/mail/settings/templates', page.url()).href)
    await page.getByRole('button', { name: 'New template' }).click()
    await page.getByLabel('Name').fill('Thanks')
    await page.locator('.template-form').getByLabel('Subject').fill('Thank you')
    await page.locator('.editor').click()
    await page.keyboard.type('Thank you, ')
    await page.locator('.template-form').getByRole('button', { name: 'Bold' }).click()
    await page.keyboard.type('truly')
    await shot(page, `template-${width}`)
    assert.deepEqual(await violations(page), [])
    await page.getByRole('button', { name: 'Save' }).click()
    await toast(page, /Saved/)
    await page.getByRole('button', { name: 'Change Thanks' }).click()
    await page.locator('.editor b', { hasText: 'truly' }).waitFor()
    await page.getByLabel('Name').fill('Many thanks')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Many thanks').waitFor()
    await shot(page, `templates-${width}`)
    assert.deepEqual(await violations(page), [])
    await page.goto(new URL('/mail/compose', page.url()).href)
    await page.locator('.composer').getByRole('button', { name: 'Templates' }).click()
    await page.getByRole('menuitem', { name: 'Many thanks' }).click()
    await page.locator('.composer .editor b', { hasText: 'truly' }).waitFor()
    assert.equal(await page.locator('.composer').getByLabel('Subject').inputValue(), 'Thank you')
    await page.goto(new URL('/mail/settings/templates', page.url()).href)
    await page.getByRole('button', { name: 'Remove Many thanks' }).click()
    await page.locator('dialog').getByRole('button', { name: 'Remove' }).click()
    await page.getByText('Many thanks').waitFor({ state: 'detached' })
    assert.deepEqual(problems, [])
  })

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR4nGNgYPhPIhrVMKph5GoAAP+P/gHcoUq6AAAAAElFTkSuQmCC'
const PDF = Buffer.from(
  '%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n',
).toString('base64')
const part = (type: string, name: string, base64: string): string[] => [
  '--x',
  `Content-Type: ${type}; name="${name}"`,
  `Content-Disposition: attachment; filename="${name}"`,
  'Content-Transfer-Encoding: base64',
  '',
  base64,
]
const invitation = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'METHOD:REQUEST',
  'BEGIN:VEVENT',
  'UID:1@outside.example',
  'SUMMARY:Budget <b>2027</b>',
  'LOCATION:Room 5',
  'ORGANIZER;CN=Grace Hopper:mailto:grace@outside.example',
  'DTSTART:20261201T090000Z',
  'DTEND:20261201T100000Z',
  'RRULE:FREQ=WEEKLY',
  'END:VEVENT',
  'END:VCALENDAR',
].join('\r\n')

for (const width of widths)
  test(`an event is a card, attachments are looked at in the page, ${width} px`, { skip, timeout }, async (t) => {
    const ada = await room.person(t)
    const more = [
      'Content-Type: multipart/mixed; boundary=x',
      '',
      '--x',
      'Content-Type: text/plain',
      '',
      'See the files.',
      ...part('text/calendar; charset=utf-8', 'invite.ics', Buffer.from(invitation).toString('base64')),
      ...part('image/png', 'red.png', PNG),
      ...part('text/plain; charset=iso-8859-1', 'note.txt', Buffer.from('Café <script>', 'latin1').toString('base64')),
      ...part('application/pdf', 'plan.pdf', PDF),
      ...part('text/html', 'page.html', Buffer.from('<script>top.hacked=1</script>').toString('base64')),
      '--x--',
    ]
    await ada.deliver({ subject: 'Files', more })
    const { page, problems } = await ada.visit(width)
    const refused: string[] = []
    page.on('console', (message) => {
      if (/Content Security Policy|Refused/i.test(message.text())) refused.push(message.text())
    })
    await row(page, 'Files').click()
    const card = page.locator('.events .trip')
    await card.getByText('Budget <b>2027</b>').waitFor()
    const said = ((await card.textContent()) ?? '').replace(/\s+/g, ' ')
    for (const one of ['Invitation', 'Room 5', 'Grace Hopper (grace@outside.example)', '2026', 'Repeats'])
      assert.ok(said.includes(one), `${one} in ${said}`)
    assert.equal(await card.getByRole('link', { name: 'Download' }).getAttribute('download'), 'invite.ics')
    await shot(page, `event-${width}`)
    assert.deepEqual(await violations(page), [])
    await page.getByTitle('Show red.png').click()
    await page.waitForFunction(() => {
      const picture = document.querySelector<HTMLImageElement>('.preview-body img')
      return picture?.complete === true && picture.naturalWidth === 16
    })
    await shot(page, `preview-picture-${width}`)
    assert.deepEqual(await violations(page), [])
    await page.keyboard.press('Escape')
    await page.getByTitle('Show note.txt').click()
    await page.locator('.preview-body pre', { hasText: 'Café <script>' }).waitFor()
    await shot(page, `preview-text-${width}`)
    await page.keyboard.press('Escape')
    if (await page.evaluate(() => navigator.pdfViewerEnabled)) {
      await page.getByTitle('Show plan.pdf').click()
      await page.locator('.preview-body iframe[src^="blob:"]').waitFor()
      await shot(page, `preview-pdf-${width}`)
      await page.keyboard.press('Escape')
    }
    assert.equal(await page.getByTitle('Show page.html').count(), 0, 'a page is never shown')
    assert.equal(await page.evaluate(() => 'hacked' in globalThis), false)
    assert.deepEqual(refused, [])
    assert.deepEqual(problems, [])
  })

test('R15: a read receipt is sent when the reader says so, and asked for once', { skip, timeout }, async (t) => {
  const ada = await room.person(t)
  const more = [`Disposition-Notification-To: Ada <${ada.address}>`]
  await ada.deliver({ subject: 'Receipt, please', more })
  const { page, problems } = await ada.visit(1440)
  await row(page, 'Receipt, please').click()
  await page.getByText('wants to know that you have read this').waitFor()
  await shot(page, 'receipt-1440')
  assert.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Send a read receipt' }).click()
  await toast(page, /Read receipt sent/)
  await page.getByText('wants to know').waitFor({ state: 'detached' })
  // It is on its way to the one who asked, who here is the same.
  await row(page, 'Read: Receipt, please').waitFor()
  await page.reload()
  await row(page, 'Receipt, please').last().click()
  await page.waitForSelector('.message-frame[data-ready]')
  assert.equal(await page.getByText('wants to know').count(), 0)
  assert.deepEqual(problems, [])
})

test('print: the conversation and nothing else; without a reading pane it is the list or the mail', {
  skip,
  timeout,
}, async (t) => {
  const ada = await room.person(t)
  await ada.deliver({ subject: 'Minutes' }, { subject: 'Other' })
  const { page, problems } = await ada.visit(1440)
  await row(page, 'Minutes').click()
  await page.waitForSelector('.message-frame[data-ready]')
  await page.emulateMedia({ media: 'print' })
  for (const one of ['.rail', '.top', '.shell > .folders', '.list', '.divider-list', '.toolbar'])
    assert.equal(await page.locator(one).first().isVisible(), false, one)
  assert.equal(await page.locator('.conversation .subject, .conversation h2').first().isVisible(), true)
  assert.equal(await page.frameLocator('.message-frame').getByText('About Minutes.').isVisible(), true)
  await shot(page, 'print')
  await page.emulateMedia({ media: null })
  await page.goto(new URL('/mail/settings/appearance', page.url()).href)
  await page.getByLabel('Off', { exact: true }).first().check({ force: true })
  await settled(page)
  await page.goto(new URL('/mail/', page.url()).href)
  await row(page, 'Minutes').waitFor()
  assert.equal(await page.getByRole('separator', { name: /list/ }).count(), 0)
  await shot(page, 'pane-off-list')
  await row(page, 'Minutes').click()
  await page.waitForSelector('.message-frame[data-ready]')
  assert.equal(await page.locator('.list').isVisible(), false)
  await shot(page, 'pane-off-mail')
  await page.locator('.back-button').click()
  await row(page, 'Other').waitFor()
  assert.deepEqual(problems, [])
})
