/**
 * Bodies in every form a client may ask for: kinds of mail × BodyPreference × TruncationSize × AllOrNone × Preview × MIMESupport × version.
 * [MS-ASAIRS] §2.2.2.3, §2.2.2.9, §2.2.2.12, §2.2.2.23, §2.2.2.32, §2.2.2.35, §2.2.2.40; [MS-ASCMD] §2.2.3.110.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { child, children, type Element, el, has, integer, ownBytes, text } from '@postrider/wire/wbxml'
import type { Phone } from '../../src/activesync/index.ts'
import { append, Court, folderTypes, mail, preference, versions } from './judge.ts'

interface Kind {
  readonly name: string
  readonly mail: string | Uint8Array
  /** NativeBodyType. */
  readonly native: 1 | 2
  /** A signed or encrypted mail: MIMESupport 1 shows it as MIME. */
  readonly smime?: true
  /** Must be in the plain form, and in the HTML form. */
  readonly contains?: string
  /** Attachments: Method, IsInline, ContentId, end of the name. */
  readonly files?: readonly (readonly [method: string, inline: string, contentId: string, ending: string])[]
}

const typed = (type: string, ...more: string[]) => [`Content-Type: ${type}`, ...more]
const part = (type: string, body: string, ...more: string[]) => [...typed(type, ...more), '', body]
const parts = (boundary: string, ...list: readonly (readonly string[])[]) => [
  ...list.flatMap((one) => [`--${boundary}`, ...one]),
  `--${boundary}--`,
]
const html = '<html><body><p>Grüße 😀 <b>bold</b></p><p>second</p></body></html>'
const picture = part(
  'image/png; name=pic.png',
  Buffer.from('picture').toString('base64'),
  'Content-ID: <pic@x>',
  'Content-Disposition: inline; filename=pic.png',
  'Content-Transfer-Encoding: base64',
)
const inner = ['From: a@b.example', 'Subject: inside', '', 'inner text']

const kinds: readonly Kind[] = [
  {
    name: 'plain',
    native: 1,
    contains: 'Grüße 😀',
    mail: mail('plain', 'Grüße 😀 und mehr', typed('text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit')),
  },
  { name: 'html', native: 2, contains: 'Grüße 😀', mail: mail('html', html, typed('text/html; charset=utf-8')) },
  {
    name: 'alternative',
    native: 2,
    contains: 'Grüße',
    mail: mail(
      'alternative',
      parts('b', part('text/plain; charset=utf-8', 'Grüße als Text'), part('text/html; charset=utf-8', html)),
      typed('multipart/alternative; boundary=b'),
    ),
  },
  {
    name: 'related',
    native: 2,
    contains: 'bold',
    files: [['1', '1', 'pic@x', 'pic.png']],
    mail: mail(
      'related',
      parts('r', part('text/html; charset=utf-8', html.replace('second', '<img src="cid:pic@x">')), picture),
      typed('multipart/related; boundary=r'),
    ),
  },
  {
    name: 'nested',
    native: 1,
    contains: 'see below',
    files: [['5', '', '', '.eml']],
    mail: mail(
      'nested',
      parts('m', part('text/plain', 'see below'), [...typed('message/rfc822'), '', ...inner]),
      typed('multipart/mixed; boundary=m'),
    ),
  },
  {
    name: 'signed',
    native: 1,
    contains: 'what was signed',
    smime: true,
    mail: mail(
      'signed',
      parts(
        's',
        part('text/plain', 'what was signed'),
        part('application/pkcs7-signature; name=smime.p7s', 'AAAA', 'Content-Transfer-Encoding: base64'),
      ),
      typed('multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=s'),
    ),
  },
  {
    name: 'encrypted',
    native: 1,
    smime: true,
    mail: mail(
      'encrypted',
      Buffer.from('sealed').toString('base64'),
      typed('application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m', 'Content-Transfer-Encoding: base64'),
    ),
  },
  {
    name: 'unknown charset',
    native: 1,
    contains: 'odd',
    mail: mail('unknown charset', 'odd text', typed('text/plain; charset=x-martian-7')),
  },
  {
    name: 'wrong charset',
    native: 1,
    contains: 'bytes',
    mail: Buffer.from(
      mail(
        'wrong charset',
        'bytes \xff\xfe\xe4 that are no UTF-8',
        typed('text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'),
      ),
      'latin1',
    ),
  },
  {
    name: 'eight bits',
    native: 1,
    contains: 'Grüße',
    mail: Buffer.from(
      mail('eight bits', 'Grüße', typed('text/plain; charset=iso-8859-1', 'Content-Transfer-Encoding: 8bit')),
      'latin1',
    ),
  },
  {
    name: 'flowed',
    native: 1,
    contains: 'one line that',
    mail: mail(
      'flowed',
      ['one line that ', 'flows on', '> quoted'],
      typed('text/plain; format=flowed; charset=us-ascii'),
    ),
  },
  { name: 'empty', native: 1, mail: mail('empty', '', typed('text/plain')) },
  { name: 'no body at all', native: 1, mail: 'From: a@b.example\r\nSubject: no body at all\r\n' },
  {
    name: 'huge',
    native: 1,
    contains: 'ä😀',
    mail: mail(
      'huge',
      'ä😀 line of a long mail\r\n'.repeat(8_000),
      typed('text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit'),
    ),
  },
]

