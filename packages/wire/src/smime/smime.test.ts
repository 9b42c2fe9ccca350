/** Our S/MIME against OpenSSL's, both ways, and against hostile bytes. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { Authority, type Holder, withoutOpenssl } from '@postrider/testkit/smime'
import fc from 'fast-check'
import {
  believesIn,
  type Certificate,
  checkSigned,
  decrypt,
  encrypt,
  encryptionCertificate,
  judge,
  openKey,
  type OwnKey,
  readCertificates,
  readKeyFile,
  readSigned,
  signDetached,
  SmimeError,
  TrustList,
  type Verdict,
} from './index.ts'

const skip = withoutOpenssl
const text = 'Content-Type: text/plain\r\n\r\nThe plan stands.\r\n'
const bytes = (of: string | Uint8Array): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(of as string))
const ADA = 'ada@example.com'
const day = 86_400_000

interface Stage {
  readonly authority: Authority
  readonly stranger: Authority
  readonly below: Authority
  readonly ada: Holder
  readonly curve: Holder
  readonly trust: TrustList
}
let made: Stage | undefined
function stage(): Stage {
  if (made === undefined) {
    const authority = new Authority()
    made = {
      authority,
      stranger: new Authority('Unknown Authority'),
      below: new Authority('Example Below', authority),
      ada: authority.issue('Ada', ADA, { kind: 'rsa' }),
      curve: authority.issue('Ada', ADA, { kind: 'P-256' }),
      trust: new TrustList(certificatesOf(authority.certificate)),
    }
  }
  return made
}
after(() => {
  if (made !== undefined) for (const one of [made.authority, made.stranger, made.below]) one[Symbol.dispose]()
})
const certificatesOf = (path: string): Certificate[] => readCertificates(readFileSync(path))
const certificateOf = (path: string): Certificate => certificatesOf(path)[0] as Certificate

async function verdict(
  signature: Uint8Array,
  content: Uint8Array<ArrayBuffer> | undefined,
  { from = ADA, at = Date.now() + 60_000 }: { readonly from?: string; readonly at?: number } = {},
): Promise<Verdict> {
  const found = await checkSigned(readSigned(signature), content)
  return judge(found, { from: [from], at, believes: believesIn(stage().trust) })
}
const keyOf = async (one: Holder): Promise<OwnKey> =>
  openKey(await readKeyFile(stage().authority.keyFile(one, 'secret'), 'secret'))

test('R58: what OpenSSL signed is believed: RSA, ECDSA, PSS, SHA-2, detached, opaque, in pieces, by key id', {
  skip,
}, async () => {
  const { authority, ada, curve, below } = stage()
  const p384 = authority.issue('Ada', ADA, { kind: 'P-384' })
  const p521 = authority.issue('Ada', ADA, { kind: 'P-521' })
  const deep = below.issue('Ada', ADA, {
    extensions: ['extendedKeyUsage=emailProtection', 'keyUsage=digitalSignature'],
  })
  const cases: readonly (readonly [string, Authority, Holder, ...string[]])[] = [
    ['RSA', authority, ada],
    ['RSA, SHA-384', authority, ada, '-md', 'sha384'],
    ['RSA, SHA-512', authority, ada, '-md', 'sha512'],
    ['RSA-PSS', authority, ada, '-keyopt', 'rsa_padding_mode:pss'],
    ['no attributes', authority, ada, '-noattr'],
    ['by key id', authority, ada, '-keyid'],
    ['P-256', authority, curve],
    ['P-384', authority, p384, '-md', 'sha384'],
    ['P-521', authority, p521, '-md', 'sha512'],
    ['an authority between', below, deep],
  ]
  for (const [name, by, who, ...options] of cases)
    for (const how of [[], ['-nodetach'], ['-nodetach', '-stream']]) {
      // OpenSSL makes no such signature in pieces.
      if (name === 'RSA-PSS' && how.includes('-stream')) continue
      const signature = by.sign(who, bytes(text), '-binary', '-outform', 'DER', ...how, ...options)
      const { status, faults, signer } = await verdict(signature, how.length === 0 ? bytes(text) : undefined)
      assert.equal(status, 'valid', `${name} ${how.join(' ')}: ${faults.join()}`)
      assert.deepEqual(signer?.addresses, [ADA])
      if (how.length > 0) assert.equal(Buffer.from(readSigned(signature).content ?? '').toString(), text, name)
    }
})

test('R58: changed, expired, not yet, another address, unknown issuer, wrong use, SHA-1: each is said', {
  skip,
}, async () => {
  const { authority, stranger, ada } = stage()
  const sign = (who: Holder, by = authority, ...more: string[]): Buffer =>
    by.sign(who, bytes(text), '-binary', '-outform', 'DER', ...more)
  const good = sign(ada)
  const says = async (found: Promise<Verdict>): Promise<string> => {
    const { status, faults } = await found
    return [status, ...faults].join(' ')
  }
  assert.equal(await says(verdict(good, bytes(text.replace('stands', 'falls')))), 'changed changed')
  const bent = Buffer.from(good)
  bent[bent.length - 20] = (bent[bent.length - 20] as number) ^ 1
  assert.equal(await says(verdict(bent, bytes(text))), 'changed changed')
  assert.equal(await says(verdict(good, bytes(text), { at: Date.now() + 40 * day })), 'untrusted expired')
  assert.equal(await says(verdict(good, bytes(text), { at: Date.now() - 40 * day })), 'untrusted notYet')
  assert.equal(await says(verdict(good, bytes(text), { from: 'eve@example.com' })), 'address address')
  const unknown = stranger.issue('Ada', ADA)
  assert.equal(await says(verdict(sign(unknown, stranger), bytes(text))), 'untrusted unknownIssuer')
  const server = authority.issue('Ada', ADA, { extensions: ['extendedKeyUsage=serverAuth'] })
  assert.equal(await says(verdict(sign(server), bytes(text))), 'untrusted usage')
  const enciphers = authority.issue('Ada', ADA, { extensions: ['keyUsage=keyEncipherment'] })
  assert.equal(await says(verdict(sign(enciphers), bytes(text))), 'untrusted usage')
  const strange = authority.issue('Ada', ADA, { extensions: ['1.2.3.4=critical,ASN1:NULL'] })
  assert.equal(await says(verdict(sign(strange), bytes(text))), 'untrusted usage')
  assert.equal(await says(verdict(sign(ada, authority, '-md', 'sha1'), bytes(text))), 'untrusted weak')
  assert.equal(await says(verdict(sign(ada, authority, '-nocerts'), bytes(text))), 'unreadable noCertificate')
})

test('RFC 5280 §6.1: nobody issues who may not', { skip }, async () => {
  const { authority, ada } = stage()
  // An ordinary certificate as an authority.
  const forged = issuedBy(authority, ada, 'Mallory')
  const signature = authority.run(
    'cms',
    '-sign',
    '-in',
    authority.file(bytes(text)),
    '-binary',
    '-outform',
    'DER',
    '-signer',
    forged.certificate,
    '-inkey',
    forged.key,
    '-certfile',
    ada.certificate,
  )
  const { status, faults } = await verdict(signature, bytes(text))
  assert.deepEqual([status, ...faults], ['untrusted', 'unknownIssuer'])
  for (const [constraint, expected] of [
    ['nameConstraints=critical,permitted;email:other.example', 'unknownIssuer'],
    ['nameConstraints=critical,excluded;email:example.com', 'unknownIssuer'],
    ['nameConstraints=critical,permitted;email:example.com', ''],
  ] as const) {
    const issuer = authority.issue('Constrained', '', {
      extensions: ['basicConstraints=critical,CA:TRUE', 'keyUsage=keyCertSign', constraint],
    })
    const leaf = issuedBy(authority, issuer, 'Ada')
    const made = authority.run(
      'cms',
      '-sign',
      '-in',
      authority.file(bytes(text)),
      '-binary',
      '-outform',
      'DER',
      '-signer',
      leaf.certificate,
      '-inkey',
      leaf.key,
      '-certfile',
      issuer.certificate,
    )
    assert.equal((await verdict(made, bytes(text))).faults.join(), expected, constraint)
  }
})
/** A certificate for Ada that this one has issued, rightly or not. */
function issuedBy(by: Authority, issuer: Holder, name: string): Holder {
  const [key, request, certificate] = ['key', 'csr', 'pem'].map((one) => by.file('') + one) as [string, string, string]
  by.run(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    key,
    '-out',
    request,
    '-subj',
    `/CN=${name}`,
  )
  const extensions = by.file(`subjectAltName=email:${ADA}\n`)
  by.run(
    'x509',
    '-req',
    '-in',
    request,
    '-CA',
    issuer.certificate,
    '-CAkey',
    issuer.key,
    '-set_serial',
    '77',
    '-days',
    '9',
    '-out',
    certificate,
    '-extfile',
    extensions,
  )
  return { address: ADA, key, certificate }
}

