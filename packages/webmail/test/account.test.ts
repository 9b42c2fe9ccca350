/** Signing in and the account: passkeys with Chromium's virtual authenticator, second step, app passwords, devices, against the real program. */
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { request } from 'node:https'
import { after, before, type TestContext, test } from 'node:test'
import { Phone } from '@postrider/testkit/activesync'
import { until } from '@postrider/testkit/process'
import { TestServer } from '@postrider/testkit/server'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { openBrowser, violations, withoutBrowser } from './browser.ts'
import { shot } from './room.ts'

const skip = withoutBrowser
const timeout = 180_000
const PASSWORD = 'correct horse battery'
let server: TestServer
let browser: Browser
/** Passkeys belong to names: an address has none. */
let origin = ''

before(async () => {
  if (skip !== false) return
  server = await TestServer.start()
  for (const name of ['ada', 'bob', 'cleo', 'dora', 'eve']) await server.addUser(`${name}@example.com`, PASSWORD)
  origin = `https://localhost:${server.port('https')}`
  browser = await openBrowser()
})
after(async () => {
  await browser?.close()
  await server?.stop()
})

async function open(t: TestContext, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({
    ignoreHTTPSErrors: true,
    viewport: { width: 1200, height: 900 },
    ...options,
  })
  context.setDefaultTimeout(30_000)
  t.after(() => context.close())
  return context.newPage()
}
/** A device in the browser that unlocks whenever it is asked. */
async function authenticator(page: Page): Promise<void> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
}
async function signIn(page: Page, name: string, password = PASSWORD): Promise<void> {
  await page.goto(`${origin}/signin`)
  await page.locator('[name=login]').fill(`${name}@example.com`)
  await page.locator('[name=password]').fill(password)
  await page.locator('form:has([name=password]) [type=submit]').first().click()
  await page.waitForURL(/\/mail\//)
}
async function settings(page: Page, place: string): Promise<void> {
  await page.goto(`${origin}/mail/settings/${place}`)
  await page.locator('.settings-page .part').first().waitFor()
}
const part = (page: Page, name: string): Locator => page.getByRole('region', { name, exact: true })
async function clean(page: Page): Promise<void> {
  assert.deepEqual(await violations(page), [])
}
const jmap = (user: string, password: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const headers = { Authorization: `Basic ${Buffer.from(`${user}@example.com:${password}`).toString('base64')}` }
    const sent = request(`${origin}/jmap/session`, { rejectUnauthorized: false, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', reject)
    sent.end()
  })
/** What an authenticator app shows: RFC 6238. */
function totp(key: string): string {
  const bits = [...key.replace(/\s/g, '')]
    .map((one) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(one).toString(2).padStart(5, '0'))
    .join('')
  const secret = Buffer.from((bits.match(/.{8}/g) ?? []).map((one) => Number.parseInt(one, 2)))
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)))
  const mac = createHmac('sha1', secret).update(counter).digest()
  return String((mac.readUInt32BE((mac[19] ?? 0) & 15) & 0x7fff_ffff) % 1_000_000).padStart(6, '0')
}

