import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Authority, withoutOpenssl } from '@postrider/testkit/smime'
import { believesIn, readCertificates, TrustList } from '@postrider/wire/smime'
import { mail, Room } from './room.ts'

const skip = withoutOpenssl
const CAROL = 'carol@example.net'
const body = 'Content-Type: text/plain; charset=utf-8\r\n\r\nThe plan stands.\r\n'
const head = (from = CAROL, subject = 'Plan'): string =>
  `From: Carol <${from}>\r\nTo: Alice <alice@example.com>\r\nSubject: ${subject}\r\nMessage-ID: <${subject}@example.net>\r\n`
const whole = (signed: Uint8Array, from?: string, subject?: string): Buffer =>
  Buffer.concat([
    Buffer.from(head(from, subject)),
    Buffer.from(Buffer.from(signed).toString('latin1').replace(/\r?\n/g, '\r\n'), 'latin1'),
  ])
const properties = ['smimeStatus', 'smimeStatusAtDelivery', 'smimeErrors', 'smimeVerifiedAt', 'smime']

test('R58, RFC 9219 §4: signed mail is verified: clear and opaque; changed, unknown, for another address; filters', {
  skip,
}, async (t) => {
  const authority = new Authority()
  const stranger = new Authority('Nobody')
  t.after(() => authority[Symbol.dispose]())
  t.after(() => stranger[Symbol.dispose]())
  await using room = await Room.open()
  const trust = believesIn(new TrustList(readCertificates(readFileSync(authority.certificate))))
  room.believes = () => trust
  const carol = authority.issue('Carol', CAROL)
  const unknown = stranger.issue('Carol', CAROL)
  const clear = whole(authority.sign(carol, body), CAROL, 'clear')
  const received = Date.now() + 1_000
  const put = async (bytes: Uint8Array | string): Promise<string> => (await room.deliver(bytes, { received })).id
  const ids = {
    clear: await put(clear),
    opaque: await put(whole(authority.sign(carol, body, '-nodetach'), CAROL, 'opaque')),
    changed: await put(Buffer.from(clear.toString('latin1').replace('plan stands', 'plan falls '), 'latin1')),
    unknown: await put(whole(stranger.sign(unknown, body), CAROL, 'unknown')),
    address: await put(whole(authority.sign(carol, body), 'eve@example.net', 'address')),
    sealed: await put(whole(authority.encrypt([carol], body, '-aes-256-cbc'), CAROL, 'sealed')),
    wrapped: await put(
      whole(authority.sign(carol, authority.encrypt([carol], body, '-aes-256-cbc')), CAROL, 'wrapped'),
    ),
    broken: await put(
      `${head()}MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB\r\n`,
    ),
    plain: await put(mail('plain')),
    pgp: await put(
      `${head()}Content-Type: multipart/signed; protocol="application/pgp-signature"; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n`,
    ),
    // A signature around a part only: what stands beside it was signed by nobody.
    part: await put(
      `${head()}MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nPay at once.\r\n--b\r\n${authority.sign(carol, body).toString('latin1').replace(/\r?\n/g, '\r\n')}\r\n--b--\r\n`,
    ),
  }
  const client = await room.client()
  const { list } = await client.call('Email/get', { ids: Object.values(ids), properties })
  const found = new Map(list.map((one: { id: string }) => [one.id, one]))
  const of = (name: keyof typeof ids) => found.get(ids[name]) as Found
  assert.equal(of('clear').smimeStatus, 'signed/verified')
  assert.equal(of('clear').smimeStatusAtDelivery, 'signed/verified')
  assert.equal(of('clear').smimeErrors, null)
  assert.match(of('clear').smimeVerifiedAt as string, /^\d{4}-.*Z$/)
  assert.equal(of('clear').smime?.kind, 'clear')
  assert.equal(of('clear').smime?.status, 'valid')
  assert.equal(of('clear').smime?.signer?.name, 'Carol')
  assert.deepEqual(of('clear').smime?.signer?.addresses, [CAROL])
  assert.ok((of('clear').smime?.encryptTo ?? '').length > 100)
  assert.equal(of('opaque').smimeStatus, 'signed/verified')
  assert.equal(of('opaque').smime?.kind, 'opaque')
  const fault = (name: keyof typeof ids) => [
    of(name).smimeStatus,
    of(name).smime?.status,
    ...(of(name).smime?.faults ?? []),
  ]
  assert.deepEqual(fault('changed'), ['signed/failed', 'changed', 'changed'])
  assert.deepEqual(fault('unknown'), ['signed/failed', 'untrusted', 'unknownIssuer'])
  assert.deepEqual(fault('address'), ['signed/failed', 'address', 'address'])
  assert.deepEqual(fault('broken'), ['signed/failed', 'unreadable', 'unreadable'])
  assert.deepEqual(of('unknown').smimeErrors, ['The certificate was issued by nobody who is trusted here.'])
  assert.equal(of('unknown').smime?.encryptTo, null, 'nobody encrypts for a certificate nobody believes')
  assert.deepEqual([of('sealed').smimeStatus, of('sealed').smime?.kind], [null, 'encrypted'])
  assert.deepEqual([of('wrapped').smimeStatus, of('wrapped').smime?.kind], ['signed/verified', 'encrypted'])
  for (const name of ['plain', 'pgp', 'part'] as const)
    assert.deepEqual([of(name).smimeStatus, of(name).smime], [null, null], name)
  const query = async (filter: object): Promise<string[]> => {
    const { ids: answer } = await client.call('Email/query', { filter })
    return Object.entries(ids).flatMap(([name, id]) => (answer.includes(id) ? [name] : []))
  }
  assert.deepEqual(await query({ hasSmime: true }), [
    'clear',
    'opaque',
    'changed',
    'unknown',
    'address',
    'wrapped',
    'broken',
  ])
  assert.deepEqual(await query({ hasVerifiedSmime: true }), ['clear', 'opaque', 'wrapped'])
  assert.deepEqual(await query({ hasVerifiedSmimeAtDelivery: true, subject: 'opaque' }), ['opaque'])
  assert.deepEqual(await query({ from: `"${CAROL}"`, hasVerifiedSmimeAtDelivery: true }), [
    'clear',
    'opaque',
    'wrapped',
  ])
  assert.deepEqual(await query({ hasSmime: false }), ['sealed', 'plain', 'pgp', 'part'])
  assert.ok('urn:ietf:params:jmap:smimeverify' in (client.session.capabilities as object))
})