test('a key file opens with its password, and with no other', { skip }, async () => {
  const { authority, ada, curve } = stage()
  for (const one of [ada, curve]) {
    const found = await readKeyFile(authority.keyFile(one, 'pässword ✓'), 'pässword ✓')
    assert.deepEqual(found.certificate.addresses, [ADA])
    assert.equal(found.others.length, 1)
    await assert.rejects(readKeyFile(authority.keyFile(one, 'right'), 'wrong'), { problem: 'wrongPassword' })
  }
  const bare = authority.keyFile(ada, 'x', '-keypbe', 'NONE', '-certpbe', 'AES-128-CBC', '-macalg', 'SHA384')
  assert.equal((await readKeyFile(bare, 'x')).others.length, 1)
})

test('R58: what OpenSSL encrypted is opened: RSA, OAEP, agreement, CBC, GCM, in pieces, many recipients', {
  skip,
}, async () => {
  const { authority, ada, curve } = stage()
  const others = [
    authority.issue('Bob', 'bob@example.com'),
    authority.issue('Eve', 'eve@example.com', { kind: 'P-384' }),
  ]
  const rsa = await keyOf(ada)
  const ec = await keyOf(curve)
  const cases: readonly (readonly [OwnKey, Holder, ...string[]])[] = [
    [rsa, ada, '-aes-128-cbc'],
    [rsa, ada, '-aes-256-cbc', '-stream'],
    [rsa, ada, '-aes-256-gcm'],
    [rsa, ada, '-aes-128-gcm', '-keyid'],
    [ec, curve, '-aes-256-cbc'],
    [ec, curve, '-aes-128-gcm', '-keyid'],
  ]
  for (const [key, who, ...options] of cases) {
    const sealed = authority.encrypt([...others, who], bytes(text), '-binary', '-outform', 'DER', ...options)
    const { content, authenticated } = await decrypt(sealed, [key])
    assert.equal(Buffer.from(content).toString(), text, options.join(' '))
    assert.equal(
      authenticated,
      options.some((one) => one.endsWith('gcm')),
    )
    const bent = Buffer.from(sealed)
    if (authenticated) {
      bent[bent.length - 3] = (bent[bent.length - 3] as number) ^ 1
      await assert.rejects(decrypt(bent, [key]), { problem: 'changed' })
    }
    await assert.rejects(
      decrypt(authority.encrypt(others, bytes(text), '-binary', '-outform', 'DER', '-aes-256-cbc'), [key]),
      {
        problem: 'notForMe',
      },
    )
  }
  for (const md of ['sha1', 'sha256']) {
    const sealed = authority.run(
      'cms',
      '-encrypt',
      '-in',
      authority.file(bytes(text)),
      '-binary',
      '-outform',
      'DER',
      '-aes-256-cbc',
      '-recip',
      ada.certificate,
      '-keyopt',
      'rsa_padding_mode:oaep',
      '-keyopt',
      `rsa_oaep_md:${md}`,
    )
    assert.equal(Buffer.from((await decrypt(sealed, [rsa])).content).toString(), text, md)
  }
})

