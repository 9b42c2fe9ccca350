/**
 * Makes the pictures of the README anew: `node packages/webmail/test/pictures.ts [folder]` (default docs/pictures). Starts the real program,
 * fills a mailbox with the demonstration year, and photographs it in Debian's Chromium. Colours are reduced so that each stays below 200 KB.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { TestServer } from '@postrider/testkit/server'
import type { Browser, Page } from 'playwright-core'
import { openBrowser } from './browser.ts'

const MOST_BYTES = 200_000
const PASSWORD = 'correct horse battery'
const ADA = 'ada.lovelace@example.com'
const folder = resolve(process.argv[2] ?? join(import.meta.dirname, '..', '..', '..', 'docs', 'pictures'))

interface Shot {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly dark?: boolean
  readonly touch?: boolean
  readonly light?: boolean
  /** What to open, by a word of its row. */
  readonly open?: string
}
const shots: readonly Shot[] = [
  { name: 'desk', width: 1440, height: 900, open: 'The Harbour Gazette' },
  { name: 'desk-dark', width: 1440, height: 900, dark: true, open: 'Minutes of the' },
  { name: 'phone', width: 390, height: 780, touch: true },
  { name: 'phone-dark', width: 390, height: 780, touch: true, dark: true, open: 'Photos from' },
  { name: 'light', width: 1024, height: 720, light: true },
]

async function signIn(page: Page, light: boolean): Promise<void> {
  await page.locator('[name=login]').fill(ADA)
  await page.locator('[name=password]').fill(PASSWORD)
  if (light) await page.locator('#light').check()
  await page.locator('form[action="/signin"][method=post] [type=submit]').click()
}

async function take(browser: Browser, origin: string, shot: Shot): Promise<void> {
  const { name, width, height, dark = false, touch = false, light = false, open } = shot
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width, height },
    colorScheme: dark ? 'dark' : 'light',
    hasTouch: touch,
    isMobile: touch,
    locale: 'en-GB',
    timezoneId: 'Europe/Zurich',
    serviceWorkers: 'block',
    javaScriptEnabled: !light,
    deviceScaleFactor: touch ? 1.5 : 1,
  })
  context.setDefaultTimeout(30_000)
  const page = await context.newPage()
  await page.goto(`${origin}/signin`)
  await signIn(page, light)
  if (light) await page.waitForURL(/\/light\//)
  else await page.waitForSelector('.row:not(.waiting)')
  if (open !== undefined) {
    await page.goto(`${origin}/mail/search/${encodeURIComponent(open)}`)
    const id = await page.locator('.row:not(.waiting)', { hasText: open }).first().getAttribute('data-id')
    await page.goto(`${origin}/mail/inbox/${id ?? ''}`)
    await page.waitForSelector('.message-frame[data-ready]')
    await page.waitForSelector('.row:not(.waiting)', { state: 'attached' })
    await page.waitForLoadState('networkidle')
  }
  const file = join(folder, `${name}.png`)
  await page.screenshot({ path: file, animations: 'disabled' })
  await context.close()
  for (const colours of [256, 128, 64]) {
    const made = spawnSync('convert', [file, '-strip', '-dither', 'None', '-colors', String(colours), `PNG8:${file}`])
    if (made.error !== undefined) throw new Error('ImageMagick is missing: its convert reduces the colours')
    if (statSync(file).size < MOST_BYTES) break
  }
  process.stdout.write(`${file}: ${Math.round(statSync(file).size / 1000)} KB\n`)
}

mkdirSync(folder, { recursive: true })
await using server = await TestServer.start({ config: { organization: 'Example Ltd' } })
await server.addUser(ADA, PASSWORD, '--name', 'Ada Lovelace')
const { code, stderr } = await server.command(['demo', ADA, '--seed', '3', '--count', '900'])
if (code !== 0) throw new Error(stderr)
const browser = await openBrowser()
try {
  for (const shot of shots) await take(browser, `https://127.0.0.1:${server.port('https')}`, shot)
} finally {
  await browser.close()
}
