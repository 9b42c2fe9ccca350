/**
 * The real program, and Debian's Chromium in front of it: the room of tests that try the client as a user would. One a file; every test has
 * a person of its own in it, so that none sees what another left behind.
 */
import { mkdir } from 'node:fs/promises'
import type { TestContext } from 'node:test'
import { SmtpClient } from '@postrider/testkit/smtp'
import { TestServer } from '@postrider/testkit/server'
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core'
import { openBrowser } from './browser.ts'

export const PASSWORD = 'correct horse battery'
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
  #count = 0

  private constructor(server: TestServer, browser: Browser) {
    this.server = server
    this.#browser = browser
  }

  static async open(): Promise<Room> {
    return new Room(await TestServer.start(), await openBrowser())
  }

  /** Somebody with an empty mailbox; the pages are closed with the test. */
  async person(t: TestContext): Promise<Person> {
    const address = `ada${++this.#count}@example.com`
    await this.server.addUser(address, PASSWORD)
    const person = new Person(this.server, this.#browser, address)
    t.after(() => person.leave())
    return person
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close()
    await this.server.stop()
  }
}

export class Person {
  readonly address: string
  readonly #server: TestServer
  readonly #browser: Browser
  readonly #contexts: BrowserContext[] = []
  #count = 0

  constructor(server: TestServer, browser: Browser, address: string) {
    this.#server = server
    this.#browser = browser
    this.address = address
  }

  /** Delivers mails over one connection. `more`: further header lines, then an empty one and the body. */
  async deliver(...mails: readonly { subject: string; from?: string; more?: readonly string[] }[]): Promise<void> {
    const client = await SmtpClient.connect(this.#server.port('smtp'))
    for (const { subject, from = 'Grace Hopper <grace@outside.example>', more = [] } of mails) {
      const typed = more.some((one) => /^content-type/i.test(one))
      const text = [
        `From: ${from}`,
        `To: Ada <${this.address}>`,
        `Subject: ${subject}`,
        `Message-ID: <${this.address.split('@')[0]}.${++this.#count}@outside.example>`,
        `Date: ${new Date().toUTCString()}`,
        'MIME-Version: 1.0',
        ...(typed ? [] : ['Content-Type: text/plain; charset=utf-8']),
        ...(more.includes('') ? more : [...more, '', `About ${subject}.`]),
        '',
      ]
      await client.deliver('sender@outside.example', this.address, text.join('\r\n'))
    }
    client.close()
  }

  /** A browser of its own, signed in. There must be mail. */
  async visit(width: number): Promise<Visit> {
    const context = await this.#browser.newContext({
      ignoreHTTPSErrors: true,
      viewport: { width, height: width < 700 ? 740 : 900 },
      ...(width < 700 ? { hasTouch: true } : {}),
    })
    context.setDefaultTimeout(30_000)
    this.#contexts.push(context)
    const page = await context.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    await page.goto(`https://127.0.0.1:${this.#server.port('https')}/mail/`)
    await page.locator('[name=login]').fill(this.address)
    await page.locator('[name=password]').fill(PASSWORD)
    await page.locator('form:has([name=password]) [type=submit]').first().click()
    await page.waitForSelector('.row:not(.waiting)')
    return { page, problems }
  }

  async leave(): Promise<void> {
    for (const one of this.#contexts) await one.close()
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
