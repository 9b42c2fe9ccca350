/** R58 in Light: what a signature says, the text inside of one, and that encrypted mail opens elsewhere. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { PlainBrowser } from '../src/browser/index.ts'
import { TestServer } from '../src/server/index.ts'
import { Authority, withoutOpenssl } from '../src/smime/index.ts'
import { SmtpClient } from '../src/smtp/index.ts'
import { follow, inbox, lightUser, PASSWORD } from './light-user.ts'

const skip = withoutOpenssl
const GRACE = 'grace@outside.example'
let authority: Authority
let server: TestServer
const browsers: PlainBrowser[] = []

before(async () => {
  if (skip !== false) return
  authority = new Authority()
  server = await TestServer.start({ config: { smime: { trust: [authority.certificate] } } })
  await server.addUser('bob@example.com', PASSWORD)
})
after(async () => {
  for (const one of browsers) one.close()
  await server?.stop()
  authority?.[Symbol.dispose]()
})

async function deliver(subject: string, entity: Uint8Array): Promise<void> {
  const client = await SmtpClient.connect(server.port('smtp'))
  const head = `From: Grace <${GRACE}>\r\nTo: <bob@example.com>\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@outside.example>\r\n`
  await client.deliver(
    GRACE,
    'bob@example.com',
    head + Buffer.from(entity).toString('latin1').replace(/\r?\n/g, '\r\n'),
  )
  client.close()
}

test('R58: Light says who signed, shows what lies inside, and sends encrypted mail to the full version', {
  skip,
}, async () => {
  const grace = authority.issue('Grace Hopper', GRACE)
  const text = 'Content-Type: text/plain\r\n\r\nThe plan stands.\r\n'
  const clear = authority.sign(grace, text)
  await deliver('Clear', clear)
  await deliver('Bent', Buffer.from(clear.toString('latin1').replace('plan stands', 'plan fails '), 'latin1'))
  await deliver('Opaque', authority.sign(grace, text, '-nodetach'))
  await deliver('Sealed', authority.encrypt([grace], text, '-aes-256-cbc'))
  const one = await lightUser(server, 'bob', browsers)
  const read = async (subject: string): Promise<string> => {
    await inbox(one)
    return (await follow(one, subject)).text
  }
  const signed = await read('Clear')
  assert.match(signed, /Signed by Grace Hopper: valid\./)
  assert.match(signed, /Certificate of Example Mail Authority/)
  assert.match(signed, /The plan stands\./)
  assert.doesNotMatch(signed, /smime\.p7s/)
  assert.match(await read('Bent'), /changed afterwards/)
  const opaque = await read('Opaque')
  assert.match(opaque, /Signed by Grace Hopper: valid\./)
  assert.match(opaque, /The plan stands\./)
  assert.match(await read('Sealed'), /It opens in the full version/)
})
