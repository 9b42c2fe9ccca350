/** The client in a real browser against the fake: every view without a fault of accessibility, every act, no script of a mail runs. */
import assert from 'node:assert/strict'
import { availableParallelism, loadavg } from 'node:os'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { openBrowser, violations, withoutBrowser } from './browser.ts'
import { FakeServer } from './fake.ts'
import { fillSample } from './sample.ts'

let browser: Browser
before(async () => {
  if (withoutBrowser === false) browser = await openBrowser()
})
after(async () => {
  if (withoutBrowser === false) await browser.close()
})
const skip = withoutBrowser

interface Stage {
  readonly page: Page
  readonly server: FakeServer
  readonly base: string
  readonly problems: string[]
}
async function onStage(
  options: BrowserContextOptions & { readonly count?: number },
  run: (stage: Stage) => Promise<void>,
): Promise<void> {
  const server = new FakeServer()
  fillSample(server, options.count ?? 120)
  const base = await server.listen()
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  context.setDefaultTimeout(8_000)
  const page = await context.newPage()
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of (404|503)/.test(message.text())) problems.push(message.text())
  })
  try {
    await page.goto(base)
    await page.waitForSelector('.row:not(.waiting)')
    await run({ page, server, base, problems })
    assert.deepEqual(problems, [])
  } finally {
    await context.close()
    await server.close()
  }
}
const shownFrame = (page: Page) => page.waitForSelector('.message-frame[data-ready]')
const toast = (page: Page, text: RegExp) => page.locator('.toast', { hasText: text }).waitFor()

for (const [width, height] of [
  [1440, 900],
  [820, 1100],
  [360, 740],
] as const)
  for (const colorScheme of ['light', 'dark'] as const)
    test(`WCAG 2.2 AA: every view at ${width} px, ${colorScheme}`, { skip, timeout: 120_000 }, () =>
      onStage(
        { viewport: { width, height }, colorScheme, hasTouch: width === 360, isMobile: width === 360 },
        async ({ page, base }) => {
          const check = async (view: string): Promise<void> => {
            await page.waitForTimeout(260)
            assert.deepEqual(await violations(page), [], view)
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
            assert.ok(wide <= 0, `${view} is ${wide} px too wide`)
          }
          await check('list')
          await page.locator('#row-0').click()
          await shownFrame(page)
          await check('reading')
          await page.getByRole('button', { name: 'Reply', exact: true }).first().click()
          await page.waitForSelector('.composer .editor')
          await check('writing')
          await page.locator('.composer').getByRole('button', { name: 'Close' }).click()
          await page.goto(base)
          await page.waitForSelector('.row:not(.waiting)')
          await page.keyboard.press('Control+k')
          await page.waitForSelector('.chooser')
          await check('palette')
          await page.keyboard.press('Escape')
          await page.keyboard.press('?')
          await page.waitForSelector('.shortcuts')
          await check('shortcuts')
          await page.keyboard.press('Escape')
          await page.locator('#search').fill('plan')
          await page.waitForSelector('.row mark')
          await check('search')
          for (const name of [
            'appearance',
            'general',
            'signatures',
            'rules',
            'categories',
            'senders',
            'templates',
            'autoReply',
            'account',
          ]) {
            await page.goto(`${base}settings/${name}`)
            await page.waitForSelector('.settings-page :is(fieldset, form, table, .hint)')
            await check(name)
          }
        },
      ),
    )

test('the first rows need no request: they come with the page', { skip, timeout: 60_000 }, () =>
  onStage({}, async ({ page, server }) => {
    const before = server.requests.flat().filter(([name, args]) => name === 'Email/query' && args.position === 0)
    assert.equal(before.length, 0)
    assert.equal(
      await page.locator('[role=grid]').getAttribute('aria-rowcount'),
      String(
        new Set([...server.emails.values()].filter((one) => one.mailboxIds['m-inbox']).map((one) => one.threadId)).size,
      ),
    )
  }),
)

