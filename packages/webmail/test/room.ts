/** The real program with one user, and Debian's Chromium in front of it: the room of tests that try the client as a user would. */
import { mkdir } from 'node:fs/promises'
import { SmtpClient } from '@postrider/testkit/smtp'
import { TestServer } from '@postrider/testkit/server'
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { openBrowser } from './browser.ts'

const PASSWORD = 'correct horse battery'
const ADA = 'ada@example.com'
/** The widths of a phone, a tablet and a desk. */
export const widths = [360, 820, 1440] as const

export interface Visit {
  readonly page: Page
  /** Faults of the page's own scripts. */
  readonly problems: string[]
}

export class Room implements AsyncDisposable {
  readonly server: TestServer
  readonly #browser: Browser
  readonly #contexts: BrowserContext[] = []
  #count = 0

  private constructor(server: TestServer, browser: Browser) {
    this.server = server
    this.#browser = browser
  }

  static async open(): Promise<Room> {
    const server = await TestServer.start()
    await server.addUser(ADA, PASSWORD)
    return new Room(server, await openBrowser())
  }

  /** Delivers mails over one connection. `more`: further header lines, then an empty one and the body. */
  async deliver(...mails: readonly { subject: string; from?: string; more?: readonly string[] }[]): Promise<void> {
    const client = await SmtpClient.connect(this.server.port('smtp'))
    for (const { subject, from = 'Grace Hopper <grace@outside.example>', more = [] } of mails) {
      const typed = more.some((one) => /^content-type/i.test(one))
      const text = [
        `From: ${from}`,
        `To: Ada <${ADA}>`,
        `Subject: ${subject}`,
        `Message-ID: <r${++this.#count}@outside.example>`,
        `Date: ${new Date().toUTCString()}`,
        'MIME-Version: 1.0',
        ...(typed ? [] : ['Content-Type: text/plain; charset=utf-8']),
        ...(more.includes('') ? more : [...more, '', `About ${subject}.`]),
        '',
      ]
      await client.deliver('sender@outside.example', ADA, text.join('\r\n'))
    }
    client.close()
  }

  /** A browser of its own, signed in. */
  async visit(width: number, options: BrowserContextOptions = {}): Promise<Visit> {
    const context = await this.#browser.newContext({
      ignoreHTTPSErrors: true,
      viewport: { width, height: width < 700 ? 740 : 900 },
      ...(width < 700 ? { hasTouch: true } : {}),
      ...options,
    })
    context.setDefaultTimeout(30_000)
    this.#contexts.push(context)
    const page = await context.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    await page.goto(`https://127.0.0.1:${this.server.port('https')}/mail/`)
    await page.locator('[name=login]').fill(ADA)
    await page.locator('[name=password]').fill(PASSWORD)
    await page.locator('form:has([name=password]) [type=submit]').first().click()
    await page.waitForSelector('.row:not(.waiting)')
    return { page, problems }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#contexts) await one.close()
    await this.#browser.close()
    await this.server.stop()
  }
}

export const row = (page: Page, text: string): Locator => page.locator('.row', { hasText: text })
export const toast = (page: Page, text: RegExp): Promise<void> => page.locator('.toast', { hasText: text }).waitFor()
export const menuItem = (page: Page, name: string | RegExp): Locator => page.getByRole('menuitem', { name })

/** A picture for people to look at: `SHOTS=folder node --test …`. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.SHOTS
  if (folder === undefined) return
  await mkdir(folder, { recursive: true })
  await page.screenshot({ path: `${folder}/${name}.png` })
}
