import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { rootCertificates } from 'node:tls'
import type { Phone, Reply } from '@postrider/testkit/activesync'
import { type Child, child, children, el, text } from '@postrider/wire/wbxml'
import { crowd } from './mails.ts'
import { Room } from './room.ts'

const resolve = (phone: Phone, names: readonly string[], ...options: Child[]): Promise<Reply> =>
  phone.call({
    command: 'ResolveRecipients',
    body: el(
      'ResolveRecipients:ResolveRecipients',
      names.map((name) => el('ResolveRecipients:To', name)),
      options.length > 0 && el('ResolveRecipients:Options', options),
    ),
  })
const outer = (reply: Reply) => text(reply.document, 'ResolveRecipients:Status')
const responsesOf = (reply: Reply) =>
  children(reply.document, 'ResolveRecipients:Response').map((one) => ({
    to: text(one, 'ResolveRecipients:To'),
    status: text(one, 'ResolveRecipients:Status'),
    count: text(one, 'ResolveRecipients:RecipientCount'),
    recipients: children(one, 'ResolveRecipients:Recipient'),
  }))
const addressOf = (recipient: Parameters<typeof text>[0]) => text(recipient, 'ResolveRecipients:EmailAddress')

test('names: one, several, cut short, nobody (MS-ASCMD_R4275 to R4288)', async () => {
  await using room = await Room.open({ directory: crowd })
  const phone = await room.ready()
  const all = responsesOf(await resolve(phone, ['boss@example.com', 'Bo', 'carol', 'zzz', 'team@example.com', '']))
  assert.deepEqual(
    all.map(({ to, status, count }) => [to, status, count]),
    [
      ['boss@example.com', '1', '1'],
      ['Bo', '1', '1'],
      ['carol', '2', '2'],
      ['zzz', '4', '0'],
      ['team@example.com', '1', '1'],
      ['', '4', '0'],
    ],
  )
  assert.equal(addressOf(all[1]?.recipients[0]), 'boss@example.com')
  assert.equal(text(all[1]?.recipients[0], 'ResolveRecipients:Type'), '1')
  assert.equal(all[2]?.recipients.length, 2)
  const max = el('ResolveRecipients:MaxAmbiguousRecipients', 1)
  const [cut] = responsesOf(await resolve(phone, ['carol'], max))
  assert.deepEqual([cut?.status, cut?.count, cut?.recipients.length], ['3', '2', 1])
})

test('certificates and pictures there are none; free/busy is unknown (MS-ASCMD_R4303, R4311, R3325, R3329)', async () => {
  await using room = await Room.open({ directory: crowd })
  const phone = await room.ready()
  const availability = (start: string, end?: string) =>
    el(
      'ResolveRecipients:Availability',
      el('ResolveRecipients:StartTime', start),
      end !== undefined && el('ResolveRecipients:EndTime', end),
    )
  const reply = await resolve(
    phone,
    ['boss@example.com', 'carol'],
    el('ResolveRecipients:CertificateRetrieval', 2),
    availability('2026-11-21T12:59:59.000Z', '2026-11-21T13:30:00.000Z'),
    el('ResolveRecipients:Picture'),
  )
  const [one, several] = responsesOf(reply)
  const [boss] = one?.recipients ?? []
  assert.equal(text(child(boss, 'ResolveRecipients:Certificates'), 'ResolveRecipients:Status'), '7')
  assert.equal(text(child(boss, 'ResolveRecipients:Availability'), 'ResolveRecipients:MergedFreeBusy'), '44')
  assert.equal(text(child(boss, 'ResolveRecipients:Picture'), 'ResolveRecipients:Status'), '173')
  assert.equal(child(several?.recipients[0], 'ResolveRecipients:Availability'), undefined, 'MS-ASCMD_R4617')
  const week = responsesOf(await resolve(phone, ['boss@example.com'], availability('2026-11-21T00:00:00.000Z')))
  const merged = text(
    child(week[0]?.recipients[0], 'ResolveRecipients:Availability'),
    'ResolveRecipients:MergedFreeBusy',
  )
  assert.equal(merged?.length, 7 * 48, 'MS-ASCMD_R2265')
  const wrong: Child[] = [
    availability('x'),
    availability('2026-11-21T00:00:00.000Z', 'x'),
    availability('2026-11-21T00:00:00.000Z', '2026-11-21T00:29:59.000Z'),
    availability('2026-11-21T00:00:00.000Z', '2027-01-03T00:00:00.000Z'),
    el('ResolveRecipients:CertificateRetrieval', 4),
    el('ResolveRecipients:MaxCertificates', 10_000),
    el('ResolveRecipients:MaxAmbiguousRecipients', -1),
  ]
  for (const option of wrong) assert.equal(outer(await resolve(phone, ['boss'], option)), '5', 'MS-ASCMD_R4270')
})

test('MS-ASCMD_R4614, R5873: more than 100 names, none, or one too long are 5', async () => {
  await using room = await Room.open({ directory: crowd })
  const phone = await room.ready()
  assert.equal(
    outer(
      await resolve(
        phone,
        Array.from({ length: 101 }, () => 'x'),
      ),
    ),
    '5',
  )
  assert.equal(outer(await resolve(phone, [])), '5')
  assert.equal(outer(await resolve(phone, ['x'.repeat(257)])), '5')
})