interface Ask {
  readonly types: readonly number[]
  readonly size: number | undefined
  readonly allOrNone: boolean
  readonly preview: number | undefined
  readonly mimeSupport: 0 | 1 | 2
}

function* asks(): Generator<Ask> {
  let turn = 0
  for (const types of [[1], [2], [3], [4], [1, 2], [2, 1], [2, 4], [3, 4]])
    for (const size of [undefined, 0, 1, 7, 500])
      for (const allOrNone of size === undefined ? [false] : [false, true])
        for (const mimeSupport of [0, 1, 2] as const)
          yield { types, size, allOrNone, mimeSupport, preview: turn++ % 2 === 0 ? undefined : [1, 20, 255][turn % 3] }
}

const requestOf = (collectionId: string, serverId: string, ask: Ask): Element =>
  el(
    'ItemOperations:Fetch',
    el('ItemOperations:Store', 'Mailbox'),
    el('AirSync:CollectionId', collectionId),
    el('AirSync:ServerId', serverId),
    el(
      'ItemOperations:Options',
      el('AirSync:MIMESupport', ask.mimeSupport),
      ...ask.types.map((type) =>
        preference(
          el('AirSyncBase:Type', type),
          ask.size !== undefined && el('AirSyncBase:TruncationSize', ask.size),
          ask.allOrNone && el('AirSyncBase:AllOrNone', 1),
          ask.preview !== undefined && el('AirSyncBase:Preview', ask.preview),
        ),
      ),
    ),
  )

