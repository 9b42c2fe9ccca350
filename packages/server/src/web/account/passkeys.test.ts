import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { type Principal, silentLog, systemClock } from '@postrider/domain'
import { openDirectory } from '@postrider/store/directory'
import { openMemoryStore } from '@postrider/store/memory'
import { readCbor } from './cbor.ts'
import { Passkeys, placeOf } from './passkeys.ts'

const PLACE = { rpId: 'mail.example.com', origins: ['https://mail.example.com'] }
const sha = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest()

/** CBOR as authenticators write it. */
function cbor(value: unknown): Buffer {
  const head = (major: number, n: number): Buffer =>
    n < 24
      ? Buffer.from([(major << 5) | n])
      : n < 256
        ? Buffer.from([(major << 5) | 24, n])
        : Buffer.from([(major << 5) | 25, n >> 8, n & 255])
  if (typeof value === 'number') return value >= 0 ? head(0, value) : head(1, -1 - value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  const map = value as Map<unknown, unknown>
  return Buffer.concat([head(5, map.size), ...[...map].flatMap(([key, one]) => [cbor(key), cbor(one)])])
}

/** A device that makes and shows passkeys: each may be told to do one thing wrong. */
class Device {
  readonly id = randomBytes(20)
  readonly #private: KeyObject
  readonly #cose: Buffer
  readonly #hash: 'sha256' | null
  counter = 0
  flags = 0x05
  origin = 'https://mail.example.com'
  rpId = 'mail.example.com'
  type: string | undefined
  handle = ''
  constructor(kind: 'ec' | 'ed' | 'rsa') {
    const pair =
      kind === 'ec'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : kind === 'ed'
          ? generateKeyPairSync('ed25519')
          : generateKeyPairSync('rsa', { modulusLength: 2048 })
    const jwk = pair.publicKey.export({ format: 'jwk' })
    const part = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url')
    this.#private = pair.privateKey
    this.#hash = kind === 'ed' ? null : 'sha256'
    this.#cose = cbor(
      new Map<number, unknown>(
        kind === 'ec'
          ? [
              [1, 2],
              [3, -7],
              [-1, 1],
              [-2, part(jwk.x)],
              [-3, part(jwk.y)],
            ]
          : kind === 'ed'
            ? [
                [1, 1],
                [3, -8],
                [-1, 6],
                [-2, part(jwk.x)],
              ]
            : [
                [1, 3],
                [3, -257],
                [-1, part(jwk.n)],
                [-2, part(jwk.e)],
              ],
      ),
    )
  }
  #client(type: string, challenge: unknown): Buffer {
    return Buffer.from(JSON.stringify({ type: this.type ?? type, challenge, origin: this.origin, crossOrigin: false }))
  }
  #data(flags: number): Buffer {
    const head = Buffer.alloc(5)
    head[0] = flags
    head.writeUInt32BE(this.counter, 1)
    return Buffer.concat([sha(this.rpId), head])
  }
  make(options: Readonly<Record<string, unknown>>) {
    this.handle = (options.user as { id: string }).id
    const length = Buffer.from([0, this.id.length])
    const authData = Buffer.concat([this.#data(this.flags | 0x40), Buffer.alloc(16), length, this.id, this.#cose])
    const object = cbor(
      new Map<string, unknown>([
        ['fmt', 'none'],
        ['attStmt', new Map()],
        ['authData', authData],
      ]),
    )
    return {
      id: this.id.toString('base64url'),
      clientDataJSON: this.#client('webauthn.create', options.challenge).toString('base64url'),
      attestationObject: object.toString('base64url'),
    }
  }
  show(options: Readonly<Record<string, unknown>>) {
    const data = this.#data(this.flags)
    const client = this.#client('webauthn.get', options.challenge)
    return {
      id: this.id.toString('base64url'),
      clientDataJSON: client.toString('base64url'),
      authenticatorData: data.toString('base64url'),
      signature: sign(this.#hash, Buffer.concat([data, sha(client)]), this.#private).toString('base64url'),
      userHandle: this.handle,
    }
  }
}

async function room(t: TestContext) {
  const time = { ahead: 0 }
  const clock = { now: () => Date.now() + time.ahead, monotonic: () => systemClock.monotonic() }
  const directory = openDirectory({ file: ':memory:', hashCost: { memory: 64, passes: 1 } })
  t.after(() => directory.close())
  await directory.addDomain('example.com', 'Authoritative')
  const service = openMemoryStore({ clock: systemClock })
  const people: Principal[] = []
  for (const name of ['bob', 'eve']) {
    const entry = await directory.addMailbox({ address: `${name}@example.com`, password: 'one two three' })
    await service.create(entry.mailbox, { language: 'en', quota: undefined, database: entry.database })
    const { account, address, displayName, mailbox, language } = entry
    people.push({ account, address, displayName, mailbox, language, protocol: 'web', appPassword: undefined })
  }
  const passkeys = new Passkeys({ service, directory, clock, log: silentLog })
  const [bob, eve] = people as [Principal, Principal]
  return { passkeys, bob, eve, directory, time }
}

test('a passkey is made in a session and signs its owner in, with every algorithm', async (t) => {
  const { passkeys, bob } = await room(t)
  for (const kind of ['ec', 'ed', 'rsa'] as const) {
    const device = new Device(kind)
    const options = await passkeys.begin(bob, 'session', PLACE)
    assert.ok(await passkeys.finish(bob, 'session', PLACE, device.make(options), ` My ${kind}\u0007 key `))
    device.counter++
    const entry = await passkeys.signIn('form', PLACE, device.show(passkeys.ask('form', PLACE)))
    assert.equal(entry?.account, bob.account, kind)
  }
  const list = await passkeys.list(bob)
  assert.deepEqual(
    list.map(({ name }) => name),
    ['My ec key', 'My ed key', 'My rsa key'],
  )
  assert.ok(list.every(({ lastUsed }) => lastUsed !== undefined))
  assert.ok(await passkeys.rename(bob, list[0]?.id ?? '', 'Phone'))
  assert.ok(await passkeys.remove(bob, list[1]?.id ?? ''))
  assert.deepEqual(
    (await passkeys.list(bob)).map(({ name }) => name),
    ['Phone', 'My rsa key'],
  )
})

test('a challenge is good once, for its session, its purpose, five minutes', async (t) => {
  const { passkeys, bob, time } = await room(t)
  const device = new Device('ec')
  const make = async (session: string) => device.make(await passkeys.begin(bob, session, PLACE))
  assert.equal(await passkeys.finish(bob, 'other session', PLACE, await make('session'), 'x'), undefined)
  assert.equal(
    await passkeys.finish(
      bob,
      'session',
      PLACE,
      device.make({ ...(await passkeys.begin(bob, 'session', PLACE)), ...passkeys.ask('session', PLACE) }),
      'x',
    ),
    undefined,
    'one of signing in makes no key',
  )
  const late = await make('session')
  time.ahead = 5 * 60_000 + 1
  assert.equal(await passkeys.finish(bob, 'session', PLACE, late, 'x'), undefined)
  assert.ok(await passkeys.finish(bob, 'session', PLACE, await make('session'), 'x'))
  device.counter = 1
  const shown = device.show(passkeys.ask('form', PLACE))
  assert.equal(await passkeys.signIn('other form', PLACE, shown), undefined)
  assert.ok(await passkeys.signIn('form', PLACE, shown))
  assert.equal(await passkeys.signIn('form', PLACE, shown), undefined, 'shown again')
  device.counter = 2
  const forged = device.show({ challenge: randomBytes(38).toString('base64url') })
  assert.equal(await passkeys.signIn('form', PLACE, forged), undefined)
})

test('origin, relying party, user verification, type, signature, counter, user: each must be right', async (t) => {
  const { passkeys, bob, eve, directory } = await room(t)
  const device = new Device('ec')
  for (const wrong of [
    { origin: 'https://evil.example' },
    { rpId: 'evil.example' },
    { flags: 0x01 },
    { flags: 0x04 },
    { type: 'webauthn.get' },
  ]) {
    const bad = new Device('ec')
    Object.assign(bad, wrong)
    const options = await passkeys.begin(bob, 'session', PLACE)
    assert.equal(await passkeys.finish(bob, 'session', PLACE, bad.make(options), 'x'), undefined, JSON.stringify(wrong))
  }
  const options = await passkeys.begin(bob, 'session', PLACE)
  assert.ok(await passkeys.finish(bob, 'session', PLACE, device.make(options), 'x'))
  assert.deepEqual((await passkeys.begin(bob, 'session', PLACE)).excludeCredentials, [
    { type: 'public-key', id: device.id.toString('base64url') },
  ])
  const signIn = (shown: ReturnType<Device['show']>, place = PLACE) => passkeys.signIn('form', place, shown)
  const show = (change: object = {}): ReturnType<Device['show']> => {
    const before = {
      origin: device.origin,
      rpId: device.rpId,
      flags: device.flags,
      type: device.type,
      counter: device.counter,
    }
    Object.assign(device, change)
    const shown = device.show(passkeys.ask('form', PLACE))
    Object.assign(device, before)
    return shown
  }
  device.counter = 5
  assert.ok(await signIn(show()))
  for (const wrong of [
    { origin: 'https://evil.example', counter: 6 },
    { rpId: 'evil.example', counter: 6 },
    { flags: 0x01, counter: 6 },
    { type: 'webauthn.create', counter: 6 },
    { counter: 5 },
    { counter: 0 },
  ])
    assert.equal(await signIn(show(wrong)), undefined, JSON.stringify(wrong))
  device.counter = 6
  const other = { rpId: 'other.example.com', origins: ['https://mail.example.com'] }
  assert.equal(await signIn(show(), other), undefined, 'of another name of this server')
  assert.equal(await signIn({ ...show(), signature: Buffer.alloc(70).toString('base64url') }), undefined)
  const eves = (await passkeys.begin(eve, 'session', PLACE)).user as { id: string }
  assert.equal(await signIn({ ...show(), userHandle: eves.id }), undefined, 'another user’s handle')
  assert.equal(await signIn({ ...show(), userHandle: randomBytes(22).toString('base64url') }), undefined)
  await directory.updateMailbox(bob.account, { protocols: { web: false } })
  assert.equal(await signIn(show()), undefined, 'the web is switched off for him')
  await directory.updateMailbox(bob.account, { protocols: { web: true } })
  assert.ok(await signIn(show()))
})

test('what is asked for signing in says nothing of anybody', async (t) => {
  const { passkeys } = await room(t)
  const { challenge, ...rest } = passkeys.ask('form', PLACE)
  const { challenge: next, ...again } = passkeys.ask('other', PLACE)
  assert.deepEqual(rest, again)
  assert.notEqual(challenge, next)
  assert.deepEqual(rest.allowCredentials, [])
})

test('passkeys are for names, not for addresses; a proxy’s outside origin counts', () => {
  assert.equal(placeOf('192.0.2.1:443', ''), undefined)
  assert.equal(placeOf('[2001:db8::1]', ''), undefined)
  assert.equal(placeOf(undefined, ''), undefined)
  assert.deepEqual(placeOf('Mail.Example.com:8443', ''), {
    rpId: 'mail.example.com',
    origins: ['https://mail.example.com:8443'],
  })
  assert.deepEqual(placeOf('mail.example.com:8443', 'https://mail.example.com/'), {
    rpId: 'mail.example.com',
    origins: ['https://mail.example.com:8443', 'https://mail.example.com'],
  })
  assert.deepEqual(placeOf('mail.example.com', 'https://other.example.com/')?.origins, ['https://mail.example.com'])
})

test('CBOR: what is cut off, too deep, or of indefinite length is no value', () => {
  const whole = cbor(new Map<string, unknown>([['a', new Map([[1, Buffer.from('bytes')]])]]))
  assert.ok(readCbor(whole)?.value instanceof Map)
  for (let length = 0; length < whole.length; length++) assert.equal(readCbor(whole.subarray(0, length)), undefined)
  assert.equal(readCbor(Buffer.alloc(100, 0x81)), undefined)
  assert.equal(readCbor(Buffer.from('5fff', 'hex')), undefined)
  assert.equal(readCbor(Buffer.from('a2010102', 'hex')), undefined)
  assert.equal(readCbor(Buffer.from('a201010102', 'hex')), undefined, 'a key twice')
  assert.equal(readCbor(Buffer.from('9a7fffffff', 'hex')), undefined)
})
