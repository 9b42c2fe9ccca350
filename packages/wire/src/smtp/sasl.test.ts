import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeSasl, type SaslMechanism, saslMechanisms, saslServer } from './index.ts'

const plain = (text: string) => saslServer('PLAIN').start(Buffer.from(text))

test('RFC 4616: PLAIN with and without initial response; another identity is refused', () => {
  assert.deepEqual(plain('\0bob\0secret'), { kind: 'password', login: 'bob', password: 'secret' })
  assert.deepEqual(plain('Bob\0bob\0pass word'), { kind: 'password', login: 'bob', password: 'pass word' })
  assert.equal(saslServer('PLAIN').start(undefined).kind, 'challenge')
  for (const bad of ['', 'bob', 'alice\0bob\0x', '\0\0x', '\0bob\0', '\0a\0b\0c'])
    assert.equal(plain(bad).kind, 'malformed', bad)
})

test('LOGIN asks name and password; an initial response is the name', () => {
  const server = saslServer('LOGIN')
  assert.deepEqual(server.start(undefined), { kind: 'challenge', data: Buffer.from('Username:') })
  assert.deepEqual(server.respond(Buffer.from('bob')), { kind: 'challenge', data: Buffer.from('Password:') })
  assert.deepEqual(server.respond(Buffer.from('pw')), { kind: 'password', login: 'bob', password: 'pw' })
  const other = saslServer('LOGIN')
  assert.equal(other.start(Buffer.from('bob')).kind, 'challenge')
  assert.equal(other.respond(Buffer.from('pw')).kind, 'password')
})

test('RFC 7677 §3: the SCRAM-SHA-256 example, byte for byte', () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  const salted = pbkdf2Sync('pencil', salt, 4096, 32, 'sha256')
  const mac = (key: Buffer, text: string) => createHmac('sha256', key).update(text).digest()
  const storedKey = createHash('sha256').update(mac(salted, 'Client Key')).digest()
  const keys = { salt, iterations: 4096, storedKey, serverKey: mac(salted, 'Server Key') }
  const run = (final: string) => {
    const server = saslServer('SCRAM-SHA-256', () => '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0')
    assert.deepEqual(server.start(Buffer.from('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')), { kind: 'keys', login: 'user' })
    const first = server.keys(keys)
    assert.ok(first.kind === 'challenge')
    assert.equal(
      first.data.toString(),
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    )
    return server.respond(Buffer.from(final))
  }
  const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0'
  const good = run(`c=biws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`)
  assert.deepEqual(good, {
    kind: 'proof',
    login: 'user',
    valid: true,
    serverFinal: Buffer.from('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='),
  })
  const wrong = run(`c=biws,r=${nonce},p=${Buffer.alloc(32).toString('base64')}`)
  assert.ok(wrong.kind === 'proof' && !wrong.valid)
  assert.equal(run(`c=biws,r=${nonce}x,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`).kind, 'malformed')
  // "c=" must repeat the header: a man in the middle may not change it.
  assert.equal(run(`c=eSws,r=${nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`).kind, 'malformed')
})

test('P16: improper base64 is told apart from an empty response', () => {
  assert.deepEqual(decodeSasl('='), Buffer.alloc(0))
  assert.deepEqual(decodeSasl('AGI='), Buffer.from('\0b'))
  for (const bad of ['A', 'A===', '*', 'AA=A', 'AAAA=']) assert.equal(decodeSasl(bad), undefined, bad)
})

test('P5: any bytes in any mechanism end in a step', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<SaslMechanism>(...saslMechanisms),
      fc.array(fc.uint8Array({ maxLength: 60 })),
      (mechanism, answers) => {
        const server = saslServer(mechanism)
        let step = server.start(undefined)
        for (const answer of answers) {
          if (step.kind === 'keys')
            step = server.keys({
              salt: Buffer.alloc(8),
              iterations: 1,
              storedKey: Buffer.alloc(32),
              serverKey: Buffer.alloc(32),
            })
          else step = server.respond(Buffer.from(answer))
          assert.equal(typeof step.kind, 'string')
        }
      },
    ),
    { numRuns: 500 },
  )
})
