/** Who sees, points or reads otherwise: keys alone, a screen reader's tree, forced colours, right to left, 200 % and 320 px, less motion. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { openBrowser, violations, withoutBrowser } from './browser.ts'
import { FakeServer } from './fake.ts'
import { fillSample } from './sample.ts'

const skip = withoutBrowser
const timeout = 200_000
let browser: Browser
before(async () => {
  if (skip === false) browser = await openBrowser()
})
after(async () => {
  await browser?.close()
})

interface Stage {
  readonly page: Page
  readonly server: FakeServer
  readonly base: string
}
async function onStage(options: BrowserContextOptions, run: (stage: Stage) => Promise<void>): Promise<void> {
  const server = new FakeServer()
  fillSample(server, 60)
  const base = await server.listen()
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  context.setDefaultTimeout(30_000)
  try {
    const page = await context.newPage()
    await page.goto(base)
    await page.waitForSelector('.row:not(.waiting)')
    await run({ page, server, base })
  } finally {
    await context.close()
    await server.close()
  }
}
const focused = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const at = document.activeElement
    return at?.getAttribute('aria-label') ?? at?.id ?? ''
  })
const toast = (page: Page, text: RegExp) => page.locator('.toast', { hasText: text }).waitFor()

test(
  'keys alone: read, answer with a picture, send, snooze, undo, search, settings; the focus is always somewhere',
  {
    skip,
    timeout,
  },
  () =>
    onStage({}, async ({ page, server }) => {
      const { keyboard } = page
      await page.locator('body').press('F6')
      for (let i = 0; i < 8 && !(await page.evaluate(() => document.activeElement?.matches('.row') === true)); i++)
        await keyboard.press('F6')
      await keyboard.press('ArrowDown')
      await page.waitForFunction(() => document.activeElement?.id === 'row-1')
      const id = await page.locator('#row-1').getAttribute('data-id')
      await keyboard.press('Enter')
      await page.waitForSelector('.message-frame[data-ready]')
      await keyboard.press('r')
      await page.waitForFunction(() => document.activeElement?.closest('.composer .editor') !== null)
      await keyboard.type('With a picture')
      // Backwards out of the text and forwards to the tool.
      const chooser = page.waitForEvent('filechooser')
      for (let i = 0; i < 30 && (await focused(page)) !== 'Insert picture'; i++) await keyboard.press('Tab')
      assert.equal(await focused(page), 'Insert picture')
      await keyboard.press('Enter')
      const png = Buffer.from(
        'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
        'base64',
      )
      await (await chooser).setFiles({ name: 'dot.png', mimeType: 'image/png', buffer: png })
      await page.locator('.editor img').waitFor()
      await page.locator('.editor').press('Control+Enter')
      await toast(page, /Sending in/)
      assert.match(String(server.emails.get(String(server.sent.at(-1)?.emailId))?.html), /<img[^>]+src="cid:/)
      // The focus goes on where the window was opened from.
      await page.waitForFunction(() => document.activeElement?.matches('.row') === true)
      await keyboard.press('b')
      await page.waitForSelector('.menu')
      await keyboard.press('ArrowDown')
      await keyboard.press('Enter')
      await toast(page, /nooze/)
      await keyboard.press('z')
      await toast(page, /Undone/)
      await keyboard.press('/')
      await page.waitForFunction(() => document.activeElement?.id === 'search')
      await keyboard.type('plan')
      await page.waitForSelector('.row mark')
      await keyboard.press('ArrowDown')
      await page.waitForFunction(() => document.activeElement?.matches('.row') === true)
      await keyboard.press('Control+k')
      await page.waitForSelector('.chooser')
      await keyboard.type('settings')
      await keyboard.press('Enter')
      await page.waitForSelector('.settings-page')
      for (let i = 0; i < 40; i++) {
        if (await page.evaluate(() => document.activeElement?.textContent?.trim() === 'Account')) break
        await keyboard.press('Tab')
      }
      await keyboard.press('Enter')
      await page.getByRole('heading', { name: 'Settings for POP or IMAP access' }).waitFor()
      assert.notEqual(id, null)
    }),
)

test('the tree a screen reader is given: list, mail, writing', { skip, timeout }, () =>
  onStage({}, async ({ page }) => {
    const tree = async (selector: string): Promise<string> =>
      (await page.locator(selector).first().ariaSnapshot()).replace(/\b\d{1,2}:\d\d [AP]M\b/g, 'TIME')
    const list = await tree('.list')
    assert.match(list, /^- region "Messages"/m)
    assert.match(list, /heading "Inbox" \[level=1\]/)
    assert.match(list, /grid "Messages"/)
    assert.match(list, /row "[^"]*Plan for the analytical engine, 3 messages[^"]*"/)
    assert.match(list, /row "unread, [^"]*, has attachment"/i)
    const folders = await tree('[role=tree]')
    assert.match(folders, /treeitem "Inbox/)
    await page.locator('#row-0').click()
    await page.waitForSelector('.message-frame[data-ready]')
    const mail = await tree('.reader')
    assert.match(mail, /heading "Re: Plan for the analytical engine" \[level=[12]\]/)
    for (const name of ['Reply', 'Reply to all', 'Forward', 'Archive', 'Delete'])
      assert.match(mail, new RegExp(`button "${name}"`), name)
    assert.match(mail, /article/)
    assert.match(mail, /iframe/)
    await page.keyboard.press('n')
    await page.waitForSelector('.composer .editor')
    const writing = await tree('.composer')
    assert.match(writing, /combobox "To"/)
    assert.match(writing, /textbox "Subject"/)
    assert.match(writing, /textbox "[^"]+"/)
    for (const name of ['Send', 'Attach files', 'Insert picture', 'Bold'])
      assert.match(writing, new RegExp(`button "${name}[^"]*"`), name)
    // Nothing one can press is without a name.
    assert.doesNotMatch(
      `${list}${folders}${mail}${writing}`,
      /^\s*- (?:button|link|textbox|combobox|checkbox)(?: \[[^\]]*\])*:?$/m,
    )
  }),
)

const sights: readonly (readonly [name: string, options: BrowserContextOptions, rtl: boolean])[] = [
  ['forced colours', { forcedColors: 'active' }, false],
  ['right to left', {}, true],
  ['right to left on a phone', { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true }, true],
  ['320 px', { viewport: { width: 320, height: 640 } }, false],
  ['200 %', { viewport: { width: 720, height: 450 } }, false],
]
for (const [name, options, rtl] of sights)
  test(`${name}: nothing is cut off, lies over something else or fails WCAG 2.2 AA`, { skip, timeout }, () =>
    onStage(options, async ({ page, base }) => {
      const check = async (view: string): Promise<void> => {
        if (rtl) await page.evaluate(() => document.documentElement.setAttribute('dir', 'rtl'))
        await page.evaluate(() => Promise.all(document.getAnimations().map((one) => one.finished.catch(() => {}))))
        assert.deepEqual(await violations(page), [], view)
        const faults = await page.evaluate(() => {
          const found: string[] = []
          if (document.documentElement.scrollWidth > innerWidth) found.push('the page is too wide')
          // Buttons of one bar beside one another.
          for (const bar of document.querySelectorAll(
            '.reader-head, .list-head, .message-acts, .compose-foot, .bottom-bar, [role=toolbar]',
          )) {
            const boxes = [...bar.querySelectorAll('button, a')]
              .map((one) => [one, one.getBoundingClientRect()] as const)
              .filter(([, box]) => box.width > 0 && box.height > 0)
            for (const [i, [one, a]] of boxes.entries())
              for (const [other, b] of boxes.slice(i + 1)) {
                const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left)
                const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)
                if (wide > 2 && high > 2 && !one.contains(other))
                  found.push(`${one.outerHTML.slice(0, 80)} over ${other.outerHTML.slice(0, 80)}`)
              }
          }
          return found
        })
        assert.deepEqual(faults, [], view)
      }
      await check('list')
      await page.locator('#row-0').click()
      await page.waitForSelector('.message-frame[data-ready]')
      await check('reading')
      await page.keyboard.press('r')
      await page.waitForSelector('.composer .editor')
      await check('writing')
      for (const view of ['rules', 'account']) {
        await page.goto(`${base}settings/${view}`)
        await page.waitForSelector('.settings-page :is(fieldset, form, table, .hint)')
        await check(view)
      }
    }),
  )

test('forced colours: the dot stands by unread rows and by no other', { skip, timeout }, () =>
  onStage({ forcedColors: 'active' }, async ({ page }) => {
    const colours = await page.evaluate(() => {
      const colourOf = (selector: string): string => {
        const dot = document.querySelector(selector)
        return dot === null ? '' : getComputedStyle(dot).backgroundColor
      }
      return [colourOf('.row.unread .dot'), colourOf('.row:not(.unread, .waiting) .dot')]
    })
    assert.notEqual(colours[0], colours[1])
    assert.match(colours[1] ?? '', /^rgba\(.*, 0\)$/)
  }),
)

test('less motion: nothing moves', { skip, timeout }, () =>
  onStage({ reducedMotion: 'reduce' }, async ({ page }) => {
    await page.locator('#row-2').focus()
    await page.keyboard.press('e')
    await toast(page, /archived/)
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0)
    await page.keyboard.press('Control+k')
    await page.waitForSelector('.chooser')
    assert.equal(await page.evaluate(() => document.getAnimations().length), 0)
  }),
)
