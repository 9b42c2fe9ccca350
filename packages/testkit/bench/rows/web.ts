import { gzipSync } from 'node:zlib'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { hasNginx, hasRoundcube, hasSogo, startRoundcube, startSogoWeb } from '../../src/peers/index.ts'
import {
  axeNodes,
  firstPaint,
  fromActToPaint,
  hasChromium,
  keyTimes,
  longFrames,
  openChromium,
  slowDown,
  slowWorker,
  watchKeys,
  withProbes,
} from '../harness/browser.ts'
import { addUser } from '../harness/control.ts'
import { type Goal, type Line, median, percentile } from '../harness/line.ts'
import { RawImap } from '../harness/raw-imap.ts'
import type { Scenario } from '../harness/scenario.ts'
import { DOMAIN, multiAppend, PASSWORD, type Stage, USER } from '../harness/stage.ts'
import { postriderClient, roundcubeClient, sogoClient, type WebClient } from '../harness/web-clients.ts'

const LARGE = 'large'
const BATCH = 100
/** One in so many mails is about the rare word, with one of ten figures. */
const RARE_EVERY = 97

/** A mail as programs write it, 5 KB: text and HTML, its number in the subject and in the text. */
function letter(i: number): Buffer {
  const subject =
    i % RARE_EVERY === 0 ? `xylophone${Math.floor(i / RARE_EVERY) % 10} tuned, letter ${i}` : `letter ${i}`
  const words = 'The quick brown fox jumps over the lazy dog, again and again. '
  const paragraph = `<p style="color:#333;margin:0 0 12px">${words.repeat(3)}</p>\r\n`
  return Buffer.from(
    `From: Writer ${i % 50} <writer${i % 50}@outside.example>\r\nTo: <${USER}@${DOMAIN}>\r\nSubject: ${subject}\r\n` +
      `Date: ${new Date(1_760_000_000_000 + i * 60_000).toUTCString().replace('GMT', '+0000')}\r\n` +
      `Message-ID: <letter${i}@outside.example>\r\nMIME-Version: 1.0\r\n` +
      `Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n` +
      `number ${i} ends\r\n${`${words}\r\n`.repeat(10)}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n` +
      `<html><body><h1>number ${i} ends</h1>${paragraph.repeat(14)}</body></html>\r\n--b--\r\n`,
  )
}
/** The same without much in it, for a folder that is only scrolled through. */
const note = (i: number): Buffer =>
  Buffer.from(
    `From: Writer ${i % 50} <writer${i % 50}@outside.example>\r\nTo: <${LARGE}@${DOMAIN}>\r\nSubject: letter ${i}\r\n` +
      `Date: ${new Date(1_760_000_000_000 + i * 60_000).toUTCString().replace('GMT', '+0000')}\r\n` +
      `Message-ID: <note${i}@outside.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nnumber ${i} ends\r\n`,
  )

async function fill(imap: RawImap, count: number, mail: (i: number) => Buffer): Promise<void> {
  await imap.command('SELECT INBOX')
  await imap.command('UID STORE 1:* +FLAGS.SILENT (\\Deleted)').catch(() => undefined)
  await imap.command('EXPUNGE')
  for (let i = 0; i < count; i += BATCH) {
    const mails = Array.from({ length: Math.min(BATCH, count - i) }, (_, k) => mail(i + k))
    const [head, rest] = multiAppend(mails, (k) => (k % 3 === 0 ? '' : '\\Seen'))
    await imap.command(`APPEND INBOX ${head}`, rest)
  }
  imap.close()
}

/** What one run found out about one client. */
interface Visit {
  readonly scriptKb: number
  readonly cold: number
  readonly warm: number
  readonly open: number
  readonly openFar: number
  readonly search: number
}

const view = { width: 1440, height: 900 }
/** Some clients never stop asking. */
const settled = async (page: Page): Promise<void> => {
  await page.waitForLoadState('networkidle', { timeout: 4_000 }).catch(() => undefined)
  await page.waitForTimeout(600)
}

/** Signed in in a browser of its own; then a browser that has the cookies and nothing else. */
async function signedIn(browser: Browser, client: WebClient, user: string): Promise<BrowserContext> {
  const first = await browser.newContext({ viewport: view, serviceWorkers: 'block' })
  const page = await first.newPage()
  await client.signIn(page, user)
  const storageState = { ...(await first.storageState()), origins: [] }
  await first.close()
  const context = await browser.newContext({ viewport: view, storageState })
  context.setDefaultTimeout(60_000)
  await withProbes(context)
  return context
}

