/** Debian's Chromium, driven by playwright-core. */
import { existsSync } from 'node:fs'
import axe from 'axe-core'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

const executablePath = '/usr/bin/chromium'
/** For `test(…, { skip })`: false when the browser is there. */
export const withoutBrowser: string | false = existsSync(executablePath) ? false : 'not installed: chromium'

const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
export const openBrowser = (more: readonly string[] = []): Promise<Browser> =>
  chromium.launch({ executablePath, args: [...args, ...more] })

/** A browser that keeps what it is given in a folder, as a phone does. The server's own certificate is good enough for service workers. */
export const openPersistent = (folder: string): Promise<BrowserContext> =>
  chromium.launchPersistentContext(folder, {
    executablePath,
    args: [...args, '--ignore-certificate-errors'],
    ignoreHTTPSErrors: true,
    viewport: { width: 1200, height: 800 },
  })

/** Violations of WCAG 2.2 A and AA in what is shown, as lines. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      readonly axe: {
        run(
          context: unknown,
          options: unknown,
        ): Promise<{
          readonly violations: readonly {
            readonly id: string
            readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[]
          }[]
        }>
      }
    }
    // Half faded in, nothing has the contrast it is to have.
    const fading = document.getAnimations().filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity)
    await Promise.all(fading.map((one) => one.finished.catch(() => {})))
    const { violations } = await axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
    })
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${(node.failureSummary ?? '').split('\n')[1] ?? ''}`),
    )
  })
}
