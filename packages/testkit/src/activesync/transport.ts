/** One HTTP exchange as a phone makes it: both query forms, gzip, and replies that get lost on the way. */
import { type Agent, type IncomingMessage, request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { gunzipSync, gzipSync } from 'node:zlib'
import { decodeWbxml, type Element, encodeWbxml, type ProtocolVersion } from '@postrider/wire/wbxml'

/** Codes of the base64 query: [MS-ASHTTP] §2.2.1.1.1.1.2. */
const codes: Readonly<Record<string, number>> = {
  Sync: 0,
  SendMail: 1,
  SmartForward: 2,
  SmartReply: 3,
  GetAttachment: 4,
  FolderSync: 9,
  FolderCreate: 10,
  FolderDelete: 11,
  FolderUpdate: 12,
  MoveItems: 13,
  GetItemEstimate: 14,
  MeetingResponse: 15,
  Search: 16,
  Settings: 17,
  Ping: 18,
  ItemOperations: 19,
  Provision: 20,
  ResolveRecipients: 21,
  ValidateCert: 22,
  Find: 23,
}

export interface PhoneSettings {
  readonly host?: string
  readonly port: number
  /** Where ActiveSync lies; default the path every server has it at. */
  readonly path?: string
  /** HTTPS with any certificate; plain HTTP otherwise. */
  readonly tls?: boolean
  readonly user: string
  readonly password: string
  readonly version?: ProtocolVersion
  /** How the query is written. */
  readonly form?: 'plain' | 'base64'
  /** Leaves the padding of the base64 query out, as some phones do. */
  readonly unpadded?: boolean
  readonly deviceId?: string
  readonly deviceType?: string
  readonly userAgent?: string
  /** Connections kept between requests; a held request has one of its own all the same. Default: a new connection for each request. */
  readonly agent?: Agent
  /** Packs request bodies and takes packed answers. */
  readonly gzip?: boolean
}

/** Parameters behind the query: [MS-ASHTTP] §2.2.1.1.1.1.3. */
export interface QueryParameters {
  readonly AttachmentName?: string
  readonly CollectionId?: string
  readonly ItemId?: string
  readonly LongId?: string
  readonly Occurrence?: string
  readonly SaveInSent?: boolean
}

export interface Call {
  readonly command: string
  /** A document, raw bytes (MIME), or nothing. */
  readonly body?: Element | Uint8Array | undefined
  readonly contentType?: string
  readonly parameters?: QueryParameters
  /** undefined: no key is sent at all. */
  readonly policyKey?: number | undefined
  readonly acceptMultiPart?: boolean
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** The connection is cut when the answer begins to arrive: the server has done its work, the phone hears nothing. */
  readonly loseReply?: boolean
}

export interface Reply {
  readonly http: number
  /** As they came, canonical case kept. */
  readonly rawHeaders: readonly string[]
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Unpacked. */
  readonly body: Buffer
  /** The document, when the body is WBXML. */
  readonly document: Element | undefined
}

/** The reply was lost on purpose. */
export class LostReply extends Error {
  constructor() {
    super('the reply was lost')
    this.name = 'LostReply'
  }
}

export const path = '/Microsoft-Server-ActiveSync'

/** The query string of a call in the phone's form. */
export function queryOf(settings: PhoneSettings, call: Call): string {
  const deviceId = settings.deviceId ?? 'PHONE0001'
  const deviceType = settings.deviceType ?? 'Phone'
  const parameters = call.parameters ?? {}
  if (settings.form !== 'base64' || codes[call.command] === undefined) {
    const query = new URLSearchParams({
      Cmd: call.command,
      User: settings.user,
      DeviceId: deviceId,
      DeviceType: deviceType,
    })
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined) query.set(name, value === true ? 'T' : value === false ? 'F' : value)
    }
    return query.toString()
  }
  const version = Math.round(Number(settings.version ?? '16.1') * 10)
  const key = Buffer.alloc(call.policyKey === undefined ? 0 : 4)
  if (call.policyKey !== undefined) key.writeUInt32LE(call.policyKey)
  const counted = (bytes: Buffer): Buffer => Buffer.concat([Buffer.of(bytes.length), bytes])
  const tagged = (tag: number, value: string | undefined): Buffer =>
    value === undefined ? Buffer.alloc(0) : Buffer.concat([Buffer.of(tag), counted(Buffer.from(value))])
  const options = (parameters.SaveInSent === true ? 1 : 0) | (call.acceptMultiPart === true ? 2 : 0)
  const bytes = Buffer.concat([
    // Locale 0x0409: English (United States).
    Buffer.of(version, codes[call.command]!, 0x09, 0x04),
    counted(Buffer.from(deviceId)),
    counted(key),
    counted(Buffer.from(deviceType)),
    tagged(0, parameters.AttachmentName),
    tagged(1, parameters.CollectionId),
    tagged(3, parameters.ItemId),
    tagged(4, parameters.LongId),
    tagged(6, parameters.Occurrence),
    options === 0 ? Buffer.alloc(0) : Buffer.of(7, 1, options),
  ])
  const text = bytes.toString('base64')
  return settings.unpadded ? text.replace(/=+$/, '') : text
}