/** The n-th row on the screen is opened by the pointer. */
async function open(page: Page, client: WebClient, n: number): Promise<number> {
  const row = page.locator(client.row).nth(n)
  const number = /letter (\d+)/.exec((await row.textContent()) ?? '')?.[1]
  const box = await row.boundingBox()
  if (number === undefined || box === null) throw new Error(`${client.name}: row ${n} is no letter`)
  return fromActToPaint(page, client.text, `number ${number} ends`, () =>
    page.mouse.click(box.x + box.width / 2, box.y + box.height / 2),
  )
}

async function visit(browser: Browser, client: WebClient, run: number): Promise<Visit> {
  const context = await signedIn(browser, client, USER)
  try {
    const page = await context.newPage()
    const scripts: Promise<number>[] = []
    page.on('response', (response) => {
      if (response.request().resourceType() === 'script' && response.ok())
        scripts.push(response.body().then((body) => gzipSync(body, { level: 9 }).length))
    })
    await slowDown(page)
    const cold = await firstPaint(page, client.origin + client.home, client.row)
    await settled(page)
    const scriptKb = (await Promise.all(scripts)).reduce((sum, one) => sum + one, 0) / 1_024
    // The second visit after the first: by then the browser has what it may keep.
    let warm = Number.NaN
    for (let i = 0; i < 2; i++) {
      await page.goto('about:blank')
      await slowWorker(browser, client.origin)
      warm = await firstPaint(page, client.origin + client.home, client.row)
      await settled(page)
    }
    const near: number[] = []
    await open(page, client, 0)
    for (const n of [1, 2, 3]) {
      await settled(page)
      near.push(await open(page, client, n))
    }
    const far: number[] = []
    for (const n of [8, 12]) {
      await settled(page)
      far.push(await open(page, client, n))
    }
    await settled(page)
    const words = `xylophone${(run * 3 + 1) % 10}`
    await client.beginSearch(page, words)
    await page.waitForTimeout(600)
    const search = await fromActToPaint(page, client.row, words, () => page.keyboard.press(client.lastKey(words)), true)
    return { scriptKb, cold, warm, open: median(near), openFar: median(far), search }
  } finally {
    await context.close()
  }
}

/** WCAG 2.2 A and AA in the list, wide and narrow, by axe: nodes. */
async function findings(browser: Browser, client: WebClient): Promise<number> {
  const context = await signedIn(browser, client, USER)
  try {
    let nodes = 0
    for (const width of [1440, 390]) {
      const page = await context.newPage()
      await page.setViewportSize({ width, height: 900 })
      await page.goto(client.origin + client.home)
      await page.locator(client.row).first().waitFor({ state: 'attached' })
      await settled(page)
      nodes += await axeNodes(page)
      await page.close()
    }
    return nodes
  } finally {
    await context.close()
  }
}

/** Keys in the list, in the search field and in a mail being written: 98 in a hundred are painted within so many ms. */
async function keys(browser: Browser, client: WebClient, slow: boolean): Promise<number> {
  const context = await signedIn(browser, client, USER)
  try {
    const page = await context.newPage()
    await page.goto(client.origin + client.home)
    await page.locator(client.row).first().waitFor()
    await settled(page)
    if (slow) await slowDown(page)
    await watchKeys(page)
    await page.locator(client.row).first().focus()
    for (let i = 0; i < 40; i++) await page.keyboard.press('ArrowDown', { delay: 60 })
    await client.beginSearch(page, 'letter from somebody ')
    await page.keyboard.press('Escape')
    await settled(page)
    await page.getByRole('button', { name: 'New message' }).click()
    await page.locator('.composer .editor').click()
    await page.keyboard.type(
      'What is written here is long enough that a draft is saved meanwhile, and then it goes on. ',
      {
        delay: 60,
      },
    )
    return percentile(await keyTimes(page), 0.98)
  } finally {
    await context.close()
  }
}