test('acts are shown at once, reach the server and are undone by key', { skip, timeout: 60_000 }, () =>
  onStage({}, async ({ page, server }) => {
    const second = await page.locator('#row-1').getAttribute('data-id')
    const email = server.emails.get(second ?? '')
    await page.locator('#row-1').focus()
    await page.locator('#row-0').focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('e')
    await toast(page, /archived/)
    assert.notEqual(await page.locator('#row-1').getAttribute('data-id'), second)
    await page.waitForTimeout(150)
    assert.deepEqual(email?.mailboxIds, { 'm-archive': true })
    await page.keyboard.press('z')
    await toast(page, /Undone/)
    await page.waitForFunction((id) => document.querySelector('#row-1')?.getAttribute('data-id') === id, second)
    await page.waitForTimeout(150)
    assert.deepEqual(email?.mailboxIds, { 'm-inbox': true })
  }),
)

test('many rows at once: select, whole folder, move by picker', { skip, timeout: 60_000 }, () =>
  onStage({}, async ({ page, server }) => {
    await page.locator('#row-0').focus()
    await page.keyboard.press('Control+a')
    await page.getByRole('button', { name: /Select all \d+ in this folder/ }).click()
    await page
      .locator('.list-head')
      .getByRole('button', { name: /^Move to/ })
      .click()
    await page.keyboard.type('Trav')
    await page.keyboard.press('Enter')
    await toast(page, /moved to Travel/)
    await page.waitForFunction(() => document.querySelector('.empty') !== null)
    await page.waitForTimeout(300)
    assert.equal([...server.emails.values()].filter((one) => one.mailboxIds['m-inbox']).length, 0)
  }),
)

test('new mail is seen without a request of the user; marks of another program, too', { skip, timeout: 60_000 }, () =>
  onStage({}, async ({ page, server }) => {
    await page.waitForTimeout(300)
    server.deliver({
      subject: 'Straight from the wire',
      from: [{ name: 'Zoe', email: 'zoe@example.org' }],
      text: 'now',
      receivedAt: new Date(Date.now() + 5_000).toISOString(),
    })
    await page.locator('#row-0', { hasText: 'Straight from the wire' }).waitFor()
    await page.locator('.visually-hidden', { hasText: 'New message from Zoe' }).waitFor({ state: 'attached' })
  }),
)

test('no script of a mail runs, no picture from elsewhere is loaded before consent', { skip, timeout: 60_000 }, () =>
  onStage({}, async ({ page, server, problems }) => {
    const requests: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    const one = server.deliver({
      subject: 'Hostile',
      from: [{ name: 'M', email: 'm@example.org' }],
      receivedAt: new Date(Date.now() + 9_000).toISOString(),
      html: `<p>seen</p><script>top.hacked=1</script><img src=x onerror="top.hacked=1"><svg><style><img src=x onerror=top.hacked=1></style></svg><a href="javascript:top.hacked=1" id=j>go</a><iframe srcdoc="<script>top.hacked=1</script>"></iframe><style>body{background:url(https://leak.example/1)}@import "https://leak.example/2";</style><div style="background:url(https://leak.example/3)">x</div><form action="https://leak.example/4"><input name=a></form><img src="https://leak.example/5"><meta http-equiv=refresh content="0;url=https://leak.example/6"><base href="https://leak.example/">`,
    })
    await page.locator('#row-0', { hasText: 'Hostile' }).click()
    await shownFrame(page)
    const frame = page.frameLocator('.message-frame')
    await frame.locator('p', { hasText: 'seen' }).waitFor()
    await frame.locator('#j').click()
    await page.waitForTimeout(300)
    assert.equal(await page.evaluate(() => (window as unknown as { hacked?: number }).hacked), undefined)
    assert.deepEqual(
      requests.filter((url) => url.includes('leak.example')),
      [],
    )
    await page.getByRole('button', { name: 'Show pictures' }).waitFor()
    assert.equal(one.subject, 'Hostile')
    // The policy speaks of what it stopped in the inert document.
    problems.length = 0
  }),
)

