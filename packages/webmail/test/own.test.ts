/** What the client can beyond JMAP, against the real program: on every device the same, undoable, without a fault of accessibility. */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { after, before, test } from 'node:test'
import { SmtpClient } from '@postrider/testkit/smtp'
import { TestServer } from '@postrider/testkit/server'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { openBrowser, violations, withoutBrowser } from './browser.ts'

const skip = withoutBrowser
const PASSWORD = 'correct horse battery'
const ADA = 'ada@example.com'
const timeout = 180_000
let server: TestServer
let browser: Browser
let origin = ''
let count = 0
const contexts: BrowserContext[] = []

before(async () => {
  if (skip !== false) return
  server = await TestServer.start()
  await server.addUser(ADA, PASSWORD)
  origin = `https://127.0.0.1:${server.port('https')}`
  browser = await openBrowser()
  for (const [name, subject] of [
    ['Grace Hopper', 'Minutes of Tuesday'],
    ['Shop', 'Autumn sale'],
    ['Shop', 'Winter sale'],
    ['Linus', 'Invoice 17'],
  ] as const)
    await deliver(name, subject)
})
after(async () => {
  for (const one of contexts) await one.close()
  await browser?.close()
  await server?.stop()
})

async function deliver(name: string, subject: string, more: readonly string[] = []): Promise<void> {
  const client = await SmtpClient.connect(server.port('smtp'))
  const address = `${name.split(' ')[0]?.toLowerCase()}@outside.example`
  const text = [
    `From: ${name} <${address}>`,
    `To: Ada <${ADA}>`,
    `Subject: ${subject}`,
    `Message-ID: <o${++count}@outside.example>`,
    `Date: ${new Date().toUTCString()}`,
    'MIME-Version: 1.0',
    ...(more.some((one) => /^content-type/i.test(one)) ? [] : ['Content-Type: text/plain; charset=utf-8']),
    ...(more.length > 0 ? more : ['', `About ${subject}.`]),
    '',
  ]
  await client.deliver(address, ADA, text.join('\r\n'))
  client.close()
}

async function signedIn(options: BrowserContextOptions = {}): Promise<{ page: Page; problems: string[] }> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: 1440, height: 900 },
    ...options,
  })
  context.setDefaultTimeout(20_000)
  contexts.push(context)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  await page.goto(`${origin}/mail/`)
  await page.locator('[name=login]').fill(ADA)
  await page.locator('[name=password]').fill(PASSWORD)
  await page.locator('form:has([name=password]) [type=submit]').first().click()
  await page.waitForSelector('.row:not(.waiting)')
  return { page, problems }
}
const row = (page: Page, text: string) => page.locator('.row', { hasText: text })
const toast = (page: Page, text: RegExp) => page.locator('.toast', { hasText: text }).waitFor()
/** A picture for people to look at: `SHOTS=folder node --test …`. */
async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.SHOTS
  if (folder === undefined) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: `${folder}/${name}.png` })
}

test('settings are the user’s, not the browser’s: a second device shows them at once', { skip, timeout }, async () => {
  const one = await signedIn()
  const two = await signedIn({ colorScheme: 'light' })
  await one.page.goto(`${origin}/mail/settings/appearance`)
  await one.page.getByRole('group', { name: 'Colours' }).getByRole('radio', { name: 'Dark' }).check()
  await two.page.waitForFunction(() => document.documentElement.dataset.theme === 'dark')
  const three = await signedIn({ colorScheme: 'light' })
  assert.equal(await three.page.evaluate(() => document.documentElement.dataset.theme), 'dark')
  // The Light version is the same user's.
  await one.page.goto(`${origin}/mail/settings/general`)
  await one.page.getByLabel('Time zone').selectOption('Pacific/Auckland')
  await two.page.waitForFunction(
    () => localStorage.getItem('postrider.settings')?.includes('Pacific/Auckland') === true,
  )
  await two.page.goto(`${origin}/light/options/regional`)
  assert.equal(await two.page.locator('#zone').inputValue(), 'Pacific/Auckland')
  await one.page.getByLabel('Time zone').selectOption('')
  await one.page.goto(`${origin}/mail/settings/appearance`)
  await one.page.getByRole('group', { name: 'Colours' }).getByRole('radio', { name: 'As the system' }).check()
  await three.page.waitForFunction(() => document.documentElement.dataset.theme === 'system')
  assert.deepEqual([...one.problems, ...two.problems, ...three.problems], [])
})

