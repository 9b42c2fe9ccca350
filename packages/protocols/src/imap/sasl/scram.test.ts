import assert from 'node:assert/strict'
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseScramFirst, ScramExchange } from './scram.ts'

const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
const salted = pbkdf2Sync('pencil', salt, 4096, 32, 'sha256')
const clientKey = createHmac('sha256', salted).update('Client Key').digest()
const keys = {
  salt,
  iterations: 4096,
  storedKey: createHash('sha256').update(clientKey).digest(),
  serverKey: createHmac('sha256', salted).update('Server Key').digest(),
}

test('RFC 7677 §3: the example exchange', () => {
  const first = parseScramFirst('n,,n=user,r=rOprNGfwEbeRWgbNEkqO')
  assert.ok(first)
  assert.equal(first.login, 'user')
  const exchange = new ScramExchange(first, keys, '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0')
  assert.equal(
    exchange.serverFirst,
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  )
  const final = 'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p='
  assert.equal(
    exchange.finish(`${final}dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`),
    'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
  )
  assert.equal(exchange.finish(`${final}AAzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`), undefined, 'wrong proof')
  assert.equal(exchange.finish(`${final}AAAA`), undefined, 'short proof')
  assert.equal(
    exchange.finish(`${final.replace('biws', 'eSws')}dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`),
    undefined,
    'other gs2 header',
  )
})

test('RFC 5802 §5.1: names, and what is refused', () => {
  assert.equal(parseScramFirst('y,a=x,n=a=2Cb=3Dc,r=1')?.login, 'a,b=c')
  for (const wrong of [
    'p=tls-unique,,n=a,r=1',
    'n,,n=a=b,r=1',
    'n,,m=x,n=a,r=1',
    'n,n=a,r=1',
    '',
    'n,,n=,r=1',
    'n,,n=a,r=',
  ]) {
    assert.equal(parseScramFirst(wrong), undefined, wrong)
  }
})

test('P5: no text breaks it', () => {
  const first = parseScramFirst('n,,n=u,r=1')
  assert.ok(first)
  fc.assert(
    fc.property(fc.string(), (text) => {
      parseScramFirst(text)
      assert.equal(new ScramExchange(first, keys).finish(text), undefined)
    }),
  )
})