async function scroll(browser: Browser, client: WebClient): Promise<number> {
  const { scroller } = client
  if (scroller === undefined) throw new Error(`${client.name} has pages`)
  const context = await signedIn(browser, client, LARGE)
  try {
    const page = await context.newPage()
    await page.goto(client.origin + client.home)
    await page.locator(client.row).first().waitFor()
    await settled(page)
    const slowly = await longFrames(page, scroller, 400, 90)
    // As by the thumb of the scroll bar, from top to bottom.
    return slowly + (await longFrames(page, scroller, 200, 1 / 200))
  } finally {
    await context.close()
  }
}

async function clientsOf(stage: Stage): Promise<readonly WebClient[]> {
  const ours = await stage.ours
  await addUser(ours, `${LARGE}@${DOMAIN}`, PASSWORD).catch(() => undefined)
  const count = stage.mails
  const many = stage.size(100_000, 2_000)
  const port = ours.port('imaps')
  const scrolls = stage.wants('scroll')
  const reads = ['visits', 'axe', 'views', 'keys'].some((part) => stage.wants(part))
  if (reads) await fill(await RawImap.login(port, `${USER}@${DOMAIN}`, PASSWORD), count, letter)
  if (scrolls) await fill(await RawImap.login(port, `${LARGE}@${DOMAIN}`, PASSWORD), many, note)
  const clients = [postriderClient(ours.port('https'))]
  const compared = scrolls || stage.wants('visits') || stage.wants('axe')
  if (!hasNginx() || !compared) return clients
  const mdbox = await stage.mdbox
  if (reads) await fill(await RawImap.login(mdbox.port, USER, PASSWORD, 'plain'), count, letter)
  if (hasRoundcube() && reads) clients.push(roundcubeClient((await stage.keep(startRoundcube(mdbox))).port))
  if (hasSogo()) {
    if (scrolls) await fill(await RawImap.login(mdbox.port, LARGE, PASSWORD, 'plain'), many, note)
    const sogo = await stage.sogo(mdbox, [USER, LARGE])
    clients.push(sogoClient((await stage.keep(startSogoWeb(sogo))).port))
  }
  return clients
}

/** Values of all runs by client, put into a line. */
function lineOf(
  what: string,
  unit: Line['unit'],
  goals: readonly Goal[],
  values: Readonly<Record<string, number[]>>,
): Line {
  const { Postrider: ours = [], ...peers } = values
  return { what, unit, better: 'less', ours, peers, goals }
}

export const web: Scenario = {
  name: 'web',
  title: 'The web client',
  method:
    'Debian’s Chromium without a screen. Slow: processor a fourth as fast, 40 ms, 10 Mbit/s (DevTools). Inbox of 10,000 HTML mails of 5 KB; first row: from the address to the painted row, signed in, with an empty browser (cold) and on the third visit (warm); opened by the pointer, timed from its press; search from the last letter (Roundcube: from Enter, without it it does not search). Peers: Debian’s Roundcube 1.6 (php-fpm, SQLite) and SOGo 5.8 behind nginx with TLS, HTTP/2 and compression, over the Dovecot with mdbox. SOGo waits 300 ms before it searches. Scrolling: 400 frames by 90 px and 200 frames from top to bottom of 100,000 mails, at full speed; Roundcube has pages of 50.',
  parts: ['visits', 'axe', 'views', 'scroll', 'keys'],
  seconds: 1_500,
  async measure(stage, done) {
    if (!hasChromium()) throw new Error('not installed: chromium')
    const clients = await clientsOf(stage)
    const browser = await stage.keep(openChromium())
    if (stage.wants('visits')) await visitsOf(stage, browser, clients, done)
    const [own] = clients
    if (own === undefined) return
    if (stage.wants('axe')) {
      const found: Record<string, number[]> = {}
      for (const client of clients) found[client.name] = [await findings(browser, client)]
      done(lineOf('axe, WCAG 2.2 AA, the list at 1440 and 390 px', 'nodes', [{ limit: 0 }], found))
    }
    if (stage.wants('views')) {
      const seen = await everyView(browser, own)
      done(
        lineOf('axe, WCAG 2.2 AA, every view at 1440 and 390 px, light and dark', 'nodes', [{ limit: 0 }], {
          Postrider: [seen],
        }),
      )
    }
    if (stage.wants('scroll')) await scrollOf(stage, browser, clients, done)
    if (!stage.wants('keys')) return
    for (const [slow, limit] of [
      [false, 50],
      [true, 200],
    ] as const) {
      const taken: number[] = []
      for (let run = 0; run < stage.runs; run++) taken.push(await keys(browser, own, slow))
      done(lineOf(`key to paint, p98, ${slow ? 'slow' : 'fast'}`, 'ms', [{ limit }], { Postrider: taken }))
    }
  },
}

