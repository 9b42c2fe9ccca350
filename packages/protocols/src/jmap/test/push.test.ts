/** Web push: RFC 8620 §7.2, RFC 8291, RFC 8292, RFC 9749, against a push service of the test's own that opens what it gets. */
import assert from 'node:assert/strict'
import {
  createDecipheriv,
  createECDH,
  createPublicKey,
  generateKeyPairSync,
  hkdfSync,
  randomBytes,
  verify,
} from 'node:crypto'
import { test } from 'node:test'
import { until } from '@postrider/testkit/process'
import type { Args } from '@postrider/testkit/jmap'
import { PUSH_LIFE_MS } from '../limits.ts'
import { keysValid, MAX_PUSHED, seal } from '../webpush/seal.ts'
import { Vapid } from '../webpush/vapid.ts'
import { mail, Room } from './room.ts'

const newVapidKey = () => ({
  ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' }),
})
const url = 'https://push.example/send/1'

/** What a browser does with a push: RFC 8291 §3.4. */
class Receiver {
  readonly #keys = createECDH('prime256v1')
  readonly #auth = randomBytes(16)
  constructor() {
    this.#keys.generateKeys()
  }
  get keys() {
    return { p256dh: this.#keys.getPublicKey('base64url'), auth: this.#auth.toString('base64url') }
  }
  open(body: Uint8Array): string {
    const bytes = Buffer.from(body)
    const [salt, own] = [bytes.subarray(0, 16), bytes.subarray(21, 21 + bytes[20]!)]
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.#keys.getPublicKey(), own])
    const material = Buffer.from(hkdfSync('sha256', this.#keys.computeSecret(own), this.#auth, info, 32))
    const key = Buffer.from(hkdfSync('sha256', material, salt, Buffer.from('Content-Encoding: aes128gcm\0'), 16))
    const nonce = Buffer.from(hkdfSync('sha256', material, salt, Buffer.from('Content-Encoding: nonce\0'), 12))
    const decipher = createDecipheriv('aes-128-gcm', key, nonce)
    decipher.setAuthTag(bytes.subarray(-16))
    const text = Buffer.concat([decipher.update(bytes.subarray(21 + own.length, -16)), decipher.final()])
    assert.equal(text.at(-1), 2)
    return text.subarray(0, -1).toString()
  }
}

interface Posted {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}
async function stage() {
  const room = await Room.open()
  const posted: Posted[] = []
  const answers: number[] = []
  const vapid = new Vapid(newVapidKey(), () => 'mailto:postmaster@example.com')
  room.push = {
    vapid,
    sender: {
      async post(to, headers, body) {
        posted.push({ url: to, headers, body })
        return { status: answers.shift() ?? 201, retryAfterMs: 10 }
      },
    },
  }
  await room.restart()
  const client = await room.client()
  const set = async (args: object): Promise<Args> => {
    const [answer] = await client.request([['PushSubscription/set', args, '0']])
    assert.equal(answer?.[0], 'PushSubscription/set', JSON.stringify(answer?.[1]))
    return answer[1]
  }
  return { room, posted, answers, vapid, client, set }
}

test('RFC 8291 §5: the vector of the RFC', () => {
  const sealed = seal(
    Buffer.from('When I grow up, I want to be a watermelon'),
    {
      p256dh: 'BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4',
      auth: 'BTBZMqHH6r4Tts7J_aSIgg',
    },
    {
      salt: Buffer.from('DGv6ra1nlYgDCS1FRnbzlw', 'base64url'),
      privateKey: Buffer.from('yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw', 'base64url'),
    },
  )
  assert.equal(
    sealed.toString('base64url'),
    'DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN',
  )
  assert.throws(() => seal(Buffer.alloc(MAX_PUSHED + 1), new Receiver().keys), RangeError)
  assert.equal(keysValid({ p256dh: randomBytes(65).toString('base64url'), auth: 'BTBZMqHH6r4Tts7J_aSIgg' }), false)
})

test('RFC 8292 §2: a push is signed for the origin of its address, by the key the session shows', async () => {
  const vapid = new Vapid(newVapidKey(), () => 'mailto:postmaster@example.com')
  const now = Date.UTC(2026, 10, 21)
  const [, token = '', key = ''] =
    /^vapid t=([^,]+), k=(.+)$/.exec(vapid.authorization('https://push.example:8443/a?b', now)) ?? []
  const [head = '', claims = '', signature = ''] = token.split('.')
  assert.equal(key, vapid.publicKey)
  const point = Buffer.from(key, 'base64url')
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
  }
  const publicKey = createPublicKey({ key: jwk, format: 'jwk' })
  assert.ok(
    verify(
      'sha256',
      Buffer.from(`${head}.${claims}`),
      { key: publicKey, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    ),
  )
  const said = JSON.parse(Buffer.from(claims, 'base64url').toString())
  assert.equal(said.aud, 'https://push.example:8443')
  assert.equal(said.sub, 'mailto:postmaster@example.com')
  assert.ok(said.exp > now / 1_000 && said.exp <= now / 1_000 + 86_400)
})

test('RFC 9749: the session shows the key; without pushes there is no such capability', async () => {
  const { room, vapid, client } = await stage()
  await using _room = room
  assert.deepEqual(client.session.capabilities['urn:ietf:params:jmap:webpush-vapid'], {
    applicationServerKey: vapid.publicKey,
  })
  room.push = undefined
  await room.restart()
  assert.equal('urn:ietf:params:jmap:webpush-vapid' in (await room.client()).session.capabilities, false)
})

test('RFC 8620 §7.2: verified first, then told of changes, sealed, by type; again after a restart', async () => {
  const { room, posted, set, client } = await stage()
  await using _room = room
  const browser = new Receiver()
  const made = await set({ create: { a: { deviceClientId: 'phone', url, keys: browser.keys, types: ['Email'] } } })
  const { id, expires } = made.created.a
  assert.deepEqual(Object.keys(made).sort(), [
    'created',
    'destroyed',
    'notCreated',
    'notDestroyed',
    'notUpdated',
    'updated',
  ])
  assert.ok(Date.parse(expires) > Date.now() && Date.parse(expires) <= Date.now() + PUSH_LIFE_MS)
  await until('the verification', () => posted.length === 1, 30_000)
  const asked = JSON.parse(browser.open(posted[0]!.body))
  assert.equal(asked['@type'], 'PushVerification')
  assert.equal(asked.pushSubscriptionId, id)
  const { headers } = posted[0]!
  assert.equal(headers['Content-Encoding'], 'aes128gcm')
  assert.match(headers.Authorization ?? '', /^vapid t=/)
  assert.ok(Number(headers.TTL) > 0)

  await room.deliver(mail('before'))
  assert.ok(
    (await set({ update: { [id]: { verificationCode: 'wrong' } } })).notUpdated[id].properties.includes(
      'verificationCode',
    ),
  )
  assert.equal(posted.length, 1, 'nothing before it was verified')
  assert.deepEqual((await set({ update: { [id]: { verificationCode: asked.verificationCode } } })).updated, {
    [id]: null,
  })
  await room.deliver(mail('after'))
  await until('a push', () => posted.length === 2, 30_000)
  const change = JSON.parse(browser.open(posted[1]!.body))
  const { state } = await client.call('Email/get', { ids: [] })
  assert.deepEqual(change, { '@type': 'StateChange', changed: { [client.account]: { Email: state } } })

  await room.restart()
  await room.deliver(mail('later'))
  await until('a push after the restart', () => posted.length === 3, 30_000)
})

test('RFC 8620 §7.2.1: address and keys are told to nobody; of one’s own only; expired ones are gone', async () => {
  const { room, set, client } = await stage()
  await using _room = room
  const { id } = (await set({ create: { a: { deviceClientId: 'x', url, keys: null } } })).created.a
  const [[name, got] = []] = await client.request([['PushSubscription/get', { ids: null }, '0']])
  assert.equal(name, 'PushSubscription/get')
  assert.deepEqual(got?.list, [
    { id, deviceClientId: 'x', verificationCode: null, expires: got?.list[0].expires, types: null },
  ])
  assert.equal('accountId' in (got ?? {}), false)
  const [[, refused] = []] = await client.request([['PushSubscription/get', { ids: null, properties: ['url'] }, '0']])
  assert.equal(refused?.type, 'forbidden')
  const bob = await room.client('bob')
  const [[, others] = []] = await bob.request([['PushSubscription/get', { ids: [id] }, '0']])
  assert.deepEqual([others?.list, others?.notFound], [[], [id]])
  assert.deepEqual((await set({ destroy: [id] })).destroyed, [id])
})

test('what makes no sense is refused: plain addresses, wrong keys, a code at once, the past, too many', async () => {
  const { room, set } = await stage()
  await using _room = room
  const good = { deviceClientId: 'x', url, keys: null }
  const wrong: readonly (readonly [object, string])[] = [
    [{ ...good, url: 'ftp://push.example/' }, 'url'],
    [{ ...good, url: 'https://user:pass@push.example/' }, 'url'],
    [{ ...good, keys: { p256dh: 'AAAA', auth: 'AAAA' } }, 'keys'],
    [{ ...good, verificationCode: 'x' }, 'verificationCode'],
    [{ ...good, expires: '2020-01-01T00:00:00Z' }, 'expires'],
    [{ ...good, deviceClientId: '' }, 'deviceClientId'],
  ]
  for (const [object, property] of wrong) {
    const { notCreated } = await set({ create: { a: object } })
    assert.deepEqual([notCreated.a.type, notCreated.a.properties], ['invalidProperties', [property]], property)
  }
  const create = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`c${i}`, { ...good, url: `${url}/${i}` }]))
  const many = await set({ create })
  assert.deepEqual([Object.keys(many.created).length, many.notCreated.c20.type], [20, 'overQuota'])
})

