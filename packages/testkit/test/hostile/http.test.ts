/**
 * HTTPS, ActiveSync and Autodiscover against clients that send too much, too deep or packed too well (reliability.md P2, P4, P9, P14, P18).
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { deflateSync, gzipSync } from 'node:zlib'
import { el } from '@postrider/wire/wbxml'
import { Phone } from '../../src/activesync/index.ts'
import { Arena, MALLORY, Raw } from '../../src/hostile/index.ts'

const MB = 1024 * 1024
let arena: Arena
before(async () => {
  arena = await Arena.open()
})
after(() => arena.close())

const authorization = `Authorization: Basic ${Buffer.from(`${MALLORY.address}:${MALLORY.password}`).toString('base64')}\r\n`
const easPath = `/Microsoft-Server-ActiveSync?Cmd=Sync&User=${MALLORY.address}&DeviceId=HOSTILE1&DeviceType=Phone`
const easHeaders = `Host: x\r\n${authorization}MS-ASProtocolVersion: 16.1\r\nContent-Type: application/vnd.ms-sync.wbxml\r\n`

/** The status line of the answer, or 'closed' when there was none. */
async function status(parts: readonly (string | Uint8Array)[]): Promise<{ status: string; text: string }> {
  using raw = await Raw.connect(arena.server.port('https'), { tls: true })
  for (const part of parts) raw.send(part)
  const how = await raw.endedOr(/^HTTP\/1\.1 \d\d\d[\s\S]*?\r\n\r\n/, 20_000)
  return how === 'closed' ? { status: 'closed', text: raw.text } : { status: raw.text.slice(9, 12), text: raw.text }
}