test('passkeys: made behind the password, sign in among the names of the field and by the button', {
  skip,
  timeout,
}, async (t) => {
  const page = await open(t)
  await authenticator(page)
  await signIn(page, 'ada')
  await settings(page, 'security')
  const keys = part(page, 'Passkeys')
  await keys.getByRole('button', { name: 'Add a passkey' }).click()
  await keys.getByLabel(/^Name/).fill('This laptop')
  await keys.getByLabel(/^Your password/).fill('wrong')
  await keys.getByRole('button', { name: 'Add a passkey' }).click()
  await keys.getByText('The password is not right.').waitFor()
  await keys.getByLabel(/^Your password/).fill(PASSWORD)
  await clean(page)
  await shot(page, 'passkey-add')
  await keys.getByRole('button', { name: 'Add a passkey' }).click()
  await keys.getByText('This laptop').waitFor()
  await keys.getByText('Last used: never').waitFor()
  // What waits in the address field: the device answers at once, as when its owner picks the name.
  await page.context().clearCookies()
  await page.goto(`${origin}/signin?next=/mail/settings/security`)
  await page.waitForURL(`${origin}/mail/settings/security`)
  await keys.getByText(/Last used: (?!never)/).waitFor()
  // By the button, in the Light version.
  await page.context().clearCookies()
  await page.addInitScript(() => {
    Object.assign(PublicKeyCredential, { isConditionalMediationAvailable: () => Promise.resolve(false) })
  })
  await page.goto(`${origin}/signin`)
  await page.locator('#light').check()
  await clean(page)
  await shot(page, 'signin-passkey')
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.waitForURL(/\/light\/folder\//)
  // Renamed, taken away; then it opens nothing, and that is all that is said.
  await settings(page, 'security')
  await keys.getByRole('button', { name: 'Rename This laptop' }).click()
  await page.getByRole('dialog').getByLabel('Name').fill('Old laptop')
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await keys.getByRole('button', { name: 'Remove Old laptop' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await keys.getByText('Old laptop').waitFor({ state: 'detached' })
  await page.context().clearCookies()
  await page.goto(`${origin}/signin`)
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click()
  await page.getByText('That passkey does not open anything here.').waitFor()
})

test('the installed app: its session ends, what is kept stays sealed, a passkey unlocks it with one tap', {
  skip,
  timeout,
}, async (t) => {
  const page = await open(t)
  await page.addInitScript(() => {
    Object.assign(globalThis.PublicKeyCredential ?? {}, {
      isConditionalMediationAvailable: () => Promise.resolve(false),
    })
  })
  await authenticator(page)
  await signIn(page, 'eve')
  await settings(page, 'security')
  const keys = part(page, 'Passkeys')
  await keys.getByRole('button', { name: 'Add a passkey' }).click()
  await keys.getByLabel(/^Name/).fill('Phone')
  await keys.getByLabel(/^Your password/).fill(PASSWORD)
  await keys.getByRole('button', { name: 'Add a passkey' }).click()
  await keys.getByText('Phone', { exact: true }).waitFor()
  const kept = (): Promise<{ key: boolean; sealed: number }> =>
    page.evaluate(async () => {
      const all = await indexedDB.databases()
      const name = all.find((one) => one.name?.startsWith('postrider-'))?.name ?? ''
      const database = await new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name)
        request.onsuccess = () => resolve(request.result)
        request.onerror = () => reject(request.error)
      })
      const count = (store: string): Promise<number> =>
        new Promise((resolve) => {
          const request = database.transaction(store).objectStore(store).count()
          request.onsuccess = () => resolve(request.result)
        })
      const answer = { key: (await count('keys')) > 0, sealed: await count('meta') }
      database.close()
      return answer
    })
  await until('something is kept', async () => (await kept()).sealed > 0, 60_000)
  // Another device ends it, as time does.
  const elsewhere = await open(t)
  await signIn(elsewhere, 'eve')
  await elsewhere.evaluate(async () => {
    const start = JSON.parse(document.querySelector('#start')?.textContent ?? '{}') as {
      headers: Record<string, string>
    }
    const headers = { ...start.headers, 'Content-Type': 'application/json' }
    await fetch('/web/sessions/end', { method: 'POST', headers, body: '{"others":true}' })
  })
  await page.goto(`${origin}/mail/settings/security`)
  await page.getByRole('heading', { name: 'Locked' }).waitFor()
  const after = await kept()
  assert.ok(after.sealed > 0, 'what was kept is there')
  for (const width of [1200, 820, 360]) {
    await page.setViewportSize({ width, height: 800 })
    await clean(page)
    await shot(page, `locked-${width}`)
  }
  const unlock = page.getByRole('button', { name: 'Unlock with a passkey' })
  assert.ok(await unlock.evaluate((one) => one === document.activeElement), 'by the keyboard it is one key')
  assert.equal(await page.locator('#password').isVisible(), false)
  await page.getByText('Sign in another way').click()
  await page.locator('#password').waitFor()
  await unlock.click()
  await page.waitForURL(`${origin}/mail/settings/security`)
  await keys.getByText('Phone', { exact: true }).waitFor()
  assert.ok((await kept()).key)
  // Who signs out himself leaves no lock behind.
  await page.evaluate(async () => {
    const start = JSON.parse(document.querySelector('#start')?.textContent ?? '{}') as {
      headers: Record<string, string>
    }
    await fetch('/signout', { method: 'POST', headers: start.headers, redirect: 'manual' })
  })
  await page.goto(`${origin}/signin`)
  await page.getByRole('heading', { name: 'Sign in' }).waitFor()
})

