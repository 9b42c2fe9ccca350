/**
 * A new user in front of Debian's Chromium: a server with the demonstration year in it, a colleague with a mailbox of her own, and hands that
 * find things by what is written on them – labels, names, roles – and by nothing else.
 */
import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core'
import { ImapClient } from '../src/imap/index.ts'
import { until } from '../src/process/index.ts'
import { TestServer } from '../src/server/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'

const executablePath = '/usr/bin/chromium'
export const noWalk: string | false = existsSync(executablePath) ? false : 'not installed: chromium'
const PASSWORD = 'correct horse battery'
const GRACE = 'grace.hopper@example.com'
/** What a picture begins with, and ends: a real one, of one pixel. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
export const pictureFile = { name: 'garden.png', mimeType: 'image/png', buffer: picture } as const

/** How somebody sits in front of it. */
export interface Seat {
  readonly width: number
  readonly height: number
  readonly touch: boolean
  readonly scripts: boolean
}

export class Office implements AsyncDisposable {
  readonly server: TestServer
  readonly #browser: Browser
  readonly #contexts: BrowserContext[] = []

  private constructor(server: TestServer, browser: Browser) {
    this.server = server
    this.#browser = browser
  }

  static async open(): Promise<Office> {
    const [server, browser] = await Promise.all([
      TestServer.start({ config: { organization: 'Example Ltd' } }),
      chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] }),
    ])
    const office = new Office(server, browser)
    try {
      await server.addUser(GRACE, PASSWORD, '--name', 'Grace Hopper')
    } catch (error) {
      await office[Symbol.asyncDispose]()
      throw error
    }
    return office
  }

  get origin(): string {
    return `https://127.0.0.1:${this.server.port('https')}`
  }

  /** Somebody new, with a year of mail and a letter of Grace's in the Inbox. */
  async newcomer(name: string): Promise<Newcomer> {
    const address = `${name.toLowerCase()}@example.com`
    await this.server.addUser(address, PASSWORD, '--name', name)
    const { code, stderr } = await this.server.command(['demo', address, '--seed', '5', '--count', '150'])
    if (code !== 0) throw new Error(stderr)
    const smtp = await SmtpClient.connect(this.server.port('smtp'))
    for (const [subject, text] of [
      ['Picnic on Sunday', 'Shall we meet at the old mill? Bring a picture of the garden.'],
      ['Boat for the lake', 'There are two left. I keep one until Friday.'],
      ['Notes of the choir', 'They are in the cupboard on the left.'],
    ])
      await smtp.deliver(
        GRACE,
        address,
        `From: Grace Hopper <${GRACE}>\r\nTo: ${name} <${address}>\r\nSubject: ${subject}\r\n` +
          `Date: ${new Date().toUTCString().replace('GMT', '+0000')}\r\nMessage-ID: <${subject?.replaceAll(' ', '.')}.${name}@example.com>\r\n` +
          `MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n`,
      )
    smtp.close()
    return { address, password: PASSWORD }
  }

  async sit({ width, height, touch, scripts }: Seat): Promise<{ readonly page: Page; readonly problems: string[] }> {
    const context = await this.#browser.newContext({
      ignoreHTTPSErrors: true,
      viewport: { width, height },
      hasTouch: touch,
      isMobile: touch,
      javaScriptEnabled: scripts,
      locale: 'en-GB',
      // A certificate nobody signed lets no service worker in; without a network is tried elsewhere.
      serviceWorkers: 'block',
    })
    context.setDefaultTimeout(30_000)
    this.#contexts.push(context)
    const page = await context.newPage()
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    page.on('console', (message) => {
      // What is read ahead may be gone by then (a draft that was replaced), a wrong password is 422: those are the network's.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        problems.push(message.text())
    })
    return { page, problems }
  }

  /** Waits until Grace has a mail with that text, and the picture in it. */
  async arrives(words: string): Promise<void> {
    const imap = await ImapClient.login(this.server.port('imaps'), GRACE, PASSWORD)
    try {
      await until(
        `Grace has “${words}”`,
        async () => {
          await imap.command('SELECT INBOX')
          const found = await imap.command(`UID SEARCH BODY "${words}"`)
          const uid = /\* SEARCH (\d+)/.exec(found.untagged.join('\n'))?.[1]
          if (uid === undefined) return undefined
          const { untagged } = await imap.command(`UID FETCH ${uid} BODYSTRUCTURE`)
          return /"image" "png"/i.test(untagged.join('\n')) ? true : undefined
        },
        60_000,
      )
    } finally {
      imap.close()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#contexts) await one.close().catch(() => undefined)
    await this.#browser.close()
    await this.server[Symbol.asyncDispose]()
  }
}

export interface Newcomer {
  readonly address: string
  readonly password: string
}

export const button = (on: Page | Locator, name: string | RegExp): Locator =>
  on.getByRole('button', typeof name === 'string' ? { name, exact: true } : { name })
export const row = (page: Page, words: string): Locator =>
  page.getByRole('row', { name: new RegExp(words.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')) })