test(
  'a mail is written: completed address, picture, attachment, saved draft, sent, taken back',
  { skip, timeout: 90_000 },
  () =>
    onStage({}, async ({ page, server }) => {
      await page.keyboard.press('n')
      await page.waitForSelector('.composer .editor')
      await page.keyboard.type('grac')
      await page.locator('.offer').first().waitFor()
      await page.keyboard.press('Enter')
      await page.locator('.chip', { hasText: 'Grace Hopper' }).waitFor()
      await page.getByLabel('Subject').fill('With a picture')
      await page.locator('.editor').click()
      await page.keyboard.type('Dear Grace')
      await page.keyboard.press('Control+b')
      await page.keyboard.type(' now bold')
      const png = Buffer.from(
        'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
        'base64',
      )
      await page.getByRole('button', { name: 'Insert picture' }).click()
      await page
        .locator('.composer input[type=file]')
        .setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: png })
      await page.locator('.editor img').waitFor()
      await page.getByRole('button', { name: 'Attach files' }).click()
      await page
        .locator('.composer input[type=file]')
        .setInputFiles({ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('plan') })
      await page.locator('.compose-files .chip', { hasText: 'plan.txt' }).waitFor()
      await page.locator('.composer-state', { hasText: 'Draft saved' }).waitFor()
      await page.locator('.composer').getByRole('button', { name: 'Send', exact: true }).click()
      await toast(page, /Sending in/)
      const sent = server.sent.at(-1)
      const mail = server.emails.get(String(sent?.emailId))
      assert.equal(mail?.subject, 'With a picture')
      assert.match(String(mail?.html), /<b>.*now bold.*<\/b>/s)
      assert.match(String(mail?.html), /<img[^>]+src="cid:/)
      assert.match(String(mail?.text), /Dear Grace now bold/)
      assert.deepEqual(
        mail?.attachments.map((one) => [one.name, one.disposition]),
        [
          ['dot.png', 'inline'],
          ['plan.txt', 'attachment'],
        ],
      )
      assert.deepEqual(mail?.mailboxIds, { 'm-sent': true })
      assert.deepEqual((sent?.envelope as { mailFrom: unknown } | undefined)?.mailFrom, {
        email: 'ada@example.org',
        parameters: { HOLDFOR: '10' },
      })
      assert.equal(
        [...server.emails.values()].filter((one) => one.keywords.$draft).length,
        0,
        'one draft, replaced as one typed',
      )
      await page.locator('.toast').getByRole('button', { name: 'Undo' }).click()
      await page.waitForSelector('.composer .editor')
      assert.equal(sent?.undoStatus, 'canceled')
      assert.deepEqual(mail?.mailboxIds, { 'm-drafts': true })
    }),
)

test('offline: acts are kept, shown and sent when the server is back', { skip, timeout: 60_000 }, () =>
  onStage({}, async ({ page, server }) => {
    const id = (await page.locator('#row-3').getAttribute('data-id')) ?? ''
    server.away = true
    await page.locator('#row-3').click({ button: 'right' })
    await page.getByRole('menuitem', { name: /^Delete/ }).click()
    await page.locator('.bar', { hasText: 'Offline' }).waitFor()
    assert.notEqual(await page.locator('#row-3').getAttribute('data-id'), id)
    assert.equal(server.emails.get(id)?.mailboxIds['m-trash'], undefined)
    server.away = false
    await page.locator('.bar').waitFor({ state: 'detached', timeout: 8_000 })
    assert.equal(server.emails.get(id)?.mailboxIds['m-trash'], true)
  }),
)

test(
  'folders: create, rename, drag mail onto them, delete; all by keyboard and pointer',
  { skip, timeout: 60_000 },
  () =>
    onStage({}, async ({ page, server }) => {
      await page.getByRole('button', { name: 'New folder' }).click()
      await page.keyboard.type('Receipts')
      await page.keyboard.press('Enter')
      const folder = page.getByRole('treeitem', { name: 'Receipts' })
      await folder.waitFor()
      const id = (await page.locator('#row-2').getAttribute('data-id')) ?? ''
      await page.locator('#row-2').dragTo(folder)
      await toast(page, /moved to Receipts/)
      await page.waitForTimeout(200)
      const made = [...server.mailboxes.values()].find((one) => one.name === 'Receipts')
      assert.equal(server.emails.get(id)?.mailboxIds[String(made?.id)], true)
      await folder.focus()
      await page.keyboard.press('Shift+F10')
      await page.getByRole('menuitem', { name: 'Delete folder' }).click()
      await page.locator('.question').getByRole('button', { name: 'Delete folder' }).click()
      await folder.waitFor({ state: 'detached' })
    }),
)

