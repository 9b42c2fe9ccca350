import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDomainError } from '@postrider/domain'
import { startS3 } from '@postrider/testkit/peers'
import { parseS3Url, S3, type S3Options, showS3Url } from './index.ts'

const options = (url: string): S3Options => parseS3Url(url) as S3Options

test('objects go in and come out whole, in parts, and in lists of several pages', async (t) => {
  await using peer = await startS3()
  const s3 = new S3(options(peer.url))
  t.after(() => s3.close())
  const bytes = randomBytes(3_000_000)
  await s3.put('a/ü & <b>.seg', bytes)
  assert.deepEqual(Buffer.from((await s3.get('a/ü & <b>.seg', { limit: bytes.length })) ?? []), bytes)
  assert.deepEqual(
    Buffer.from((await s3.get('a/ü & <b>.seg', { from: 1_000_001, length: 5 })) ?? []),
    bytes.subarray(1_000_001, 1_000_006),
  )
  assert.equal((await s3.get('a/ü & <b>.seg', { from: 2_999_999, length: 500 }))?.length, 1)
  assert.equal(await s3.size('a/ü & <b>.seg'), bytes.length)
  assert.equal(await s3.get('nothing'), undefined)
  assert.equal(await s3.size('nothing'), undefined)
  const folder = mkdtempSync(join(tmpdir(), 'postrider-s3-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'file'), bytes)
  await s3.put('a/file', { path: join(folder, 'file'), size: 2_500_000 })
  assert.deepEqual(Buffer.from(peer.objects.get('folder/a/file') ?? []), bytes.subarray(0, 2_500_000))
  peer.pageSize = 2
  for (let i = 0; i < 5; i++) await s3.put(`list/${i}`, Buffer.from('x'))
  const keys: string[] = []
  for await (const { key, size } of s3.list('list/')) keys.push(`${key}:${size}`)
  assert.deepEqual(keys, ['list/0:1', 'list/1:1', 'list/2:1', 'list/3:1', 'list/4:1'])
  await s3.remove('list/3')
  await s3.remove('list/3')
  assert.equal(await s3.size('list/3'), undefined)
  await assert.rejects(s3.get('a/file', { limit: 1000 }), (error) => isDomainError(error, 'tooLarge'))
})

test('what fails in passing is tried again: errors, cuts, lost answers', async (t) => {
  await using peer = await startS3()
  const s3 = new S3({ ...options(peer.url), silenceMs: 500 })
  t.after(() => s3.close())
  const bytes = randomBytes(100_000)
  for (const kind of ['error', 'cut', 'lost', 'slow', 'silent'] as const) {
    peer.faults = [{ kind, times: 2 }]
    await s3.put(kind, bytes)
    peer.faults = [{ kind, times: 2 }]
    assert.deepEqual(Buffer.from((await s3.get(kind, { limit: bytes.length })) ?? []), bytes, kind)
  }
})

test('a store that stays away is `unavailable` at the deadline; wrong keys are refused at once', async (t) => {
  await using peer = await startS3()
  peer.faults = [{ kind: 'error' }]
  const s3 = new S3({ ...options(peer.url), deadlineMs: 700 })
  t.after(() => s3.close())
  await assert.rejects(s3.put('x', Buffer.from('x')), (error) => isDomainError(error, 'unavailable'))
  peer.faults = []
  const stranger = new S3({ ...options(peer.url), secretKey: 'guessed' })
  t.after(() => stranger.close())
  await assert.rejects(stranger.put('x', Buffer.from('x')), (error) => isDomainError(error, 'accessDenied'))
  assert.equal(peer.objects.size, 0)
})

test('addresses of buckets', () => {
  assert.deepEqual(parseS3Url('s3://k:s%2Fx@s3.example.com/bucket/a%20b?region=eu-1'), {
    endpoint: 'https://s3.example.com',
    bucket: 'bucket',
    prefix: 'a b/',
    region: 'eu-1',
    pathStyle: true,
    accessKey: 'k',
    secretKey: 's/x',
  })
  const other = parseS3Url('s3://host.example.com:9000/bucket?style=host&tls=off', { accessKey: 'a', secretKey: 'b' })
  assert.deepEqual(
    [other?.endpoint, other?.pathStyle, other?.prefix, other?.accessKey, other?.secretKey],
    ['http://host.example.com:9000', false, '', 'a', 'b'],
  )
  for (const wrong of [
    '',
    's3://',
    's3://host',
    's3://host/B',
    's3://k@host/b',
    's3://1.2.3.4/bucket?style=host',
    's3://h/bucket?x=1',
  ])
    assert.equal(parseS3Url(wrong), undefined, wrong)
  assert.equal(showS3Url('s3://key:secret@host/bucket'), 's3://key:***@host/bucket')
})