/** Sends one call and reads its answer. Rejects with {@link LostReply} when the reply was to be lost. */
export async function exchange(settings: PhoneSettings, call: Call, method = 'POST'): Promise<Reply> {
  const { body } = call
  const version = settings.version ?? '16.1'
  let bytes = body === undefined ? Buffer.alloc(0) : body instanceof Uint8Array ? Buffer.from(body) : encodeWbxml(body)
  const plain = settings.form !== 'base64' || codes[call.command] === undefined
  const headers: Record<string, string> = {
    Authorization: `Basic ${Buffer.from(`${settings.user}:${settings.password}`).toString('base64')}`,
    'User-Agent': settings.userAgent ?? 'Phone/1.0',
    ...(plain ? { 'MS-ASProtocolVersion': version } : {}),
    ...(plain && call.policyKey !== undefined ? { 'X-MS-PolicyKey': String(call.policyKey) } : {}),
    ...(plain && call.acceptMultiPart ? { 'MS-ASAcceptMultiPart': 'T' } : {}),
    ...(settings.gzip ? { 'Accept-Encoding': 'gzip' } : {}),
  }
  if (bytes.length > 0) {
    headers['Content-Type'] = call.contentType ?? 'application/vnd.ms-sync.wbxml'
    if (settings.gzip && bytes.length > 512) {
      bytes = gzipSync(bytes)
      headers['Content-Encoding'] = 'gzip'
    }
  }
  if (method === 'POST') headers['Content-Length'] = String(bytes.length)
  const query = method === 'POST' ? `?${queryOf(settings, call)}` : ''
  const send = settings.tls ? httpsRequest : httpRequest
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const request = send(
      {
        host: settings.host ?? '127.0.0.1',
        port: settings.port,
        path: `${settings.path ?? path}${query}`,
        method,
        headers: { ...headers, ...call.headers },
        agent: call.command === 'Ping' ? false : (settings.agent ?? false),
        ...(settings.tls ? { rejectUnauthorized: false } : {}),
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      },
      (answer) => {
        if (!call.loseReply) return resolve(answer)
        request.destroy()
        reject(new LostReply())
      },
    )
    request.on('error', reject)
    request.end(bytes)
  })
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  const raw = Buffer.concat(chunks)
  const unpacked = response.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
  return {
    http: response.statusCode ?? 0,
    rawHeaders: response.rawHeaders,
    headers: response.headers,
    body: unpacked,
    document: documentOf(response, unpacked),
  }
}

function documentOf(response: IncomingMessage, body: Buffer): Element | undefined {
  const type = response.headers['content-type'] ?? ''
  if (body.length === 0 || !type.startsWith('application/vnd.ms-sync.wbxml')) return undefined
  const decoded = decodeWbxml(body)
  if (!decoded.ok) throw decoded.error
  if (decoded.document.unknown.length > 0) throw new Error('the answer has undefined tokens')
  return decoded.document.root
}