interface Found {
  readonly smimeStatus: string | null
  readonly smimeStatusAtDelivery: string | null
  readonly smimeErrors: readonly string[] | null
  readonly smimeVerifiedAt: string | null
  readonly smime: {
    readonly kind: string
    readonly status: string | null
    readonly faults: readonly string[]
    readonly signer: { readonly name: string; readonly addresses: readonly string[] } | null
    readonly encryptTo: string | null
  } | null
}

test('Certificate/check: whether the signer of a mail only its reader can open is believed', { skip }, async (t) => {
  const authority = new Authority()
  t.after(() => authority[Symbol.dispose]())
  await using room = await Room.open()
  const trust = believesIn(new TrustList(readCertificates(readFileSync(authority.certificate))))
  const certificate = readCertificates(readFileSync(authority.issue('Carol', CAROL).certificate))[0]
  const certificates = [Buffer.from(certificate?.bytes ?? []).toString('base64')]
  const client = await room.client()
  const check = async (args: object) => (await client.call('Certificate/check', { certificates, ...args })).fault
  assert.equal(await check({}), 'unknownIssuer')
  room.believes = () => trust
  assert.equal(await check({ at: new Date(Date.now() + 60_000).toISOString().replace(/\.\d+/, '') }), null)
  assert.equal(await check({ at: '2020-01-01T00:00:00Z' }), 'notYet')
  assert.equal(await check({ certificates: ['AAAA'] }), 'unreadable')
})