const validate = async (phone: Phone, certificates: readonly (string | Uint8Array)[], ...more: Child[]) => {
  const list = certificates.map((one) => el('ValidateCert:Certificate', one))
  const reply = await phone.call({
    command: 'ValidateCert',
    body: el('ValidateCert:ValidateCert', ...more, el('ValidateCert:Certificates', list)),
  })
  return {
    status: text(reply.document, 'ValidateCert:Status'),
    each: children(reply.document, 'ValidateCert:Certificate').map((one) => text(one, 'ValidateCert:Status')),
  }
}
const derOf = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64')
const openssl = spawnSync('openssl', ['version']).error === undefined

test('ValidateCert: what is no certificate is 10, wrong requests 2 (MS-ASCMD_R4500, R5662)', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  assert.deepEqual(await validate(phone, ['x', Buffer.from([0x30, 1]), '']), { status: '1', each: ['10', '10', '10'] })
  assert.equal((await validate(phone, [])).status, '2')
  assert.equal(
    (
      await validate(
        phone,
        Array.from({ length: 101 }, () => 'x'),
      )
    ).status,
    '2',
  )
  assert.equal((await validate(phone, ['x'], el('ValidateCert:CheckCRL', 'perhaps'))).status, '2')
})

test('ValidateCert: a root of the platform is good, its revocation cannot be known (MS-ASCMD_R893, R895)', async () => {
  await using room = await Room.open()
  const phone = await room.ready()
  const root = rootCertificates.map(derOf).find((der) => der.length > 0)
  assert.ok(root)
  assert.deepEqual((await validate(phone, [root.toString('base64')])).each, ['1'])
  assert.deepEqual((await validate(phone, [root])).each, ['1'], 'as bytes')
  assert.deepEqual((await validate(phone, [root], el('ValidateCert:CheckCRL', 1))).each, ['16'])
})

test('ValidateCert: untrusted 4, expired 7, not for mail 6', {
  skip: openssl ? false : 'openssl is not installed',
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'validatecert-'))
  try {
    const make = (name: string, usage: string): Buffer => {
      const file = (ending: string) => join(folder, `${name}.${ending}`)
      writeFileSync(
        file('cnf'),
        `[req]\ndistinguished_name=d\nx509_extensions=x\n[d]\n[x]\nextendedKeyUsage=${usage}\n`,
      )
      const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file('key')]
      const args = [
        'req',
        '-x509',
        '-config',
        file('cnf'),
        ...keys,
        '-subj',
        `/CN=${name}`,
        '-out',
        file('pem'),
        '-days',
        '10',
      ]
      execFileSync('openssl', args, { stdio: 'ignore' })
      return derOf(readFileSync(file('pem'), 'utf8'))
    }
    const own = make('own', 'emailProtection')
    const web = make('web', 'serverAuth')
    const expired = (name: string): Buffer => {
      const file = (ending: string) => join(folder, `${name}.${ending}`)
      writeFileSync(file('cnf'), '[req]\ndistinguished_name=d\n[d]\n')
      const keys = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', file('key')]
      const request = ['req', '-new', '-config', file('cnf'), ...keys, '-subj', `/CN=${name}`, '-out', file('csr')]
      execFileSync('openssl', request, { stdio: 'ignore' })
      const sign = ['x509', '-req', '-in', file('csr'), '-signkey', file('key'), '-days', '-1', '-out', file('pem')]
      execFileSync('openssl', sign, { stdio: 'ignore' })
      return derOf(readFileSync(file('pem'), 'utf8'))
    }
    const old = expired('old')
    await using room = await Room.open()
    const phone = await room.ready()
    assert.deepEqual((await validate(phone, [own, web, old])).each, ['4', '6', '7'])
    const chain = el('ValidateCert:CertificateChain', el('ValidateCert:Certificate', own))
    assert.deepEqual((await validate(phone, [own], chain)).each, ['4'], 'a chain does not make its own root trusted')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('MeetingResponse: no meeting request is 2, a date that is none 104, more than 100 requests 103', async () => {
  await using room = await Room.open()
  const mid = await room.deliver('no meeting')
  const inbox = await room.folder('inbox')
  const phone = await room.ready()
  const request = (...more: Child[]) =>
    el(
      'MeetingResponse:Request',
      el('MeetingResponse:UserResponse', 1),
      el('MeetingResponse:CollectionId', String(inbox.id)),
      el('MeetingResponse:RequestId', `${inbox.id}:${mid}`),
      ...more,
    )
  const call = (...requests: Child[]) =>
    phone.call({ command: 'MeetingResponse', body: el('MeetingResponse:MeetingResponse', ...requests) })
  const reply = await call(request(), request(el('MeetingResponse:InstanceId', 'x')))
  assert.deepEqual(
    children(reply.document, 'MeetingResponse:Result').map((one) => [
      text(one, 'MeetingResponse:RequestId'),
      text(one, 'MeetingResponse:Status'),
    ]),
    [
      [`${inbox.id}:${mid}`, '2'],
      [`${inbox.id}:${mid}`, '104'],
    ],
    'MS-ASCMD_R4183, R3195, R5374',
  )
})
