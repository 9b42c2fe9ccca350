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
