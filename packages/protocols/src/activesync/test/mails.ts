/** Messages and calls that the tests of mail items share. */
import type { Directory, Folder, GroupEntry, MailboxEntry, Mid } from '@postrider/domain'
import type { Phone, Reply } from '@postrider/testkit/activesync'
import { type Child, child, children, type Element, el, integer, text } from '@postrider/wire/wbxml'

export const crlf = (lines: readonly string[]): string => `${lines.join('\r\n')}\r\n`

/** A plain mail from Alice, as a phone writes it. */
export const outgoing = (options: { to?: string; subject?: string; body?: string; more?: readonly string[] } = {}) =>
  crlf([
    'From: alice@example.com',
    `To: ${options.to ?? 'bob@example.net'}`,
    `Subject: ${options.subject ?? 'From the phone'}`,
    ...(options.more ?? []),
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    '',
    options.body ?? 'Sent from a phone',
  ])

/** HTML with a picture in it, a text alternative, and a file. */
export const rich = (subject = 'Rich'): string =>
  crlf([
    'From: =?utf-8?q?B=C3=B6b?= <bob@example.net>',
    'To: "Example, Alice" <alice@example.com>, Carol <carol@example.org>',
    'Cc: dave@example.org',
    'Reply-To: list@example.net, "Bob, too" <bob2@example.net>',
    `Subject: Re: ${subject}`,
    'Message-ID: <rich@example.net>',
    'References: <first@example.net> <second@example.net>',
    'Date: Sat, 21 Nov 2026 10:00:00 +0100',
    'Importance: high',
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary=m',
    '',
    '--m',
    'Content-Type: multipart/alternative; boundary=a',
    '',
    '--a',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'Gr=C3=BC=C3=9Fe aus K=C3=B6ln',
    '--a',
    'Content-Type: multipart/related; boundary=r',
    '',
    '--r',
    'Content-Type: text/html; charset=iso-8859-1',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    '<html><head><style>p{color:red}</style></head><body><p>Gr=FC=DFe <img src=3D"cid:pic@x"></p></body></html>',
    '--r',
    'Content-Type: image/png; name=pic.png',
    'Content-ID: <pic@x>',
    'Content-Disposition: inline; filename=pic.png',
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from('a picture').toString('base64'),
    '--r--',
    '--a--',
    '--m',
    "Content-Type: application/pdf; name*=utf-8''r%C3%A9sum%C3%A9.pdf",
    "Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf",
    'Content-Transfer-Encoding: base64',
    '',
    Buffer.from('%PDF-1.7 the file').toString('base64'),
    '--m',
    'Content-Type: message/rfc822',
    '',
    'From: carol@example.org',
    'Subject: inside',
    '',
    'The inner mail',
    '--m--',
  ])

export const signed = crlf([
  'From: bob@example.net',
  'To: alice@example.com',
  'Subject: signed',
  'Message-ID: <signed@example.net>',
  'MIME-Version: 1.0',
  'Content-Type: multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=s',
  '',
  '--s',
  'Content-Type: text/plain; charset=utf-8',
  '',
  'What was signed',
  '--s',
  'Content-Type: application/pkcs7-signature; name=smime.p7s',
  'Content-Transfer-Encoding: base64',
  'Content-Disposition: attachment; filename=smime.p7s',
  '',
  'AAAA',
  '--s--',
])

export const encrypted = crlf([
  'From: bob@example.net',
  'To: alice@example.com',
  'Subject: secret',
  'Message-ID: <secret@example.net>',
  'MIME-Version: 1.0',
  'Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m',
  'Content-Transfer-Encoding: base64',
  'Content-Disposition: attachment; filename=smime.p7m',
  '',
  Buffer.from('sealed bytes').toString('base64'),
])

export const serverIdOf = (folder: Pick<Folder, 'id'>, mid: Mid): string => `${folder.id}:${mid}`

export const preference = (type: number, truncationSize?: number, allOrNone = false, preview?: number): Element =>
  el(
    'AirSyncBase:BodyPreference',
    el('AirSyncBase:Type', type),
    truncationSize !== undefined && el('AirSyncBase:TruncationSize', truncationSize),
    allOrNone && el('AirSyncBase:AllOrNone', 1),
    preview !== undefined && el('AirSyncBase:Preview', preview),
  )

