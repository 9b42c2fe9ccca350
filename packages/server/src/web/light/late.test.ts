import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createDoor, HeldTable, noMeter, silentLog, type Submitter, systemClock, TimerWheel } from '@postrider/domain'
import { createJmap } from '@postrider/protocols/jmap'
import { createAuthenticator, openDirectory } from '@postrider/store/directory'
import { openMemoryStore } from '@postrider/store/memory'
import { loadConfig } from '../../config/load.ts'
import { siteFor } from '../../http/site.ts'
import { createWeb } from '../index.ts'

const HOUR = 3_600_000
const PASSWORD = 'one two three'

/** The web's routes over a mailbox in memory and a clock that the test moves; plain HTTP on loopback. */
async function room(t: TestContext) {
  const time = { ahead: 0 }
  const clock = { now: () => Date.now() + time.ahead, monotonic: () => systemClock.monotonic() + time.ahead }
  const hashCost = { memory: 64, passes: 1 }
  const directory = openDirectory({ file: ':memory:', hashCost })
  await directory.addDomain('example.com', 'Authoritative')
  const entry = await directory.addMailbox({ address: 'bob@example.com', password: PASSWORD, displayName: 'Bob' })
  const authenticator = createAuthenticator({ directory, hashCost })
  const service = openMemoryStore({ clock: systemClock })
  await service.create(entry.mailbox, { language: 'en', quota: undefined, database: entry.database })
  const door = createDoor(service, directory)
  const wheel = new TimerWheel({ clock: systemClock })
  const submitter: Submitter = { submit: () => Promise.reject(new Error('nothing is sent here')) }
  const jmap = createJmap({
    door,
    directory,
    submitter,
    held: new HeldTable(service),
    wheel,
    clock: systemClock,
    log: silentLog,
    meter: noMeter,
  })
  const { config } = loadConfig({ POSTRIDER_DATA: '/nowhere' })
  const web = createWeb({
    service,
    directory,
    authenticator,
    jmap: jmap.inside,
    orderDevice: () => Promise.reject(new Error('there are no devices here')),
    clock,
    log: silentLog,
    config: () => config,
    site: (host) => siteFor({ config }, directory, () => undefined, host),
    dataFolder: join(tmpdir(), 'nowhere'),
  })
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?', 1)[0] ?? ''
    const route = web.routes.find((one) => one.matches(path.toLowerCase()))
    void route?.handle(request, response, undefined)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    server.close()
    web.close()
    authenticator.close()
    directory.close()
    jmap.drain()
  })
  const jar = new Map<string, string>()
  const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const send = async (path: string, form?: Record<string, string>) => {
    const response = await fetch(at + path, {
      method: form === undefined ? 'GET' : 'POST',
      redirect: 'manual',
      headers: { Cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (line.includes('Max-Age=0')) jar.delete(name)
      else jar.set(name, value)
    }
    return { status: response.status, location: response.headers.get('location') ?? '', text: await response.text() }
  }
  const csrfIn = (text: string): string => /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? ''
  const signIn = async (): Promise<void> => {
    const page = await send('/signin')
    const answer = await send('/signin', {
      csrf: csrfIn(page.text),
      login: 'bob@example.com',
      password: PASSWORD,
      light: '1',
    })
    assert.equal(answer.location, '/light/')
  }
  return { time, send, signIn, csrfIn }
}

test('R16: what is being written when the time is over is kept as a draft, and found after signing in again', async (t) => {
  const { time, send, signIn, csrfIn } = await room(t)
  await signIn()
  const page = await send('/light/compose')
  const form = {
    csrf: csrfIn(page.text),
    to: 'eve@example.com',
    subject: 'Long letter',
    text: 'Many words',
    act: 'send',
  }
  time.ahead = 6 * HOUR + 1_000
  const answer = await send('/light/compose', form)
  assert.equal(answer.status, 303)
  const to = new URL(answer.location, 'https://localhost')
  assert.equal(to.pathname, '/signin')
  assert.equal(to.searchParams.get('why'), 'inactive')
  const draft = to.searchParams.get('next') ?? ''
  assert.match(draft, /^\/light\/compose\?draft=\w+$/)
  assert.equal((await send(draft)).status, 303, 'the session itself opens nothing more')
  await signIn()
  const kept = await send(draft)
  assert.match(kept.text, /Long letter/)
  assert.match(kept.text, /Many words/)
})

test('R17: the same at eight hours; without the token nothing is kept', async (t) => {
  const { time, send, signIn, csrfIn } = await room(t)
  await signIn()
  const page = await send('/light/compose')
  for (let n = 1; n < 8; n++) {
    time.ahead = n * HOUR
    assert.notEqual((await send('/light/compose')).status, 303, `${n} h`)
  }
  time.ahead = 8 * HOUR + 1_000
  const forged = await send('/light/compose', { csrf: 'x', subject: 'Forged', text: 'x', act: 'save' })
  assert.equal(forged.location, '/signin')
  const answer = await send('/light/compose', { csrf: csrfIn(page.text), subject: 'Mine', text: 'x', act: 'save' })
  assert.match(answer.location, /why=limit&next=%2Flight%2Fcompose%3Fdraft/)
  await signIn()
  const list = await send((await send('/light/')).location)
  const drafts = /href="(\/light\/folder\/[^"]+)"[^>]*>Drafts/.exec(list.text)?.[1] ?? ''
  const shown = await send(drafts)
  assert.match(shown.text, /Mine/)
  assert.ok(!shown.text.includes('Forged'))
})