test('snooze: by key, gone from the Inbox, brought back before its time, undone', { skip, timeout }, async () => {
  const { page, problems } = await signedIn()
  await row(page, 'Minutes of Tuesday').click()
  await page.keyboard.press('b')
  await page.getByRole('menu', { name: 'Snooze…' }).waitFor()
  await shot(page, 'snooze-menu')
  await page.getByRole('menuitem', { name: 'Tomorrow morning' }).click()
  await toast(page, /snoozed until/)
  await row(page, 'Minutes of Tuesday').waitFor({ state: 'detached' })
  await page.keyboard.press('z')
  await row(page, 'Minutes of Tuesday').waitFor()
  await row(page, 'Minutes of Tuesday').click()
  await page.keyboard.press('b')
  await page.getByRole('menuitem', { name: 'Tomorrow morning' }).click()
  await page.getByRole('treeitem', { name: /Snoozed/ }).click()
  await row(page, 'Minutes of Tuesday').click()
  await page
    .getByText(/Snoozed until/)
    .first()
    .waitFor()
  await shot(page, 'snoozed')
  assert.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Bring back now' }).click()
  await page.getByRole('treeitem', { name: /^Inbox/ }).click()
  await row(page, 'Minutes of Tuesday').waitFor()
  assert.deepEqual(problems, [])
})

test('categories and follow-up: given, shown, filtered, seen by a second device', { skip, timeout }, async () => {
  const { page, problems } = await signedIn()
  const other = await signedIn()
  await row(page, 'Invoice 17').click()
  await page.keyboard.press('c')
  await page.getByRole('checkbox', { name: 'Red category' }).check()
  await page.getByLabel('New category').fill('Bills')
  await page.keyboard.press('Enter')
  await page.getByRole('checkbox', { name: 'Bills' }).and(page.locator(':checked')).waitFor()
  assert.deepEqual(await violations(page), [])
  await shot(page, 'categorise')
  await page.keyboard.press('Escape')
  await page.keyboard.press('Shift+G')
  await page.getByRole('menuitem', { name: 'Today' }).click()
  await page
    .locator('.marked', { hasText: 'Bills' })
    .getByText(/Follow up by/)
    .waitFor()
  await shot(page, 'categories')
  await other.page.locator('.row', { hasText: 'Invoice 17' }).locator('.category').nth(1).waitFor()
  await page.getByRole('button', { name: /^Show:/ }).click()
  await page.getByRole('menuitemradio', { name: 'Bills' }).click()
  await row(page, 'Autumn sale').waitFor({ state: 'detached' })
  await row(page, 'Invoice 17').waitFor()
  assert.deepEqual(await violations(page), [])
  assert.deepEqual([...problems, ...other.problems], [])
})

test('rules: made as a form, tried, run, and in force for the next mail', { skip, timeout }, async () => {
  const { page, problems } = await signedIn()
  await page.goto(`${origin}/mail/settings/rules`)
  await page.getByRole('button', { name: 'New rule' }).click()
  await page.getByLabel('Name').fill('Bills')
  await page.getByLabel('When all of these are true: Add…').selectOption('subjectContains')
  await page.getByRole('button', { name: 'Remove Sender contains' }).click()
  await page.getByRole('textbox', { name: 'Subject contains' }).fill('invoice')
  await page.getByRole('combobox', { name: 'Move to', exact: true }).selectOption({ label: 'Archive' })
  await page.getByRole('button', { name: 'Try on the Inbox' }).click()
  await page.getByText('1 message would match.').waitFor()
  assert.deepEqual(await violations(page), [])
  await shot(page, 'rule')
  await page.getByRole('button', { name: 'Save' }).click()
  await toast(page, /Saved/)
  await page.getByRole('switch', { name: 'Bills' }).waitFor()
  await page.goto(`${origin}/mail/archive`)
  await deliver('Linus', 'Invoice 18')
  await row(page, 'Invoice 18').waitFor()
  assert.deepEqual(problems, [])
})

test('sweep, block, waiting mail, templates, automatic replies', { skip, timeout }, async () => {
  const { page, problems } = await signedIn()
  await row(page, 'Winter sale').click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Sweep…' }).click()
  await page.getByLabel('Keep the latest, move the others').check()
  await shot(page, 'sweep')
  assert.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Sweep', exact: true }).click()
  await toast(page, /1 message swept/)
  await row(page, 'Autumn sale').waitFor({ state: 'detached' })
  await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
  await row(page, 'Autumn sale').waitFor()
  await row(page, 'Winter sale').click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Block the sender' }).click()
  await row(page, 'Winter sale').waitFor({ state: 'detached' })
  await page.goto(`${origin}/mail/junk`)
  await deliver('Shop', 'Spring sale')
  await row(page, 'Spring sale').waitFor()
  await page.goto(`${origin}/mail/settings/senders`)
  await page.getByText('shop@outside.example').waitFor()
  assert.deepEqual(await violations(page), [])
  await shot(page, 'senders')
  await page.goto(`${origin}/mail/`)
  await page.waitForSelector('.row:not(.waiting)')
  await page.keyboard.press('n')
  await page.waitForSelector('.composer .editor')
  await page.keyboard.type('bob@outside.example')
  await page.keyboard.press('Enter')
  await page.locator('.composer').getByLabel('Subject').fill('Thanks')
  await page.locator('.editor').click()
  await page.keyboard.type('Thank you for everything.')
  await page.getByRole('button', { name: 'Templates' }).click()
  await page.getByRole('menuitem', { name: 'Save as template…' }).click()
  await shot(page, 'template')
  await page.getByRole('dialog', { name: 'Save as template…' }).getByRole('button', { name: 'Save' }).click()
  await toast(page, /Saved/)
  await page.getByRole('button', { name: /^Send later/ }).click()
  await page.getByRole('menuitem', { name: /^Tomorrow morning/ }).click()
  await toast(page, /Will be sent/)
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Type a command or a folder' }).fill('waiting')
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Waiting to be sent' }).getByText('Thanks').waitFor()
  await shot(page, 'held')
  assert.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Do not send' }).first().click()
  await page.locator('.editor', { hasText: 'Thank you for everything.' }).waitFor()
  await page.goto(`${origin}/mail/settings/autoReply`)
  await page.getByRole('button', { name: 'Until tomorrow morning' }).click()
  await page.getByRole('group', { name: 'Inside the organisation' }).getByLabel('Text').fill('Back tomorrow')
  await shot(page, 'replies')
  assert.deepEqual(await violations(page), [])
  await page.getByRole('button', { name: 'Save' }).click()
  await toast(page, /Saved/)
  await page.reload()
  const text = page.getByRole('group', { name: 'Inside the organisation' }).getByLabel('Text')
  await text.waitFor()
  assert.equal(await text.inputValue(), 'Back tomorrow')
  assert.deepEqual(problems, [])
})

