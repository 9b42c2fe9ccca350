/** The installed client without a network: reading, searching, acting and writing go on; what waits goes out once, whatever happens in between. */
import assert from 'node:assert/strict'
import { readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { JmapClient } from '@postrider/testkit/jmap'
import { temporaryFolder, until } from '@postrider/testkit/process'
import { TestServer } from '@postrider/testkit/server'
import type { BrowserContext, Page } from 'playwright-core'
import { openPersistent, withoutBrowser } from './browser.ts'

const skip = withoutBrowser
const PASSWORD = 'correct horse battery'
const ADA = 'ada@example.com'
const BOB = 'bob@example.com'
const LONG = 60_000

let server: TestServer
let origin = ''
before(async () => {
  if (skip !== false) return
  server = await TestServer.start()
  for (const one of [ADA, BOB]) await server.addUser(one, PASSWORD)
  const { code, stderr } = await server.command([
    'demo',
    ADA,
    '--count',
    '60',
    '--seed',
    '3',
    '--until',
    new Date().toISOString(),
  ])
  assert.equal(code, 0, stderr)
  origin = `https://127.0.0.1:${server.port('https')}`
})
after(async () => {
  for (const one of open) await one.close().catch(() => {})
  await server?.[Symbol.asyncDispose]()
})

interface Phone {
  context: BrowserContext
  page: Page
  readonly folder: string
}
const open = new Set<BrowserContext>()
async function phone(folder: string): Promise<Phone> {
  const context = await openPersistent(folder)
  open.add(context)
  context.setDefaultTimeout(LONG)
  const page = context.pages()[0] ?? (await context.newPage())
  return { context, page, folder }
}
async function signIn(page: Page, who: string, computer: 'private' | 'public' = 'private'): Promise<void> {
  if (!page.url().includes('/signin')) await page.goto(`${origin}/mail/`)
  await page.locator('[name=login]').fill(who)
  await page.locator('[name=password]').fill(PASSWORD)
  await page.locator(`#${computer}`).check()
  await page.locator('form[method=post] [type=submit]').first().click()
  await page.waitForSelector('.row:not(.waiting)')
}
/** How many entries a store of this device has; -1 without one. */
const kept = (page: Page, store: string): Promise<number> =>
  page.evaluate(async (name) => {
    const found = (await indexedDB.databases()).find((one) => one.name?.startsWith('postrider-'))
    if (found?.name === undefined) return -1
    return new Promise<number>((resolve) => {
      const request = indexedDB.open(found.name ?? '')
      request.onsuccess = () => {
        const { result } = request
        if (!result.objectStoreNames.contains(name)) return resolve(-1)
        const count = result.transaction(name).objectStore(name).count()
        count.onsuccess = () => {
          result.close()
          resolve(count.result)
        }
      }
      request.onerror = () => resolve(-1)
    })
  }, store)
/** Everything is here: the mail of the last days, the frame to start with, and the worker. */
async function keptAll(page: Page): Promise<void> {
  await page.evaluate(() => navigator.serviceWorker.ready)
  await until('mail is kept', async () => (await kept(page, 'bodies')) > 5 && (await kept(page, 'meta')) >= 2, LONG)
}
const row = (page: Page, text: string) => page.locator('.row', { hasText: text })
const received = async (subject: string): Promise<number> => {
  const jmap = await new JmapClient({ port: server.port('https'), user: BOB, password: PASSWORD, tls: true }).connect()
  return (await jmap.call('Email/query', { filter: { subject } })).ids.length
}
const sentOf = async (subject: string): Promise<number> => {
  const jmap = await new JmapClient({ port: server.port('https'), user: ADA, password: PASSWORD, tls: true }).connect()
  return (await jmap.call('Email/query', { filter: { subject } })).ids.length
}
async function write(page: Page, subject: string, file?: string): Promise<void> {
  await page.keyboard.press('n')
  await page.waitForSelector('.composer .editor')
  await page.keyboard.type(BOB)
  await page.keyboard.press('Enter')
  await page.locator('.composer').getByLabel('Subject').fill(subject)
  await page.locator('.editor').click()
  await page.keyboard.type('Written on the train.')
  if (file !== undefined) {
    await page
      .locator('.composer input[type=file]')
      .setInputFiles({ name: file, mimeType: 'text/plain', buffer: Buffer.from('from the train') })
    await page.locator('.compose-files .chip', { hasText: file }).waitFor()
  }
  await page.locator('.composer').getByRole('button', { name: 'Send', exact: true }).click()
}

test('without a network: start, read, search, act; what was written goes out once, also when the browser is killed', {
  skip,
  timeout: 300_000,
}, async () => {
  using folder = temporaryFolder('phone')
  let one = await phone(folder.path)
  await signIn(one.page, ADA)
  await keptAll(one.page)
  const first = (await one.page.locator('.row:not(.waiting) .row-subject').first().textContent()) ?? ''
  await server.stop()

  // The client starts from the device alone.
  await one.page.goto(`${origin}/mail/`)
  await row(one.page, first).first().waitFor()
  await row(one.page, first).first().click()
  await one.page.waitForSelector('.message-frame[data-ready]')
  await one.page.locator('.bar', { hasText: /offline/i }).waitFor()

  // Search looks into what is kept, texts included.
  await one.page.locator('#search').fill('is:unread')
  await until(
    'a list of the search',
    async () => /^\d+$/.test((await one.page.locator('[role=grid]').getAttribute('aria-rowcount')) ?? ''),
    LONG,
  )
  await one.page.keyboard.press('Escape')

  // Written offline, with a file; the browser dies.
  await one.page.goto(`${origin}/mail/inbox`)
  await row(one.page, first).first().waitFor()
  await write(one.page, 'From the tunnel', 'notes.txt')
  await one.page.locator('.toast', { hasText: /offline/ }).waitFor()
  assert.equal(await kept(one.page, 'outbox'), 1)
  process.kill(Number(readlinkSync(join(folder.path, 'SingletonLock')).split('-').at(-1)), 'SIGKILL')
  await one.context.close().catch(() => {})

  one = await phone(folder.path)
  await one.page.goto(`${origin}/mail/`)
  await one.page.locator('.bar', { hasText: /waits to be sent/ }).waitFor()
  await server.restart()
  // The browser may have died before it wrote its cookies down: then one signs in again, and what is sealed opens.
  await until(
    'the mail is gone, or one is asked for the password',
    async () => {
      if (one.page.url().includes('/signin')) await signIn(one.page, ADA)
      return (await received('From the tunnel')) > 0
    },
    LONG,
  )
  await until('the outbox is empty', async () => (await kept(one.page, 'outbox')) === 0, LONG)
  assert.equal(await received('From the tunnel'), 1, 'once')
  assert.equal(await sentOf('From the tunnel'), 1, 'no draft is left behind')
  await one.context.close()
})

test('sent once although the answer of the server was lost', { skip, timeout: 200_000 }, async () => {
  using folder = temporaryFolder('phone')
  const one = await phone(folder.path)
  await signIn(one.page, ADA)
  await keptAll(one.page)
  // The server gets it, the client hears nothing: the worst moment.
  let cut = 0
  await one.page.route('**/jmap/api', async (route) => {
    if (cut < 2 && route.request().postData()?.includes('EmailSubmission/set') === true) {
      cut++
      await route.fetch()
      return route.abort('connectionreset')
    }
    return route.continue()
  })
  await write(one.page, 'Cut in the middle')
  await until('the outbox is empty again', async () => cut > 0 && (await kept(one.page, 'outbox')) === 0, LONG)
  await until('it arrived', async () => (await received('Cut in the middle')) > 0, LONG)
  assert.equal(await received('Cut in the middle'), 1)
  await one.context.close()
})

test('signing out takes everything away; a public computer keeps nothing', { skip, timeout: 200_000 }, async () => {
  using folder = temporaryFolder('phone')
  const one = await phone(folder.path)
  await signIn(one.page, ADA, 'public')
  await one.page.evaluate(() => navigator.serviceWorker.ready)
  await one.page.waitForTimeout(5_000)
  assert.equal(await kept(one.page, 'rows'), -1)
  await one.page.getByRole('button', { name: /^Account:/ }).click()
  await one.page.getByRole('menuitem', { name: 'Sign out' }).click()
  await one.page.waitForURL(/\/signin/)
  await signIn(one.page, ADA)
  await keptAll(one.page)
  await one.page.getByRole('button', { name: /^Account:/ }).click()
  await one.page.getByRole('menuitem', { name: 'Sign out' }).click()
  await one.page.waitForURL(/\/signin/)
  assert.equal(await kept(one.page, 'rows'), -1)
  await server.stop()
  await one.page.goto(`${origin}/mail/`)
  await one.page.getByRole('heading', { name: 'You are offline' }).waitFor()
  assert.equal(await one.page.locator('.row').count(), 0)
  await server.restart()
  await one.context.close()
})

test('R16, R17: offline, too, the session ends; what is kept opens again after the sign-in', {
  skip,
  timeout: 200_000,
}, async () => {
  using folder = temporaryFolder('phone')
  const one = await phone(folder.path)
  await signIn(one.page, ADA)
  await keptAll(one.page)
  await server.stop()
  await one.page.clock.install({ time: Date.now() + 60 * 60_000 })
  await one.page.goto(`${origin}/mail/`)
  await one.page.waitForSelector('.row:not(.waiting)')
  await one.page.clock.setFixedTime(Date.now() + 9 * 60 * 60_000)
  await one.page.goto(`${origin}/mail/`)
  await one.page.getByRole('heading', { name: 'You are offline' }).waitFor()
  assert.ok((await kept(one.page, 'rows')) > 0, 'sealed, not lost')
  assert.equal(await kept(one.page, 'keys'), 0, 'the key is gone')
  await server.restart()
  await one.context.close()
})

test('installable; what is shared to it opens in the composer; pulling the list down asks the server', {
  skip,
  timeout: 200_000,
}, async () => {
  using folder = temporaryFolder('phone')
  const one = await phone(folder.path)
  await signIn(one.page, ADA)
  await one.page.evaluate(() => navigator.serviceWorker.ready)
  await one.page.reload()
  await one.page.waitForSelector('.row:not(.waiting)')
  const manifest = await one.page.evaluate(async () => {
    const url = document.querySelector<HTMLLinkElement>('link[rel=manifest]')?.href ?? ''
    const { icons, share_target, start_url } = await (await fetch(url)).json()
    const sizes = await Promise.all(
      icons.map(
        async ({ src }: { src: string }) =>
          (await createImageBitmap(await (await fetch(new URL(src, url))).blob()).catch(() => ({ width: 0 }))).width,
      ),
    )
    return { sizes, share: share_target.action, start_url, controlled: navigator.serviceWorker.controller !== null }
  })
  assert.deepEqual(manifest.sizes.slice(1), [192, 512, 512])
  assert.deepEqual([manifest.share, manifest.start_url, manifest.controlled], ['/mail/share', '/mail/', true])

  await one.page.evaluate(() => {
    const form = document.createElement('form')
    Object.assign(form, { method: 'post', action: '/mail/share', enctype: 'multipart/form-data' })
    for (const [name, value] of [
      ['title', 'Look at this'],
      ['text', 'A tower'],
      ['url', 'https://tower.example/'],
    ]) {
      const field = document.createElement('input')
      Object.assign(field, { name, value })
      form.append(field)
    }
    const files = document.createElement('input')
    Object.assign(files, { type: 'file', name: 'files' })
    const transfer = new DataTransfer()
    transfer.items.add(new File(['high'], 'tower.txt', { type: 'text/plain' }))
    files.files = transfer.files
    form.append(files)
    document.body.append(form)
    form.submit()
  })
  await one.page.waitForSelector('.composer .editor')
  await one.page.locator('.compose-files .chip', { hasText: 'tower.txt' }).waitFor()
  assert.equal(await one.page.locator('.composer').getByLabel('Subject').inputValue(), 'Look at this')
  await one.page.locator('.editor', { hasText: 'https://tower.example/' }).waitFor()
  await one.page.locator('.composer').getByRole('button', { name: 'Discard' }).click()

  const asked = one.page.waitForRequest((request) => request.postData()?.includes('queryChanges') === true)
  await one.page.evaluate(() => {
    const box = document.querySelector('.list-rows')
    const touch = (type: string, y: number): void => {
      const point = new Touch({ identifier: 1, target: box as Element, clientX: 200, clientY: y })
      box?.dispatchEvent(
        new TouchEvent(type, {
          touches: type === 'touchend' ? [] : [point],
          changedTouches: [point],
          bubbles: true,
          cancelable: true,
        }),
      )
    }
    touch('touchstart', 200)
    for (let y = 220; y <= 400; y += 20) touch('touchmove', y)
    touch('touchend', 400)
  })
  await asked
  await one.context.close()
})

test('a push becomes a notice with the sender, as long as one is signed in; without a session it says nothing', {
  skip,
  timeout: 200_000,
}, async () => {
  using folder = temporaryFolder('phone')
  const one = await phone(folder.path)
  await signIn(one.page, ADA)
  await one.page.evaluate(() => navigator.serviceWorker.ready)
  await one.context.grantPermissions(['notifications'], { origin })
  await one.page.goto(`${origin}/mail/settings/notifications`)
  await one.page.getByRole('switch', { name: /Tell me on this device/ }).waitFor()
  const worker = one.context.serviceWorkers()[0] ?? (await one.context.waitForEvent('serviceworker'))
  const cdp = await one.context.newCDPSession(one.page)
  const registrations: string[] = []
  cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations: all }) => {
    for (const { registrationId } of all) registrations.push(registrationId)
  })
  await cdp.send('ServiceWorker.enable')
  await until('the registration', () => registrations.length > 0, LONG)
  const push = (message: object): Promise<unknown> =>
    cdp.send('ServiceWorker.deliverPushMessage', {
      origin,
      registrationId: registrations[0] ?? '',
      data: JSON.stringify(message),
    })
  const notices = (): Promise<string[]> =>
    worker.evaluate(async () => {
      const scope = globalThis as unknown as { readonly registration: ServiceWorkerRegistration }
      return (await scope.registration.getNotifications()).map(({ title }) => title)
    })
  const arrived = { '@type': 'StateChange', changed: { A1: { EmailDelivery: 'x' } } }
  await push(arrived)
  await one.page.waitForTimeout(500)
  assert.deepEqual(await notices(), [], 'who looks at the client needs no notice')
  // The same browser, the client not on the screen.
  await one.page.goto('about:blank')
  await push({ '@type': 'StateChange', changed: { A1: { Mailbox: 'y' } } })
  await push(arrived)
  await until('a notice', async () => (await notices()).length === 1, LONG)
  assert.notEqual((await notices())[0], 'Postrider', 'the sender’s name')
  await one.context.clearCookies()
  await worker.evaluate(async () => {
    const scope = globalThis as unknown as { readonly registration: ServiceWorkerRegistration }
    for (const notice of await scope.registration.getNotifications()) notice.close()
  })
  await push(arrived)
  await until('a notice', async () => (await notices()).length === 1, LONG)
  assert.deepEqual(await notices(), ['Postrider'])
  await one.context.close()
})