test('R55: swipes do what the user chose', { skip, timeout: 60_000 }, () =>
  onStage({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, async ({ page, server }) => {
    const swipe = async (by: number): Promise<string> => {
      const row = page.locator('#row-1')
      const id = (await row.getAttribute('data-id')) ?? ''
      await row.evaluate((element, dx) => {
        const { top, left, width } = element.getBoundingClientRect()
        const startX = left + width / 2 - dx / 2
        const touch = (type: string, x: number): void => {
          const one = new Touch({ identifier: 1, target: element, clientX: x, clientY: top + 20 })
          element.dispatchEvent(
            new TouchEvent(type, {
              touches: type === 'touchend' ? [] : [one],
              changedTouches: [one],
              bubbles: true,
              cancelable: true,
            }),
          )
        }
        touch('touchstart', startX)
        for (let i = 1; i <= 8; i++) touch('touchmove', startX + (dx * i) / 8)
        touch('touchend', startX + dx)
      }, by)
      await page.waitForTimeout(200)
      return id
    }
    const right = await swipe(200)
    assert.equal(server.emails.get(right)?.mailboxIds['m-archive'], true)
    const left = await swipe(-200)
    assert.equal(server.emails.get(left)?.mailboxIds['m-trash'], true)
  }),
)

test('a folder of 100,000: no frame over 50 ms while scrolling, true ends', { skip, timeout: 120_000 }, () =>
  onStage({ count: 20 }, async ({ page, server, base }) => {
    for (let i = 0; i < 100_000; i++)
      server.emails.set(`x${i}`, {
        ...(server.emails.get('e2') as NonNullable<ReturnType<typeof server.emails.get>>),
        id: `x${i}`,
        threadId: `tx${i}`,
        subject: `Mail ${i}`,
        mailboxIds: { 'm-travel': true },
        receivedAt: new Date(1.7e12 - i * 60_000).toISOString(),
      })
    server.add({ subject: 'makes the order anew' })
    await page.goto(`${base}m-travel`)
    await page.locator('#row-0', { hasText: 'Mail 0' }).waitFor()
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Performance.enable')
    const worked = async (): Promise<number> => {
      const { metrics } = await devtools.send('Performance.getMetrics')
      const names = ['ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration']
      return metrics.reduce((sum, { name, value }) => (names.includes(name) ? sum + value * 1_000 : sum), 0)
    }
    const FRAMES = 240
    const before = await worked()
    const long = await page.evaluate(async (count) => {
      const box = document.querySelector('.list-rows') as HTMLElement
      const frames: number[] = []
      let last = performance.now()
      for (let i = 0; i < count; i++) {
        await new Promise((resolve) => requestAnimationFrame(resolve))
        const now = performance.now()
        frames.push(now - last)
        last = now
        box.scrollTop += 90
      }
      return frames
        .slice(5)
        .filter((one) => one > 50)
        .map(Math.round)
    }, FRAMES)
    const each = (await worked()) / FRAMES - before / FRAMES
    assert.ok(each < 16, `${each.toFixed(1)} ms of work in a frame`)
    // On a busy machine frames are lost whatever a page does.
    if ((loadavg()[0] ?? 0) < availableParallelism()) assert.deepEqual(long, [])
    await page.locator('[role=row][tabindex="0"]').focus()
    await page.keyboard.press('End')
    await page.locator('#row-99999', { hasText: 'Mail 99999' }).waitFor()
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'row-99999')
  }),
)

test('search as one types: no letter is lost while answers come', { skip, timeout: 60_000 }, () =>
  onStage({}, async ({ page }) => {
    const words = 'the quick brown fox jumps over lazy dogs'
    await page.locator('#search').focus()
    for (const [n, letter] of [...words].entries()) {
      await page.keyboard.type(letter)
      // Sometimes just before, sometimes just behind the moment in which the search goes out.
      await page.waitForTimeout(30 + ((n * 37) % 60))
    }
    await page.waitForURL((url) => decodeURIComponent(url.pathname).endsWith(words))
    assert.equal(await page.locator('#search').inputValue(), words)
    await page.goBack()
    await page.waitForFunction(() => document.querySelector<HTMLInputElement>('#search')?.value === '')
  }),
)

test('French, and the bundle stays small', { skip, timeout: 60_000 }, () =>
  onStage({}, async ({ page, base }) => {
    await page.goto(`${base}settings/appearance`)
    await page.getByRole('radio', { name: 'Français' }).check()
    await page.getByRole('heading', { name: 'Paramètres' }).waitFor()
    await page.goto(base)
    await page.getByRole('treeitem', { name: /Boîte de réception/ }).waitFor()
    assert.equal(await page.evaluate(() => document.documentElement.lang), 'fr')
  }),
)