const raws: readonly (readonly [string, string, readonly string[]])[] = [
  ['a header of 1 MB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(MB)}\r\n\r\n`, ['431', 'closed']],
  ['10^5 headers', `GET / HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(100_000)}\r\n`, ['431', '400', 'closed']],
  ['a header name of 1 MB', `GET / HTTP/1.1\r\n${'x'.repeat(MB)}: 1\r\n\r\n`, ['431', 'closed']],
  ['a path of 1 MB', `GET /${'a'.repeat(MB)} HTTP/1.1\r\nHost: x\r\n\r\n`, ['431', '414', '400', 'closed']],
  ['a path of 20 KB', `GET /${'a/'.repeat(10_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, ['400', '404', '414']],
  ['no HTTP', '\0\0\0\0\r\n\r\n', ['400', 'closed']],
  ['a method nobody knows', 'FROBNICATE / HTTP/1.1\r\nHost: x\r\n\r\n', ['400', '405', '501']],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!', ['400']],
  [
    'length and chunks',
    'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n',
    ['400'],
  ],
  ['bare LF in headers', `GET / HTTP/1.1\nHost: x\n\n`, ['400', '200', 'closed']],
  ['NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n', ['400']],
  ['a folded header', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b: c\r\n\r\n', ['400', '200']],
  [
    'traps as header names',
    'GET / HTTP/1.1\r\nHost: x\r\n__proto__: 1\r\nconstructor: 2\r\nhasOwnProperty: 3\r\n\r\n',
    ['200'],
  ],
  ['traps as places', 'GET /__proto__ HTTP/1.1\r\nHost: x\r\n\r\n', ['404']],
  ['traversal', 'GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n', ['404', '400']],
  ['traversal in disguise', 'GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n', ['404', '400']],
  ['a NUL in the path', 'GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n', ['404', '400']],
  ['a proxy request', 'CONNECT 127.0.0.1:25 HTTP/1.1\r\nHost: x\r\n\r\n', ['400', '404', '405', 'closed']],
  ['a proxy URL', 'GET http://127.0.0.1:25/ HTTP/1.1\r\nHost: x\r\n\r\n', ['200', '400', '404']],
  [
    'another protocol',
    'GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ['200', '400', '426', 'closed'],
  ],
  [
    'an Authorization of 30 KB',
    `OPTIONS /Microsoft-Server-ActiveSync HTTP/1.1\r\nHost: x\r\nAuthorization: Basic ${'A'.repeat(30_000)}\r\n\r\n`,
    ['401'],
  ],
  [
    'ActiveSync without a password',
    'POST /Microsoft-Server-ActiveSync?Cmd=Sync HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    ['401'],
  ],
  [
    'Autodiscover without a password',
    'POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n',
    ['401'],
  ],
  ['a body of 10 GB', `POST ${easPath} HTTP/1.1\r\n${easHeaders}Content-Length: 10000000000\r\n\r\n`, ['413']],
  [
    'a chunk of 2^64 bytes',
    `POST ${easPath} HTTP/1.1\r\n${easHeaders}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n`,
    ['400', 'closed'],
  ],
  [
    'a chunk extension without end',
    `POST ${easPath} HTTP/1.1\r\n${easHeaders}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(MB)}`,
    ['400', '413', 'closed'],
  ],
  [
    'an encoding nobody asked for',
    `POST ${easPath} HTTP/1.1\r\n${easHeaders}Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx`,
    ['415'],
  ],
]

test('P2, P14: requests that are none, or too much', async (t) => {
  for (const [name, bytes, expected] of raws)
    await t.test(name, () =>
      arena.attack(async () => {
        const answer = await status([bytes])
        assert.ok(expected.includes(answer.status), answer.status)
      }),
    )
})

/** Multi-byte integer of WBXML. */
function mb(value: number): number[] {
  const bytes = [value % 128]
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift((left % 128) | 0x80)
  return bytes
}
const wbxmlHead = [0x03, 0x01, 0x6a, 0x00]
/** Page 0: Sync 0x05, with content 0x45. */
const bodies: readonly (readonly [string, () => Uint8Array])[] = [
  ['10^6 deep', () => Buffer.concat([Buffer.from(wbxmlHead), Buffer.alloc(MB, 0x45)])],
  ['10^6 elements', () => Buffer.concat([Buffer.from([...wbxmlHead, 0x45]), Buffer.alloc(MB, 0x05), Buffer.of(1)])],
  ['10^6 page switches', () => Buffer.concat([Buffer.from(wbxmlHead), Buffer.alloc(MB, 0x00)])],
  ['a string table of 4 GB', () => Buffer.from([0x03, 0x01, 0x6a, ...mb(2 ** 32 - 1), 0x45])],
  ['an integer without end', () => Buffer.concat([Buffer.from([0x03, 0x01, 0x6a]), Buffer.alloc(MB, 0xff)])],
  ['opaque data of 4 GB', () => Buffer.from([...wbxmlHead, 0x45, 0xc3, ...mb(2 ** 32 - 1), 1, 2, 3])],
  ['a string without end', () => Buffer.concat([Buffer.from([...wbxmlHead, 0x45, 0x03]), Buffer.alloc(5 * MB, 0x41)])],
  ['attributes, entities, literals', () => Buffer.from([...wbxmlHead, 0xc5, 0x02, 0x81, 0x00, 0x04, 0x00, 0x01])],
  ['noise', () => Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7_919) % 256))],
  ['nothing but a head', () => Buffer.from(wbxmlHead)],
]

test('P2, P4: WBXML that is none is refused, whole and packed', async (t) => {
  for (const [name, make] of bodies)
    await t.test(name, () =>
      arena.attack(async () => {
        const body = make()
        for (const [encoding, bytes] of [
          ['identity', body],
          ['gzip', gzipSync(body)],
          ['deflate', deflateSync(body)],
        ] as const) {
          const head = `POST ${easPath} HTTP/1.1\r\n${easHeaders}Content-Encoding: ${encoding}\r\nContent-Length: ${bytes.length}\r\n\r\n`
          const answer = await status([head, bytes])
          assert.ok(['200', '400', '413'].includes(answer.status), `${encoding}: ${answer.status}`)
        }
      }),
    )
})

test('P4: gzip bombs at once are 413, one after the other, within memory', () =>
  arena.attack(async () => {
    const bomb = gzipSync(Buffer.alloc(100 * MB), { level: 9 })
    const twice = gzipSync(bomb)
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, i) => {
        const bytes = i % 4 === 0 ? twice : bomb
        const path = easPath.replace('HOSTILE1', `BOMB${i}`)
        const head = `POST ${path} HTTP/1.1\r\n${easHeaders}Content-Encoding: gzip\r\nContent-Length: ${bytes.length}\r\n\r\n`
        return status([head, bytes])
      }),
    )
    for (const answer of answers) assert.ok(['400', '413', '200', '503'].includes(answer.status), answer.status)
  }))

const pox = (inside: string, head = ''): string =>
  `<?xml version="1.0"?>${head}<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006"><Request>${inside}</Request></Autodiscover>`
const laughs = `<!DOCTYPE l [<!ENTITY a "ha">${Array.from({ length: 20 }, (_, i) => `<!ENTITY ${String.fromCharCode(98 + i)} "${`&${String.fromCharCode(97 + i)};`.repeat(10)}">`).join('')}]>`
const documents: readonly (readonly [string, string])[] = [
  ['a billion laughs', pox('<EMailAddress>&u;</EMailAddress>', laughs)],
  [
    'an external entity',
    pox('<EMailAddress>&x;</EMailAddress>', '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
  ],
  ['10^5 deep', '<a>'.repeat(100_000)],
  ['10^5 attributes', `<a ${Array.from({ length: 100_000 }, (_, i) => `a${i}="1"`).join(' ')}/>`],
  ['no XML', '\0\xff\xfe<'],
  ['unknown entities', pox('<EMailAddress>&nope;&#0;&#xD800;&#99999999999;</EMailAddress>')],
  ['traps', pox('<__proto__>1</__proto__><constructor/><EMailAddress>__proto__@constructor</EMailAddress>')],
]
test('P4, P14: Autodiscover refuses DTDs, depth and noise', async (t) => {
  for (const [name, xml] of documents)
    await t.test(name, () =>
      arena.attack(async () => {
        const body = Buffer.from(xml, 'latin1')
        const head = `POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: x\r\n${authorization}Content-Type: text/xml\r\nContent-Length: ${body.length}\r\n\r\n`
        const answer = await status([head, body])
        assert.ok(['200', '400', '413'].includes(answer.status), answer.status)
        assert.doesNotMatch(answer.text, /root:|hahaha/)
        if (answer.status === '200') assert.match(answer.text, /<ErrorCode>600<\/ErrorCode>|<Error/)
      }),
    )
})

test('P9: what a client says of itself comes back escaped, or not', () =>
  arena.attack(async () => {
    const evil = '"><script>alert(1)</script>'
    for (const path of [
      '/',
      `/?x=${encodeURIComponent(evil)}`,
      `/autodiscover/autodiscover.json?Email=${encodeURIComponent(`${evil}@example.com`)}&Protocol=ActiveSync`,
      `/mail/config-v1.1.xml?emailaddress=${encodeURIComponent(`${evil}@example.com`)}`,
    ]) {
      using raw = await Raw.connect(arena.server.port('https'), { tls: true })
      raw.send(
        `GET ${path} HTTP/1.1\r\nHost: ${evil}\r\nX-Forwarded-Host: ${evil}\r\nUser-Agent: ${evil}\r\nConnection: close\r\n\r\n`,
      )
      await raw.ended()
      assert.doesNotMatch(raw.text, /<script/i, path)
    }
    const answer = await status([
      `GET /autodiscover/autodiscover.json?Email=a%0d%0aSet-Cookie:x@example.com&Protocol=ActiveSync HTTP/1.1\r\nHost: x\r\n\r\n`,
    ])
    assert.doesNotMatch(answer.text, /^Set-Cookie/im)
  }))

test('P1: requests that dribble, stop amidst the body, or never read: they wait alone', () =>
  arena.attack(async () => {
    const slow = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const raw = await Raw.connect(arena.server.port('https'), { tls: true })
        if (i % 4 === 0) raw.send('GET / HT')
        else if (i % 4 === 1) raw.send(`POST ${easPath} HTTP/1.1\r\n${easHeaders}Content-Length: 1000\r\n\r\nhalf`)
        else if (i % 4 === 2)
          raw.send(`POST ${easPath} HTTP/1.1\r\n${easHeaders}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n`)
        else {
          raw.pause()
          await raw.flood('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(50), 100_000, 500)
        }
        return raw
      }),
    )
    await arena.witnesses.alive()
    for (const raw of slow) raw.destroy()
  }))

test('P18: without the policy no command shows data', () =>
  arena.attack(async () => {
    for (const version of ['12.1', '14.1', '16.1'] as const) {
      const settings = {
        port: arena.server.port('https'),
        tls: true,
        user: MALLORY.address,
        password: MALLORY.password,
      }
      const good = new Phone({ ...settings, version, deviceId: `GOOD${version.replace('.', '')}` })
      await good.provision()
      const folders = el('FolderHierarchy:FolderSync', el('FolderHierarchy:SyncKey', '0'))
      for (const policyKey of [undefined, 0, 1, 4_294_967_295, good.policyKey]) {
        // Another device, at times with this one's key.
        const phone = new Phone({ ...settings, version, deviceId: `BAD${version.replace('.', '')}` })
        const reply = await phone.call({ command: 'FolderSync', body: folders, policyKey })
        const shown = String(reply.body.toString('latin1'))
        assert.ok(!shown.includes('Inbox'), `${version} key ${policyKey}`)
        if (version === '12.1') assert.equal(reply.http, 449)
        else assert.ok(reply.http === 200, `HTTP ${reply.http}`)
      }
    }
  }))
