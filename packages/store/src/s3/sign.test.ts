import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { EMPTY_HASH, sign, uriEncode } from './sign.ts'

/** The examples of "Authenticating Requests: Using the Authorization Header" (Amazon S3 API reference). */
const key = {
  accessKey: 'AKIAIOSFODNN7EXAMPLE',
  secretKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
}
const now = new Date('2013-05-24T00:00:00Z')
const host = 'examplebucket.s3.amazonaws.com'
const signatureOf = (headers: Record<string, string>) => /Signature=(\w+)$/.exec(headers.authorization ?? '')?.[1]

test('SigV4: the documented GET with a range', () => {
  const signed = sign(
    { method: 'GET', path: '/test.txt', query: [], headers: { host, range: 'bytes=0-9' }, bodyHash: EMPTY_HASH },
    key,
    now,
  )
  assert.equal(signatureOf(signed), 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41')
})

test('SigV4: the documented PUT', () => {
  const headers = { host, date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' }
  const bodyHash = createHash('sha256').update('Welcome to Amazon S3.').digest('hex')
  const signed = sign({ method: 'PUT', path: '/test%24file.text', query: [], headers, bodyHash }, key, now)
  assert.equal(signatureOf(signed), '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd')
})

test('SigV4: the documented list', () => {
  const query = [
    ['prefix', 'J'],
    ['max-keys', '2'],
  ] as const
  const signed = sign({ method: 'GET', path: '/', query, headers: { host }, bodyHash: EMPTY_HASH }, key, now)
  assert.equal(signatureOf(signed), '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7')
})

test('what is not unreserved is encoded', () => {
  assert.equal(uriEncode("a b/c~d-e_f.g!'()*é"), 'a%20b%2Fc~d-e_f.g%21%27%28%29%2A%C3%A9')
})
