import assert from 'node:assert/strict'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { isDomainError, silentLog } from '@postrider/domain'
import { Link, Outage } from './link.ts'

test('patience with a server that is away is counted once for all connections: who needs a second one behind the first tries once', async (t) => {
  let attempts = 0
  const nobody = createServer((socket) => {
    attempts++
    socket.destroy()
  })
  await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve))
  t.after(() => nobody.close())
  const url = `postgres://user:password@127.0.0.1:${(nobody.address() as AddressInfo).port}/mail`
  const outage = new Outage()
  const link = (): Link => new Link({ urls: [url], searchPath: 'x', patienceMs: 400, outage, log: silentLog })
  const [writer, reader] = [link(), link()]
  await assert.rejects(writer.session(), (error) => isDomainError(error, 'unavailable'))
  assert.ok(attempts > 1, `${attempts} attempts within patience`)
  const before = attempts
  await assert.rejects(reader.session(), (error) => isDomainError(error, 'unavailable'))
  assert.equal(attempts, before + 1)
  outage.over()
  const again = attempts
  await assert.rejects(link().session(), (error) => isDomainError(error, 'unavailable'))
  assert.ok(attempts > again + 1, 'another outage, patience anew')
  writer.close()
  reader.close()
})
