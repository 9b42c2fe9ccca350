/** What the tests of ActiveSync against the real program share: users, phones, mails, and the judges of every answer. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type Child,
  children,
  type Element,
  el,
  encodeWbxml,
  ownText,
  type ProtocolVersion,
} from '@postrider/wire/wbxml'
import { Phone, type PhoneSettings, type Reply, validate } from '../../src/activesync/index.ts'
import { ImapClient } from '../../src/imap/index.ts'
import { findProgram } from '../../src/programs/index.ts'
import { TestServer } from '../../src/server/index.ts'

const PASSWORD = 'grüße-42'
export const folderTypes = { inbox: 2, drafts: 3, trash: 4, sent: 5, outbox: 6 } as const
export const versions = ['12.1', '14.0', '14.1', '16.0', '16.1'] as const satisfies readonly ProtocolVersion[]

const addressOf = (user: string): string => `${user}@example.com`

/** A program with users, and everything a phone of one of them needs. */
export class Court implements AsyncDisposable {
  readonly server: TestServer
  readonly phones: Phone[] = []

  private constructor(server: TestServer) {
    this.server = server
  }

  static async open(...users: string[]): Promise<Court> {
    const server = await TestServer.start()
    for (const user of users) await server.addUser(addressOf(user), PASSWORD)
    return new Court(server)
  }

  phone(user: string, settings: Partial<PhoneSettings> = {}): Phone {
    const phone = new Phone({
      port: this.server.port('https'),
      tls: true,
      user: addressOf(user),
      password: PASSWORD,
      deviceId: `JUDGE${this.phones.length}`,
      deviceType: 'JudgePhone',
      ...settings,
    })
    this.phones.push(phone)
    return phone
  }

  /** A phone that is provisioned and has its folders. */
  async ready(user: string, settings: Partial<PhoneSettings> = {}): Promise<Phone> {
    const phone = this.phone(user, settings)
    await phone.provision()
    await phone.folderSync()
    return phone
  }

  imap(user: string): Promise<ImapClient> {
    return ImapClient.login(this.server.port('imaps'), addressOf(user), PASSWORD)
  }

  /** Every answer against the schemas, and some of them read by libwbxml too. */
  verdict(): void {
    const answers = this.phones.flatMap((phone) => phone.answers)
    const result = validate(answers)
    if (!('skipped' in result)) {
      assert.deepEqual(
        result.invalid.slice(0, 3).map(({ messages, xml }) => [messages, xml.slice(0, 2_000)]),
        [],
      )
    }
    secondOpinion(answers)
    assert.deepEqual(
      this.phones.flatMap((phone) => phone.mirror.violations),
      [],
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
  }
}

/** Documents libwbxml is asked about: one process each. */
const OPINIONS = 40

/** libwbxml reads what we wrote. It does not know Find: its tables end before. */
function secondOpinion(answers: readonly Element[]): void {
  if (findProgram('wbxml2xml') === undefined) return
  const known = answers.filter(({ tag }) => tag !== 'Find:Find')
  const step = Math.max(1, Math.floor(known.length / OPINIONS))
  const folder = mkdtempSync(join(tmpdir(), 'opinion-'))
  try {
    for (let at = 0; at < known.length; at += step) {
      const file = join(folder, 'in.wbxml')
      writeFileSync(file, encodeWbxml(known[at]!))
      execFileSync('wbxml2xml', ['-m', '0', '-l', 'AIRSYNC', '-o', join(folder, 'out.xml'), file], { stdio: 'pipe' })
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

export async function append(imap: ImapClient, folder: string, mail: string | Uint8Array, flags = ''): Promise<void> {
  const answer = await imap.append(folder, typeof mail === 'string' ? Buffer.from(mail) : mail, flags)
  assert.equal(answer.status, 'OK', answer.text)
}

/** A mail from outside; `head` are more header fields. */
export const mail = (
  subject: string,
  body: string | readonly string[] = 'text',
  head: readonly string[] = [],
): string =>
  [
    'From: Ann <ann@outside.example>',
    'To: Judge <judge@example.com>',
    `Subject: ${subject}`,
    `Message-ID: <${crypto.randomUUID()}@outside.example>`,
    'Date: Fri, 20 Nov 2026 10:00:00 +0000',
    'MIME-Version: 1.0',
    ...head,
    '',
    ...(typeof body === 'string' ? [body] : body),
    '',
  ].join('\r\n')

/** The status a client acts on: the one at the root, else the first below. */
export function statusOf(reply: Reply): string {
  if (reply.http !== 200) return `HTTP ${reply.http}`
  const find = (element: Element | undefined): string | undefined => {
    if (element === undefined) return undefined
    for (const one of children(element)) if (/:Status$/.test(one.tag)) return ownText(one)
    for (const one of children(element)) {
      const found = find(one)
      if (found !== undefined) return found
    }
    return undefined
  }
  return find(reply.document) ?? 'empty'
}

export const collection = (...content: Child[]): Element =>
  el('AirSync:Sync', el('AirSync:Collections', el('AirSync:Collection', ...content)))
export const keyed = (key: string, id: string, ...content: Child[]): Element =>
  collection(el('AirSync:SyncKey', key), el('AirSync:CollectionId', id), ...content)
export const options = (...content: Child[]): Element => el('AirSync:Options', ...content)
export const preference = (...content: Child[]): Element => el('AirSyncBase:BodyPreference', ...content)

export type Case = readonly [name: string, expected: string, command: string, body: Element | Uint8Array | undefined]

/** Sends each body; answers what came back other than expected. */
export async function check(phone: Phone, cases: readonly Case[]): Promise<string[]> {
  const wrong: string[] = []
  for (const [name, expected, command, body] of cases) {
    const got = statusOf(await phone.call({ command, body }))
    if (got !== expected) wrong.push(`${phone.version} ${name}: ${got}, expected ${expected}`)
  }
  return wrong
}