test('RFC 8620 §7.2: null gives the server the choice again, of the end and of the types', async () => {
  const { room, set } = await stage()
  await using _room = room
  const soon = new Date(Date.now() + 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z')
  const { created } = await set({
    create: { a: { deviceClientId: 'x', url, keys: null, expires: soon, types: ['Email'] } },
  })
  const { id, expires } = created.a
  assert.equal(expires, soon)
  const { updated } = await set({ update: { [id]: { expires: null, types: null } } })
  assert.deepEqual(Object.keys(updated), [id])
  const later = await set({ update: { [id]: { expires: soon } } })
  assert.deepEqual(Object.keys(later.updated), [id])
})

test('a push service that is away is tried again; one that says the browser is gone ends the subscription', async () => {
  const { room, posted, answers, set, client } = await stage()
  await using _room = room
  answers.push(503, 429)
  const { id } = (await set({ create: { a: { deviceClientId: 'x', url, keys: null } } })).created.a
  await until('the third try', () => posted.length === 3, 30_000)
  const { verificationCode } = JSON.parse(Buffer.from(posted[2]!.body).toString())
  await set({ update: { [id]: { verificationCode } } })
  answers.push(410)
  await room.deliver(mail('gone'))
  await until(
    'the subscription is gone',
    async () => {
      const [[, got] = []] = await client.request([['PushSubscription/get', { ids: null }, '0']])
      return got?.list.length === 0
    },
    30_000,
  )
})