type Done = Parameters<Scenario['measure']>[1]
type Clients = readonly WebClient[]

async function visitsOf(stage: Stage, browser: Browser, clients: Clients, done: Done): Promise<void> {
  const visits = new Map<string, Visit[]>(clients.map(({ name }) => [name, []]))
  for (let run = 0; run < stage.runs; run++)
    for (const client of clients) visits.get(client.name)?.push(await visit(browser, client, run))
  const of = (key: keyof Visit): Record<string, number[]> =>
    Object.fromEntries([...visits].map(([name, all]) => [name, all.map((one) => one[key])]))
  done(lineOf('JavaScript of the first view, gzip', 'KB', [{ limit: 90 }], of('scriptKb')))
  done(lineOf('first mail row, slow, cold', 'ms', [{ times: 0.5, peer: 'Roundcube' }], of('cold')))
  done(lineOf('first mail row, slow, warm', 'ms', [{ limit: 450 }], of('warm')))
  done(lineOf('open a mail, slow, a neighbour of the last one', 'ms', [{ limit: 120 }], of('open')))
  done(lineOf('open a mail, slow, any other', 'ms', [{ limit: 200 }], of('openFar')))
  done(lineOf('search as one types, slow', 'ms', [{ limit: 200 }], of('search')))
}

async function scrollOf(stage: Stage, browser: Browser, clients: Clients, done: Done): Promise<void> {
  const scrolled: Record<string, number[]> = {}
  for (let run = 0; run < stage.runs; run++)
    for (const client of clients) {
      if (client.scroller === undefined) continue
      const large = client.name === 'SOGo' ? { ...sogoClient(0, LARGE), origin: client.origin } : client
      scrolled[client.name] = [...(scrolled[client.name] ?? []), await scroll(browser, large)]
    }
  done(lineOf('scrolling through 100,000 mails, frames over 50 ms', 'frames', [{ limit: 0 }], scrolled))
}

const settingsPages = [
  'appearance',
  'general',
  'signatures',
  'rules',
  'categories',
  'senders',
  'templates',
  'autoReply',
  'notifications',
  'account',
  'security',
  'devices',
]

/** WCAG 2.2 A and AA in every view of ours, wide and narrow, light and dark: nodes. */
async function everyView(browser: Browser, client: WebClient): Promise<number> {
  const context = await signedIn(browser, client, USER)
  try {
    let nodes = 0
    for (const width of [1440, 390])
      for (const colorScheme of ['light', 'dark'] as const) {
        const page = await context.newPage()
        await page.setViewportSize({ width, height: 900 })
        await page.emulateMedia({ colorScheme })
        const home = async (): Promise<void> => {
          await page.goto(client.origin + client.home)
          await page.locator(client.row).first().waitFor()
        }
        const look = async (view: string): Promise<void> => {
          // Sheets and menus come within 220 ms; half of a colour is no colour.
          await page.waitForTimeout(400)
          const found = await axeNodes(page)
          if (found > 0) console.error(`axe: ${view}, ${width} px, ${colorScheme}: ${found} nodes`)
          nodes += found
        }
        await home()
        await look('list')
        await page.locator(client.row).first().click()
        await page.locator('.message-frame[data-ready]').first().waitFor()
        await look('mail')
        await page.getByRole('button', { name: 'Reply', exact: true }).first().click()
        await page.locator('.composer .editor').waitFor()
        await look('writing')
        await home()
        for (const [key, shown] of [
          ['Control+k', '.chooser'],
          ['?', '.shortcuts'],
          ['v', '.chooser'],
          ['b', '.menu'],
        ] as const) {
          await page.locator(client.row).first().focus()
          await page.keyboard.press(key)
          await page.locator(shown).first().waitFor()
          await look(shown)
          await page.keyboard.press('Escape')
        }
        await page.locator('#search').fill('letter')
        await page.locator('.row mark').first().waitFor()
        await look('search')
        for (const one of settingsPages) {
          await page.goto(`${client.origin}/mail/settings/${one}`)
          await page.locator('.settings-page :is(fieldset, form, table, .hint, .button, h2)').first().waitFor()
          await look(`settings/${one}`)
        }
        await page.close()
      }
    return nodes
  } finally {
    await context.close()
  }
}
