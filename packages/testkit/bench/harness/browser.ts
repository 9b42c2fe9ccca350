/** A browser for benchmarks: Debian's Chromium, a slow profile, and probes that see what is painted. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import axe from 'axe-core'
import { type Browser, type BrowserContext, type CDPSession, chromium, type Page } from 'playwright-core'

const CHROMIUM = '/usr/bin/chromium'
export const hasChromium = (): boolean => existsSync(CHROMIUM)

const LATENCY_MS = 40
const BYTES_A_SECOND = 10_000_000 / 8
const SLOW_CPU = 4

/** A certificate error would keep the browser from caching anything. */
export const openChromium = (): Promise<Browser> =>
  chromium.launch({
    executablePath: CHROMIUM,
    // Ended with everything else; a browser that ends the process first leaves the peers behind.
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--ignore-certificate-errors',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
    ],
  })

const network = {
  offline: false,
  latency: LATENCY_MS,
  downloadThroughput: BYTES_A_SECOND,
  uploadThroughput: BYTES_A_SECOND,
}

/** Processor a fourth as fast, 40 ms to the server and back, 10 Mbit/s. */
export async function slowDown(page: Page): Promise<CDPSession> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Network.enable')
  await devtools.send('Network.emulateNetworkConditions', network)
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOW_CPU })
  return devtools
}

/** A service worker asks for pages itself: its line is as slow. Answers whether there is one. */
export async function slowWorker(browser: Browser, origin: string): Promise<boolean> {
  const devtools = await browser.newBrowserCDPSession()
  const { targetInfos } = await devtools.send('Target.getTargets')
  const workers = targetInfos.filter(({ type, url }) => type === 'service_worker' && url.startsWith(origin))
  for (const { targetId } of workers) {
    const { sessionId } = await devtools.send('Target.attachToTarget', { targetId, flatten: false })
    const calls = [
      { id: 1, method: 'Network.enable' },
      { id: 2, method: 'Network.emulateNetworkConditions', params: network },
    ]
    const answered = Promise.withResolvers<void>()
    devtools.on('Target.receivedMessageFromTarget', ({ message }) => {
      const answer = JSON.parse(message) as { readonly id?: number; readonly error?: { readonly message: string } }
      if (answer.error !== undefined) answered.reject(new Error(answer.error.message))
      if (answer.id === calls.length) answered.resolve()
    })
    for (const call of calls)
      await devtools.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify(call) })
    await answered.promise
  }
  return workers.length > 0
}

/** Puts the probes into every page of the context. */
export const withProbes = (context: BrowserContext): Promise<unknown> =>
  context.addInitScript({ path: join(import.meta.dirname, 'in-page.js') })

const said = JSON.stringify
/** Goes there and answers when the first element that matches was painted, ms since the page was asked for. */
export async function firstPaint(page: Page, url: string, selector: string): Promise<number> {
  await page.goto(url, { waitUntil: 'commit' })
  return page.evaluate<number>(`bench.first(${said(selector)})`)
}

/**
 * From the last press of a key or the pointer in `act` until the text was painted, ms: in one of the elements, or in `each` of them. The probe is
 * there before the act.
 */
export async function fromActToPaint(
  page: Page,
  selector: string,
  text: string,
  act: () => Promise<void>,
  each = false,
): Promise<number> {
  await page.evaluate(`bench.expect(${said(selector)}, ${said(text)}, ${each})`)
  await act()
  return page.evaluate<number>('bench.took()')
}

export const watchKeys = (page: Page): Promise<unknown> => page.evaluate('bench.watchKeys()')
export const keyTimes = (page: Page): Promise<number[]> => page.evaluate<number[]>('bench.keyTimes()')

/** Frames over 50 ms while scrolling `frames` times by pixels, or by a part of the height. */
export const longFrames = (page: Page, selector: string, frames: number, step: number): Promise<number> =>
  page.evaluate<number>(`bench.scroll(${said(selector)}, ${frames}, ${step})`)

/** Findings of WCAG 2.2 A and AA in what is shown. */
export async function axeNodes(page: Page): Promise<number> {
  await page.evaluate(axe.source)
  return page.evaluate<number>('bench.axeNodes()')
}