/** What is wrong with one answer; `whole` remembers the whole of each form. */
function judge(
  phone: Phone,
  kind: Kind,
  ask: Ask,
  properties: Element | undefined,
  whole: Map<number, Buffer>,
): string[] {
  const wrong: string[] = []
  const must = (ok: boolean, what: string): void => {
    if (!ok) wrong.push(`${phone.version} ${kind.name} ${JSON.stringify(ask)}: ${what}`)
  }
  const body = child(properties, 'AirSyncBase:Body')
  must(body !== undefined, 'no Body')
  must(
    integer(properties, 'AirSyncBase:NativeBodyType') === kind.native,
    `NativeBodyType ${text(properties, 'AirSyncBase:NativeBodyType')}`,
  )
  const type = integer(body, 'AirSyncBase:Type') ?? 0
  const mime = ask.types.includes(4) && (ask.mimeSupport === 2 || (ask.mimeSupport === 1 && kind.smime === true))
  const texts = ask.types.filter((one) => one < 3)
  const expected = mime
    ? [4]
    : texts.length === 0
      ? [kind.native]
      : texts.includes(kind.native) && !ask.allOrNone
        ? [kind.native]
        : texts
  must(expected.includes(type), `Type ${type}, expected ${expected}`)
  const size = integer(body, 'AirSyncBase:EstimatedDataSize')
  const found = child(body, 'AirSyncBase:Data')
  const data = found === undefined ? undefined : Buffer.from(ownBytes(found))
  const truncated = text(body, 'AirSyncBase:Truncated')
  const before = whole.get(type)
  if (ask.size === undefined) {
    must(truncated !== '1', 'truncated without being asked to')
    must((data?.length ?? 0) === size, `EstimatedDataSize ${size}, Data ${data?.length}`)
    if (before === undefined) whole.set(type, data ?? Buffer.alloc(0))
    else must(before.equals(data ?? Buffer.alloc(0)), 'another whole')
    if (type === 4) must(data?.equals(Buffer.from(kind.mail)) === true, 'the MIME is not the original')
    else if (kind.contains !== undefined)
      must(data?.toString().includes(kind.contains) === true, 'the text is not in it')
  } else if (before !== undefined) {
    must(size === before.length, `EstimatedDataSize ${size} of ${before.length}`)
    must((truncated === '1') === before.length > ask.size, `Truncated ${truncated}`)
    if (before.length > ask.size && (ask.allOrNone || ask.size === 0))
      must(data === undefined, 'Data in spite of AllOrNone')
    else {
      must((data?.length ?? 0) <= Math.max(ask.size, 0) || before.length <= ask.size, 'longer than TruncationSize')
      must(before.subarray(0, data?.length ?? 0).equals(data ?? Buffer.alloc(0)), 'no beginning of the whole')
      must((data?.length ?? 0) > Math.min(before.length, ask.size) - 4, `only ${data?.length} bytes`)
      const text = data?.toString('utf8') ?? ''
      if (type !== 4) must(!text.includes('\ufffd') || before.toString('utf8').includes('\ufffd'), 'half a character')
    }
  }
  const preview = text(body, 'AirSyncBase:Preview')
  must(preview === undefined || (ask.preview !== undefined && preview.length <= ask.preview), 'Preview too long')
  must(preview === undefined || phone.since('14.0'), 'Preview before 14.0')
  must(preview === undefined || type !== 1 || data === undefined, 'MS-ASAIRS_R1001036')
  if (kind.files !== undefined) {
    const files = children(child(properties, 'AirSyncBase:Attachments')).map((file) => [
      text(file, 'AirSyncBase:Method'),
      text(file, 'AirSyncBase:IsInline') ?? '',
      text(file, 'AirSyncBase:ContentId') ?? '',
      kind.files
        ?.map(([, , , ending]) => ending)
        .find((ending) => text(file, 'AirSyncBase:DisplayName')?.endsWith(ending)),
    ])
    must(JSON.stringify(files) === JSON.stringify(kind.files), `attachments ${JSON.stringify(files)}`)
  }
  must(has(properties, 'Email:DateReceived'), 'no DateReceived')
  return wrong
}

test('every kind of mail in every form of body', { timeout: 240_000 }, async () => {
  await using court = await Court.open('render')
  const imap = await court.imap('render')
  for (const kind of kinds) await append(imap, 'INBOX', kind.mail)
  imap.close()
  const wrong: string[] = []
  const all = [...asks()]
  for (const [turn, version] of versions.entries()) {
    const phone = await court.ready('render', {
      version,
      form: turn % 2 === 0 ? 'plain' : 'base64',
      gzip: turn % 2 === 0,
    })
    const inbox = phone.folderOfType(folderTypes.inbox)
    await phone.syncAll(inbox)
    assert.equal(phone.mirror.items(inbox).size, kinds.length)
    for (const kind of kinds) {
      const id = phone.mirror.bySubject(inbox, kind.name)
      const whole = new Map<number, Buffer>()
      for (let at = 0; at < all.length; at += 60) {
        const some = all.slice(at, at + 60)
        const reply = await phone.call({
          command: 'ItemOperations',
          body: el('ItemOperations:ItemOperations', ...some.map((ask) => requestOf(inbox, id, ask))),
        })
        const fetched = children(child(reply.document, 'ItemOperations:Response'), 'ItemOperations:Fetch')
        assert.equal(fetched.length, some.length)
        for (const [i, ask] of some.entries()) {
          wrong.push(...judge(phone, kind, ask, child(fetched[i], 'ItemOperations:Properties'), whole))
        }
      }
    }
  }
  assert.deepEqual(wrong.slice(0, 20), [], `${wrong.length} wrong`)
  court.verdict()
})