test('R54, R56: the focused inbox by its switch, explained; a journey as a card', { skip, timeout }, async () => {
  const { page, problems } = await signedIn()
  const flight = {
    '@context': 'http://schema.org',
    '@type': 'FlightReservation',
    reservationNumber: 'RXJ34P',
    underName: { name: 'Ada Lovelace' },
    reservationFor: {
      flightNumber: '110',
      airline: { name: 'United', iataCode: 'UA' },
      departureAirport: { name: 'San Francisco', iataCode: 'SFO' },
      departureTime: '2027-03-04T20:15:00-08:00',
      arrivalAirport: { name: 'New York', iataCode: 'JFK' },
      arrivalTime: '2027-03-05T06:30:00-05:00',
    },
  }
  const script = `<script type="application/ld+json">${JSON.stringify(flight)}</script>`
  const html = ['Content-Type: text/html; charset=utf-8', '', `${script}<p>Have a good flight.</p>`]
  await page.goto(`${origin}/mail/settings/general`)
  await page.getByRole('group', { name: 'Focused inbox' }).getByRole('radio', { name: 'On' }).check()
  await page.goto(`${origin}/mail/`)
  await page.getByRole('button', { name: 'Other', exact: true }).waitFor()
  await deliver('Airline', 'Your flight', html)
  await deliver('Weekly', 'Newsletter 12', [
    'List-Id: <weekly.outside.example>',
    'Content-Type: text/plain',
    '',
    'News',
  ])
  await row(page, 'Your flight').waitFor()
  assert.equal(await row(page, 'Newsletter 12').count(), 0)
  await row(page, 'Your flight').click()
  const card = page.locator('.trip')
  await card.getByText('RXJ34P').waitFor()
  await card.getByText('San Francisco (SFO)').waitFor()
  assert.deepEqual(await violations(page), [])
  await shot(page, 'flight')
  await page.getByRole('button', { name: 'Other', exact: true }).click()
  await row(page, 'Newsletter 12').click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Why is it here?' }).click()
  await toast(page, /Other: It comes from a list or program/)
  await row(page, 'Newsletter 12').click({ button: 'right' })
  await page.getByRole('menuitem', { name: 'Move to Focused' }).click()
  await row(page, 'Newsletter 12').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Focused', exact: true }).click()
  await row(page, 'Newsletter 12').waitFor()
  await shot(page, 'focused')
  await page.goto(`${origin}/mail/settings/general`)
  await page.getByRole('group', { name: 'Focused inbox' }).getByRole('radio', { name: 'Off' }).check()
  await page.goto(`${origin}/mail/`)
  await row(page, 'Minutes of Tuesday').waitFor()
  assert.deepEqual(problems, [])
})

for (const [width, colorScheme, language] of [
  [360, 'light', 'fr-FR'],
  [820, 'dark', 'en-GB'],
] as const)
  test(`new views at ${width} px, ${colorScheme}, ${language}: WCAG 2.2 AA`, { skip, timeout }, async () => {
    const { page, problems } = await signedIn({
      viewport: { width, height: 800 },
      colorScheme,
      locale: language,
      hasTouch: width === 360,
      isMobile: width === 360,
    })
    for (const name of ['rules', 'categories', 'senders', 'templates', 'autoReply', 'general']) {
      await page.goto(`${origin}/mail/settings/${name}`)
      await page.locator('.settings-page :is(button, input, .hint)').first().waitFor()
      if (name === 'rules') await page.locator('.settings-page .button.primary').click()
      await page.waitForTimeout(300)
      assert.deepEqual(await violations(page), [], name)
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
      assert.ok(wide <= 0, `${name} is ${wide} px too wide`)
      await shot(page, `${name}-${width}`)
    }
    assert.deepEqual(problems, [])
  })
