/** R5, R6, R64: an administrator's commands about devices reach the phone that waits at that moment. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Phone } from '@postrider/testkit/activesync'
import { until } from '@postrider/testkit/process'
import { TestServer } from '@postrider/testkit/server'

const PASSWORD = 'correct horse battery'
const BOB = 'bob@example.com'
let it: TestServer
before(async () => {
  it = await TestServer.start()
  await it.addUser(BOB, PASSWORD)
})
after(() => it?.[Symbol.asyncDispose]())

const phone = () => new Phone({ port: it.port('https'), tls: true, user: BOB, password: PASSWORD, deviceId: 'LOST1' })
interface Device {
  readonly DeviceId: string
  readonly DeviceAccessState: string
  readonly Status: string
  readonly RecoveryPassword: string | null
}
async function command<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await it.command([...args, '--json'])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as T
}

test('device list, block, allow, wipe, cancel; a phone that waits hears of a wipe at once', async () => {
  const one = phone()
  await one.provision()
  await one.folderSync()
  const listed = async (): Promise<Device | undefined> =>
    (await command<{ devices: Device[] }>('device', 'list', BOB)).devices.find(({ DeviceId }) => DeviceId === 'LOST1')
  assert.deepEqual([(await listed())?.DeviceAccessState, (await listed())?.Status], ['Allowed', 'DeviceOk'])
  assert.match((await it.command(['device', 'list'])).stdout, /bob@example\.com +LOST1/)

  assert.equal((await command<Device>('device', 'block', BOB, 'LOST1')).DeviceAccessState, 'Blocked')
  const shut = await one.folderSync()
  assert.ok(shut.http === 403 || JSON.stringify(shut.document).includes('"129"'), JSON.stringify(shut.document))
  assert.equal((await command<Device>('device', 'allow', BOB, 'LOST1')).DeviceAccessState, 'Allowed')
  await one.folderSync()

  assert.equal((await it.command(['device', 'wipe', BOB, 'LOST1'])).code, 2, 'asks for --yes')
  assert.equal((await it.command(['device', 'wipe', BOB, 'NOBODY', '--yes'])).code, 1)
  const began = performance.now()
  const waiting = one.ping(900).then(
    () => performance.now() - began,
    () => performance.now() - began,
  )
  // The order ends what waits: far sooner than the heartbeat.
  assert.equal((await command<Device>('device', 'wipe', BOB, 'LOST1', '--yes')).Status, 'DeviceWipePending')
  assert.ok((await waiting) < 120_000)
  assert.equal((await listed())?.Status, 'DeviceWipePending')
  assert.equal((await command<Device>('device', 'wipe', BOB, 'LOST1', '--cancel')).Status, 'DeviceOk')
  await until('the phone is let in again', async () => (await phone().provision()).length > 0, 30_000)
})

test('device remove: what it has is forgotten, an order that waits is not', async () => {
  const two = new Phone({ port: it.port('https'), tls: true, user: BOB, password: PASSWORD, deviceId: 'OLD2' })
  await two.provision()
  await two.folderSync()
  await command('device', 'block', BOB, 'OLD2')
  const refused = await it.command(['device', 'remove', BOB, 'OLD2'])
  assert.equal(refused.code, 1)
  assert.match(refused.stderr, /device allow bob@example\.com OLD2/)
  await command('device', 'allow', BOB, 'OLD2')
  await command('device', 'wipe', BOB, 'OLD2', '--yes')
  assert.match((await it.command(['device', 'remove', BOB, 'OLD2'])).stderr, /wipe bob@example\.com OLD2 --cancel/)
  await command('device', 'wipe', BOB, 'OLD2', '--cancel')
  const waiting = two.ping(900).catch(() => undefined)
  assert.deepEqual(await command('device', 'remove', BOB, 'OLD2'), { Mailbox: BOB, DeviceId: 'OLD2' })
  await waiting
  const { devices } = await command<{ devices: Device[] }>('device', 'list', BOB)
  assert.ok(!devices.some(({ DeviceId }) => DeviceId === 'OLD2'))
  assert.equal((await it.command(['device', 'remove', BOB, 'OLD2'])).code, 1)
  // It comes back: policy and folders from the start.
  const back = await two.folderSync()
  assert.ok(back.http === 449 || /"14[0-9]"/.test(JSON.stringify(back.document)), JSON.stringify(back.document))
  await two.provision()
  assert.match(JSON.stringify((await two.folderSync('0')).document), /FolderHierarchy:Add/)
})
