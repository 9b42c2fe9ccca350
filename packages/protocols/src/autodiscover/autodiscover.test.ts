import { workedMs } from '@postrider/testkit/clock'
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import type { Directory, MailboxEntry, Principal, Resolution } from '@postrider/domain'
import fc from 'fast-check'
import { autodiscoverKind, createAutodiscover, type Site } from './index.ts'
import { MAX_XML_BYTES, readXml, XmlError } from './xml-reader.ts'

const MOBILE = 'http://schemas.microsoft.com/exchange/autodiscover/mobilesync'
const OUTLOOK = 'http://schemas.microsoft.com/exchange/autodiscover/outlook'
const REQUEST = { mobile: `${MOBILE}/requestschema/2006`, outlook: `${OUTLOOK}/requestschema/2006` }
const RESPONSE = { mobile: `${MOBILE}/responseschema/2006`, outlook: `${OUTLOOK}/responseschema/2006a` }

const bob = {
  account: 'a1',
  address: 'bob@example.com',
  aliases: ['rob@example.com'],
  displayName: 'Bob <&"\u0001> Stöne',
  language: 'en',
  enabled: true,
  protocols: { activesync: true, imap: true, pop3: true, smtp: true },
} as unknown as MailboxEntry
const eve = {
  ...bob,
  account: 'a2',
  address: 'eve@example.com',
  protocols: { ...bob.protocols, activesync: false },
} as MailboxEntry
const people = new Map(
  [bob, eve].flatMap((one) => [one.address, ...(one === bob ? one.aliases : [])].map((address) => [address, one])),
)
const directory = {
  domains: () => [{ name: 'example.com', type: 'Authoritative', isDefault: true }],
  account: (id: string) => [bob, eve].find((one) => one.account === id),
  resolve(address: string): Resolution {
    const entry = people.get(address.toLowerCase())
    if (entry !== undefined) return { kind: 'mailbox', entry }
    return address.toLowerCase().endsWith('@example.com') ? { kind: 'unknown' } : { kind: 'outside', relay: false }
  },
} as unknown as Directory
const principal = { account: 'a1', address: bob.address, language: 'en' } as Principal
const site: Site = {
  url: 'https://mail.example.com:8443',
  organization: 'Us & Co',
  imap: [
    { host: 'mail.example.com', port: 993, encryption: 'ssl' },
    { host: 'mail.example.com', port: 143, encryption: 'starttls' },
  ],
  pop3: [{ host: 'mail.example.com', port: 995, encryption: 'ssl' }],
  submission: [{ host: 'mail.example.com', port: 587, encryption: 'starttls' }],
  redirect: (address) =>
    address.endsWith('@moved.example') ? address.replace('@moved.example', '@new.example') : undefined,
}
const service = createAutodiscover({ directory, clock: { now: () => 1_800_000_000_123, monotonic: () => 0 } })
const ask = (url: string, method = 'GET', body: string | Uint8Array = '', who: Principal | undefined = principal) =>
  service.answer({ method, url, body: typeof body === 'string' ? Buffer.from(body) : body, principal: who }, site)

const request = (address: string, kind: 'mobile' | 'outlook' = 'mobile', schema = RESPONSE[kind]): string =>
  `<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="${REQUEST[kind]}"><Request><EMailAddress>${address}</EMailAddress>` +
  `<AcceptableResponseSchema>${schema}</AcceptableResponseSchema></Request></Autodiscover>`
const pox = (body: string | Uint8Array): string => ask('/autodiscover/autodiscover.xml', 'POST', body).body

const schemas = resolve(import.meta.dirname, '../../../../../shared/spec/activesync-xsd')
const canValidate =
  existsSync(join(schemas, 'AutodiscoverResponse.xsd')) && spawnSync('xmllint', ['--version']).error === undefined