test('R58: what we sign and encrypt OpenSSL believes and opens', { skip }, async () => {
  const { authority, ada, curve } = stage()
  for (const who of [
    ada,
    curve,
    authority.issue('Ada', ADA, { kind: 'P-384' }),
    authority.issue('Ada', ADA, { kind: 'P-521' }),
  ]) {
    const key = await keyOf(who)
    const signature = await signDetached(bytes(text), key, Date.now() + 1_000)
    const read = authority.run(
      'cms',
      '-verify',
      '-binary',
      '-inform',
      'DER',
      '-in',
      authority.file(signature),
      '-content',
      authority.file(text),
      '-CAfile',
      authority.certificate,
    )
    assert.equal(read.toString(), text)
    assert.equal((await verdict(signature, bytes(text))).status, 'valid')
    const bob = authority.issue('Bob', 'bob@example.com')
    const sealed = await encrypt(bytes(text), [certificateOf(bob.certificate), certificateOf(who.certificate)])
    for (const one of [bob, who])
      assert.equal(authority.decrypt(one, sealed, '-inform', 'DER', '-binary').toString(), text)
    assert.equal(Buffer.from((await decrypt(sealed, [key])).content).toString(), text)
    const found = encryptionCertificate(await checkSigned(readSigned(signature), bytes(text)), Date.now() + 60_000)
    assert.deepEqual(found?.bytes, certificateOf(who.certificate).bytes)
  }
})

test('hostile bytes end in an error of ours, soon: cut, bent, nested, made up', { skip, timeout: 60_000 }, async () => {
  const { authority, ada } = stage()
  const key = await keyOf(ada)
  const signed = authority.sign(ada, bytes(text), '-binary', '-outform', 'DER', '-nodetach')
  const sealed = authority.encrypt([ada], bytes(text), '-binary', '-outform', 'DER', '-aes-256-gcm')
  const file = authority.keyFile(ada, 'x', '-iter', '10')
  const survives = async (input: Uint8Array): Promise<void> => {
    const own = (error: unknown): void => assert.ok(error instanceof SmimeError, String(error))
    try {
      const one = readSigned(input)
      await judge(await checkSigned(one, undefined), {
        from: [ADA],
        at: Date.now(),
        believes: believesIn(stage().trust),
      })
    } catch (error) {
      own(error)
    }
    await decrypt(input, [key]).catch(own)
    await readKeyFile(input, 'x').catch(own)
  }
  for (const whole of [signed, sealed, file])
    for (let at = 1; at < whole.length; at += Math.ceil(whole.length / 40)) await survives(whole.subarray(0, at))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(signed, sealed, file),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      async (whole, changes) => {
        const bent = Buffer.from(whole)
        for (const [at, octet] of changes) bent[at % bent.length] = octet
        await survives(bent)
      },
    ),
    { numRuns: 120 },
  )
  await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: 60 })
  for (const octet of [0x30, 0x24, 0xa0, 0x05]) {
    await survives(Buffer.alloc(1024 * 1024, octet))
    await survives(Buffer.alloc(1024 * 1024, Buffer.from([octet, 0x80])))
  }
})