test('second step and app passwords: a code by QR, recovery codes, JMAP by its own password, off again', {
  skip,
  timeout,
}, async (t) => {
  const page = await open(t)
  await signIn(page, 'bob')
  await settings(page, 'security')
  const step = part(page, 'Second step of signing in')
  await step.getByRole('button', { name: 'Set up' }).click()
  await step.getByLabel(/^Your password/).fill(PASSWORD)
  await step.getByRole('button', { name: 'Set up' }).click()
  await step.getByRole('img', { name: 'The key as a QR code' }).waitFor()
  await clean(page)
  await shot(page, 'second-step')
  const key = (await step.locator('code').textContent()) ?? ''
  await step.getByLabel('Code').fill('000000')
  await step.getByRole('button', { name: 'Turn on' }).click()
  await step.getByText('That code is not right.').waitFor()
  await step.getByLabel('Code').fill(totp(key))
  await step.getByRole('button', { name: 'Turn on' }).click()
  await step.getByText('Keep these recovery codes').waitFor()
  assert.equal((await step.locator('pre').textContent())?.split('\n').length, 10)
  assert.equal(await jmap('bob', PASSWORD), 401, 'the password alone opens nothing')
  const first = (await step.locator('pre').textContent()) ?? ''
  await step.getByText('10 recovery codes are left.').waitFor()
  await step.getByRole('button', { name: 'New recovery codes' }).click()
  await step.getByLabel(/^Your password/).fill(PASSWORD)
  await step.getByRole('button', { name: 'New recovery codes' }).click()
  await page.waitForFunction((old) => !(document.querySelector('.codes')?.textContent ?? old).includes(old), first)
  const apps = part(page, 'App passwords')
  await apps.getByRole('button', { name: 'New app password' }).click()
  await apps.getByLabel(/^For which/).fill('Mail program')
  await apps.getByLabel('JMAP programs').check()
  await apps.getByLabel(/^Your password/).fill(PASSWORD)
  await clean(page)
  await shot(page, 'app-password')
  await apps.getByRole('button', { name: 'Create' }).click()
  await apps.getByText('Type this into the program now').waitFor()
  const password = (await apps.locator('pre').textContent()) ?? ''
  assert.equal(await jmap('bob', password), 200)
  await apps.getByRole('button', { name: 'Remove Mail program' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await apps.getByText('Mail program').waitFor({ state: 'detached' })
  assert.equal(await jmap('bob', password), 401)
  await step.getByRole('button', { name: 'Turn off' }).click()
  await step.getByLabel(/^Your password/).fill(PASSWORD)
  await step.getByRole('button', { name: 'Turn off' }).click()
  await step.getByText('Signing in needs only your password').waitFor()
  assert.equal(await jmap('bob', PASSWORD), 200)
})

test('password: changed behind the old one; this session goes on in all its tabs, the others end', {
  skip,
  timeout,
}, async (t) => {
  const page = await open(t)
  const elsewhere = await open(t)
  await signIn(page, 'dora')
  await signIn(elsewhere, 'dora')
  const tab = await page.context().newPage()
  await tab.goto(`${origin}/mail/settings/security`)
  await tab.locator('.settings-page .part').first().waitFor()
  await settings(page, 'security')
  const own = part(page, 'Password')
  await own.getByRole('button', { name: 'Change password' }).click()
  const submit = own.getByRole('button', { name: 'Change password' })
  const type = async (old: string, wanted: string, again = wanted): Promise<void> => {
    await own.getByLabel('Old password').fill(old)
    await own.getByLabel('New password', { exact: true }).fill(wanted)
    await own.getByLabel('New password, once more').fill(again)
    await submit.click()
  }
  await type(PASSWORD, 'tiny')
  await own.getByText('The new password is too short.').waitFor()
  await type(PASSWORD, 'four five six seven', 'four five six')
  await own.getByText('not the same in both fields').waitFor()
  await type(PASSWORD, 'dora@example.com')
  await own.getByText('The new password is your address.').waitFor()
  await type('wrong', 'four five six seven')
  await own.getByText('The password is not right.').waitFor()
  for (const width of [1200, 820, 360]) {
    await page.setViewportSize({ width, height: 900 })
    await clean(page)
    await shot(page, `change-password-${width}`)
  }
  await type(PASSWORD, 'four five six seven')
  await page.locator('.toast', { hasText: 'Password changed' }).waitFor()
  await elsewhere.waitForURL(/\/signin/, { timeout: 60_000 })
  assert.equal(await jmap('dora', PASSWORD), 401)
  assert.equal(await jmap('dora', 'four five six seven'), 200)
  await tab.reload()
  await tab.locator('.settings-page .part').first().waitFor()
  await settings(page, 'security')
  await own.waitFor()
  await signIn(elsewhere, 'dora', 'four five six seven')
})

test('R7, R64: the user’s own devices: wipe behind the password, block, recovery password, off the list', {
  skip,
  timeout,
}, async (t) => {
  const phone = new Phone({ port: server.port('https'), tls: true, user: 'cleo@example.com', password: PASSWORD })
  await phone.provision()
  const page = await open(t, { viewport: { width: 390, height: 800 } })
  await signIn(page, 'cleo')
  await settings(page, 'devices')
  const device = page.locator('.settings-page .part').first()
  await device.getByText('OK', { exact: true }).waitFor()
  await shot(page, 'devices-phone')
  await device.getByRole('button', { name: 'Block' }).click()
  await device.getByText('Blocked', { exact: true }).waitFor()
  await device.getByRole('button', { name: 'Allow again' }).click()
  await device.getByText('OK', { exact: true }).waitFor()
  await device.getByRole('button', { name: 'Recovery password' }).click()
  await device.getByLabel(/^Your password/).fill(PASSWORD)
  await device.getByRole('button', { name: 'Recovery password' }).click()
  await device.getByText('This device has stored no recovery password.').waitFor()
  await device.getByRole('button', { name: 'Wipe device' }).click()
  await device.getByText(/will be erased/).waitFor()
  await device.getByLabel(/^Your password/).fill('wrong')
  await device.getByRole('button', { name: 'Wipe device' }).click()
  await device.getByText('The password is not right.').waitFor()
  await clean(page)
  await shot(page, 'devices-wipe')
  await device.getByLabel(/^Your password/).fill(PASSWORD)
  await device.getByRole('button', { name: 'Wipe device' }).click()
  await device.getByText('Wipe ordered').waitFor()
  await device.getByRole('button', { name: 'Cancel the wipe' }).click()
  await device.getByText('OK', { exact: true }).waitFor()
  await device.getByRole('button', { name: 'Remove' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByText('No device is connected to this mailbox.').waitFor()
})

test('the pages of signing in and devices in French and in the dark', { skip, timeout }, async (t) => {
  const page = await open(t, { colorScheme: 'dark' })
  await signIn(page, 'cleo')
  await settings(page, 'security')
  await clean(page)
  await shot(page, 'security-dark')
  await page.goto(`${origin}/mail/settings/appearance`)
  await page.getByLabel('Français').check()
  await page.getByRole('link', { name: 'Connexion' }).click()
  await page.getByRole('heading', { name: 'Mots de passe d’application' }).waitFor()
  await clean(page)
})