/** Both schemas together: the root's refers to the other by namespace only. */
function validate(xml: string): void {
  if (!canValidate) return
  const folder = mkdtempSync(join(tmpdir(), 'autodiscover-'))
  try {
    const trim = (text: string): string => text.replace(/=\s+"/g, '="').trim()
    writeFileSync(join(folder, 'mobile.xsd'), trim(readFileSync(join(schemas, 'AutodiscoverMobileSync.xsd'), 'utf8')))
    const root = trim(readFileSync(join(schemas, 'AutodiscoverResponse.xsd'), 'utf8')).replace(
      /(<xs:schema[^>]*>)/,
      `$1<xs:import namespace="${RESPONSE.mobile}" schemaLocation="mobile.xsd"/>`,
    )
    writeFileSync(join(folder, 'root.xsd'), root)
    writeFileSync(join(folder, 'answer.xml'), xml)
    execFileSync('xmllint', ['--noout', '--nonet', '--schema', 'root.xsd', 'answer.xml'], {
      cwd: folder,
      stdio: 'pipe',
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('MS-ASCMD_R4649 MS-ASCMD_R3484: a phone gets its address and the URL of ActiveSync, valid by the schema', () => {
  const xml = pox(request('bob@example.com'))
  validate(xml)
  assert.match(xml, /<EMailAddress>bob@example\.com<\/EMailAddress>/)
  assert.match(xml, /<DisplayName>Bob &#60;&#38;&#34;&#62; Stöne<\/DisplayName>/)
  assert.match(
    xml,
    /<Type>MobileSync<\/Type><Url>https:\/\/mail\.example\.com:8443\/Microsoft-Server-ActiveSync<\/Url>/,
  )
  assert.match(xml, /<Name>https:\/\/mail\.example\.com:8443\/Microsoft-Server-ActiveSync<\/Name>/)
  assert.match(xml, /<Culture>en:us<\/Culture>/)
})

test('MS-ASCMD_R2228: an alias is answered with the primary address', () => {
  assert.match(pox(request('ROB@example.com')), /<EMailAddress>bob@example\.com<\/EMailAddress>/)
})

test('MS-ASCMD_R2287: what is no request is 600, valid by the schema', () => {
  const bad = [
    '',
    'hello',
    '<Autodiscover/>',
    request(''),
    request('no address'),
    request('bob@example.com').replace('AcceptableResponseSchema>', 'X>'),
    '<!DOCTYPE x [<!ENTITY a "b">]><Autodiscover/>',
    request('&evil;@example.com'),
    `<Autodiscover xmlns="urn:other"><Request/></Autodiscover>`,
  ]
  for (const body of bad) {
    const xml = pox(body)
    validate(xml)
    assert.match(xml, /<ErrorCode>600<\/ErrorCode><Message>Invalid Request<\/Message>/, body)
  }
  assert.match(pox(''), /<Error Time="\d\d:\d\d:\d\d\.\d{7}" Id="\d+">/)
  assert.match(ask('/autodiscover/autodiscover.xml').body, /<ErrorCode>600</)
})

test('MS-ASCMD_R2286 MS-ASCMD_R2288: an unknown response schema is 601', () => {
  const xml = pox(request('bob@example.com', 'mobile', 'http://schemas.example/2030'))
  validate(xml)
  assert.match(xml, /<ErrorCode>601<\/ErrorCode>/)
})

test('MS-ASCMD_R4002: an address without ActiveSync is status 2, in the user’s language', () => {
  for (const address of ['eve@example.com', 'nobody@example.com', 'x@far.example']) {
    const xml = pox(request(address))
    validate(xml)
    assert.match(xml, /<Action><Error><Status>2<\/Status><Message>ActiveSync is not offered/, address)
  }
})

test('MS-ASCMD_R3770: an address that lives elsewhere is redirected in both schemas', () => {
  const xml = pox(request('bob@moved.example'))
  validate(xml)
  assert.match(xml, /<Action><Redirect>bob@new\.example<\/Redirect><\/Action>/)
  assert.match(
    pox(request('bob@moved.example', 'outlook')),
    /<Action>redirectAddr<\/Action><RedirectAddr>bob@new\.example</,
  )
})

test('outlook schema: the mail protocols in order, best encryption first; unknown address is 500', () => {
  const xml = pox(request('bob@example.com', 'outlook'))
  assert.match(xml, /<AutoDiscoverSMTPAddress>bob@example\.com</)
  assert.deepEqual(
    [...xml.matchAll(/<Type>(\w+)</g)].map((one) => one[1]),
    ['IMAP', 'POP3', 'SMTP'],
  )
  assert.match(xml, /<Type>IMAP<\/Type><Server>mail\.example\.com<\/Server><Port>993<\/Port>.*?<Encryption>SSL</)
  assert.match(xml, /<Type>SMTP<\/Type>.*?<Port>587<\/Port>.*?<Encryption>TLS</)
  assert.match(pox(request('nobody@example.com', 'outlook')), /<ErrorCode>500</)
})

test('prefixes, UTF-16 and CDATA are understood', () => {
  const prefixed = `<a:Autodiscover xmlns:a="${REQUEST.mobile}"><a:Request><a:EMailAddress><![CDATA[bob@example.com]]></a:EMailAddress><!-- x --><a:AcceptableResponseSchema> ${RESPONSE.mobile} </a:AcceptableResponseSchema></a:Request></a:Autodiscover>`
  assert.match(pox(prefixed), /MobileSync/)
  const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(request('bob@example.com'), 'utf16le')])
  assert.match(pox(utf16), /MobileSync/)
})

test('JSON v2: both forms, any case of path and names, without a login', () => {
  const forms = [
    '/autodiscover/autodiscover.json?Email=bob@example.com&Protocol=ActiveSync',
    '/AutoDiscover/AutoDiscover.json?email=bob%40example.com&protocol=activesync',
    '/autodiscover/autodiscover.json/v1.0/bob@example.com?Protocol=ActiveSync',
    '/autodiscover/autodiscover.json/v1.0/nobody%40example.com?Protocol=ActiveSync&RedirectCount=1',
  ]
  for (const url of forms) {
    const answer = ask(url, 'GET', '', undefined)
    assert.equal(answer.status, 200, url)
    assert.deepEqual(JSON.parse(answer.body), {
      Protocol: 'ActiveSync',
      Url: 'https://mail.example.com:8443/Microsoft-Server-ActiveSync',
    })
  }
  const v1 = JSON.parse(ask('/autodiscover/autodiscover.json?Email=a@example.com&Protocol=AutodiscoverV1').body) as {
    Url: string
  }
  assert.equal(v1.Url, 'https://mail.example.com:8443/autodiscover/autodiscover.xml')
})

test('JSON v2: errors have a code and a message', () => {
  const code = (url: string): [number, string] => {
    const { status, body } = ask(url, 'GET', '', undefined)
    return [status, (JSON.parse(body) as { ErrorCode: string }).ErrorCode]
  }
  const base = '/autodiscover/autodiscover.json'
  assert.deepEqual(code(`${base}?Email=a@example.com&Protocol=Carrier%20Pigeon`), [400, 'InvalidProtocol'])
  assert.deepEqual(code(`${base}?Email=a@example.com`), [400, 'MandatoryParameterMissing'])
  assert.deepEqual(code(`${base}?Protocol=ActiveSync`), [400, 'MandatoryParameterMissing'])
  assert.deepEqual(code(`${base}?Email=nonsense&Protocol=ActiveSync`), [400, 'MandatoryParameterMissing'])
  assert.deepEqual(code(`${base}/v1.0/%E0%A4%A?Protocol=ActiveSync`), [400, 'MandatoryParameterMissing'])
  assert.deepEqual(code(`${base}?Email=a@far.example&Protocol=ActiveSync`), [404, 'UserNotFound'])
})

test('Thunderbird’s autoconfiguration names all ways, in order', () => {
  for (const path of ['/mail/config-v1.1.xml', '/.well-known/autoconfig/mail/config-v1.1.xml']) {
    const { body, contentType } = ask(`${path}?emailaddress=bob%40example.com`, 'GET', '', undefined)
    assert.match(contentType, /^text\/xml/)
    assert.match(body, /<emailProvider id="example\.com"><domain>example\.com<\/domain><displayName>Us &#38; Co</)
    assert.deepEqual(
      [...body.matchAll(/<(\w+)Server type="(\w+)">/g)].map((one) => `${one[1]} ${one[2]}`),
      ['incoming imap', 'incoming imap', 'incoming pop3', 'outgoing smtp'],
    )
    assert.match(body, /<socketType>SSL<\/socketType>.*<socketType>STARTTLS</s)
  }
})

test('only our paths, only our methods', () => {
  assert.equal(autodiscoverKind('/AUTODISCOVER/Autodiscover.XML'), 'pox')
  assert.equal(autodiscoverKind('/autodiscover/other'), undefined)
  assert.equal(ask('/autodiscover/other').status, 404)
  assert.equal(ask('/mail/config-v1.1.xml', 'POST').status, 405)
  assert.equal(
    service.answer(
      { method: 'POST', url: '/autodiscover/autodiscover.xml', body: Buffer.alloc(0), principal: undefined },
      site,
    ).status,
    401,
  )
})

test('P4: hostile XML ends in XmlError, within limits, in linear time', () => {
  const deep = '<a>'.repeat(10_000)
  const wide = `<a>${'<b/>'.repeat(10_000)}</a>`
  const attributes = `<a ${'b="1" '.repeat(5_000)}/>`
  const bad = [
    deep,
    wide,
    attributes,
    '<a',
    '<a b=>',
    '<a b="<"/>',
    '<a></b>',
    '<x:a/>',
    '<a>&#0;</a>',
    '<a>&#xffffff;</a>',
    '<a/>x',
    '<a/><b/>',
    '<a>&amp</a>',
    '<a><!ELEMENT b></a>',
    'x'.repeat(MAX_XML_BYTES + 1),
  ]
  for (const text of bad) {
    const start = workedMs()
    assert.throws(() => readXml(Buffer.from(text)), XmlError, text.slice(0, 30))
    assert.ok(workedMs() - start < 50)
  }
})

test('any bytes are answered with a document', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: 'binary' }).map((s) => Buffer.from(`<a ${s}>`)),
      ),
      (bytes) => {
        assert.match(pox(bytes), /^<\?xml/)
      },
    ),
  )
})