/** One Fetch by ServerId; answers the Fetch element. */
export async function fetch(
  phone: Phone,
  folder: Pick<Folder, 'id'>,
  mid: Mid,
  ...options: Child[]
): Promise<Element | undefined> {
  const reply = await itemOperations(
    phone,
    el(
      'ItemOperations:Fetch',
      el('ItemOperations:Store', 'Mailbox'),
      el('AirSync:CollectionId', String(folder.id)),
      el('AirSync:ServerId', serverIdOf(folder, mid)),
      options.length > 0 && el('ItemOperations:Options', options),
    ),
  )
  return child(child(reply.document, 'ItemOperations:Response'), 'ItemOperations:Fetch')
}

export const propertiesOf = (fetched: Element | undefined): Element | undefined =>
  child(fetched, 'ItemOperations:Properties')

export const itemOperations = (phone: Phone, ...operations: Element[]): Promise<Reply> =>
  phone.call({ command: 'ItemOperations', body: el('ItemOperations:ItemOperations', ...operations) })

export const statusesOf = (reply: Reply): (number | undefined)[] =>
  children(child(reply.document, 'ItemOperations:Response')).map((one) => integer(one, 'ItemOperations:Status'))

export interface Body {
  readonly type: number | undefined
  readonly size: number | undefined
  readonly truncated: string | undefined
  readonly data: string | undefined
  readonly preview: string | undefined
}

export function bodyOf(properties: Element | undefined): Body {
  const body = child(properties, 'AirSyncBase:Body')
  return {
    type: integer(body, 'AirSyncBase:Type'),
    size: integer(body, 'AirSyncBase:EstimatedDataSize'),
    truncated: text(body, 'AirSyncBase:Truncated'),
    data: text(body, 'AirSyncBase:Data'),
    preview: text(body, 'AirSyncBase:Preview'),
  }
}

/** More people than the room's own: Bob, two Carols, a group, an alias and rights of Alice's. */
export function crowd(base: Directory): Directory {
  const [alice] = [...base.mailboxes()] as [MailboxEntry]
  const person = (account: string, displayName: string, more: Partial<MailboxEntry> = {}): MailboxEntry => ({
    ...alice,
    account,
    mailbox: (account.length + 100) as MailboxEntry['mailbox'],
    address: `${account}@example.com`,
    aliases: [],
    displayName,
    givenName: displayName.split(' ')[0] ?? '',
    surname: displayName.split(' ')[1] ?? '',
    ...more,
  })
  const people = [
    person('boss', 'Bo Boss', { title: 'Head', phone: '+49 1', office: 'B1', company: 'Example', sendAs: ['alice'] }),
    person('carol', 'Carol One'),
    person('caroline', 'Carol Two'),
    person('desk', 'Front Desk', { sendOnBehalf: ['alice'] }),
  ]
  const group: GroupEntry = {
    id: 'g1',
    address: 'team@example.com',
    aliases: [],
    displayName: 'Team',
    members: ['carol@example.com', 'boss@example.com'],
    hiddenFromAddressLists: false,
    requireSenderAuthentication: false,
  }
  const all: (MailboxEntry | GroupEntry)[] = [alice, ...people, group]
  const owner: MailboxEntry = { ...alice, aliases: ['ally@example.com'] }
  return {
    ...base,
    account: (account) => (account === 'alice' ? owner : people.find((one) => one.account === account)),
    resolve: (address) => {
      const found = all.find((one) => one.address === address.toLowerCase())
      if (found === undefined) return { kind: 'outside', relay: false }
      return 'members' in found ? { kind: 'group', entry: found } : { kind: 'mailbox', entry: found }
    },
    find: (words, limit) => {
      const wanted = words.toLowerCase()
      const entries = all.filter((one) =>
        [one.address, ...one.displayName.split(' '), one.displayName].some((field) =>
          field.toLowerCase().startsWith(wanted),
        ),
      )
      return { total: entries.length, entries: entries.slice(0, limit) }
    },
    maySendAs: (account, address) => {
      if (account !== 'alice') return 'no'
      const wanted = address.toLowerCase()
      if ([owner.address, ...owner.aliases].includes(wanted)) return 'own'
      const other = people.find((one) => one.address === wanted)
      if (other?.sendAs.includes('alice')) return 'sendAs'
      return other?.sendOnBehalf.includes('alice') ? 'onBehalf' : 'no'
    },
  }
}
