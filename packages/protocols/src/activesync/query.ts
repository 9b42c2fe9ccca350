/**
 * The query string in its two forms: [MS-ASHTTP] §2.2.1.1.1. Plain text (`Cmd=Sync&User=…`) and base64, with or without
 * padding, of a byte sequence. Pure: text in, value or error out.
 */
import { type CommandName, commandCodes } from './command.ts'
import type { QueryParameters } from './request.ts'
import { Status } from './status.ts'

export interface Query {
  readonly command: CommandName
  /** Of the base64 form; the plain form has it in the MS-ASProtocolVersion header. */
  readonly version: string | undefined
  readonly deviceId: string
  readonly deviceType: string
  readonly user: string | undefined
  /** Of the base64 form: `undefined` when its length is 0; the plain form has it in the X-MS-PolicyKey header. */
  readonly policyKey: number | undefined
  readonly parameters: QueryParameters
  readonly acceptMultiPart: boolean
  /** Windows locale id of the base64 form. */
  readonly locale: number | undefined
  readonly form: 'plain' | 'base64'
}

export type QueryResult =
  | { readonly ok: true; readonly query: Query }
  /** `query` where the rest of it can be read: its command has a document for the status. */
  | { readonly ok: false; readonly status: number; readonly query?: Query }

const refuse = (status: number): QueryResult => ({ ok: false, status })

/** Longest query read; a LongId is at most 256 characters, an attachment name 768. */
export const maxQueryLength = 4096

const commandsByCode = new Map<number, CommandName>()
const commandsByName = new Map<string, CommandName>()
for (const [name, code] of Object.entries(commandCodes) as [CommandName, number][]) {
  commandsByCode.set(code, name)
  commandsByName.set(name.toLowerCase(), name)
}

/** Letters and digits; the dash and braces of GUIDs are tolerated: [MS-ASHTTP] §2.2.1.1.1.2.3. */
const deviceIdShape = /^[A-Za-z0-9{}_-]{1,64}$/
const deviceTypeShape = /^[\x21-\x7e ]{1,64}$/

/** Parses what stands behind the `?`. */
export function parseQuery(text: string): QueryResult {
  if (text.length === 0 || text.length > maxQueryLength) return refuse(Status.InvalidContent)
  // The plain form has `=` behind a name; in base64 it can only be padding at the end.
  return /^[A-Za-z]+=[^=]|&/.test(text) ? parsePlain(text) : parseBase64(text)
}

function parsePlain(text: string): QueryResult {
  const parameters = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(text)) {
    const key = name.toLowerCase()
    if (!parameters.has(key)) parameters.set(key, value)
  }
  const command = commandsByName.get((parameters.get('cmd') ?? '').toLowerCase())
  if (command === undefined) return refuse(parameters.has('cmd') ? Status.CommandNotSupported : Status.InvalidContent)
  return finish({
    command,
    version: undefined,
    deviceId: parameters.get('deviceid') ?? '',
    deviceType: parameters.get('devicetype') ?? '',
    user: parameters.get('user'),
    policyKey: undefined,
    acceptMultiPart: false,
    locale: undefined,
    form: 'plain',
    parameters: {
      ...optional('attachmentName', parameters.get('attachmentname')),
      ...optional('collectionId', parameters.get('collectionid')),
      ...optional('itemId', parameters.get('itemid')),
      ...optional('longId', parameters.get('longid')),
      ...optional('occurrence', parameters.get('occurrence')),
      saveInSent: parameters.get('saveinsent')?.toUpperCase() === 'T',
    },
  })
}

const optional = (name: string, value: string | undefined): Partial<QueryParameters> =>
  value === undefined ? {} : { [name]: value }

/** Tags of the encoded parameters: [MS-ASHTTP] §2.2.1.1.1.1.3. */
const parameterTags: ReadonlyMap<number, Exclude<keyof QueryParameters, 'saveInSent'>> = new Map([
  [0, 'attachmentName'],
  [1, 'collectionId'],
  [3, 'itemId'],
  [4, 'longId'],
  [6, 'occurrence'],
])
const optionsTag = 7
const userTag = 8
const saveInSentFlag = 0x01
const acceptMultiPartFlag = 0x02

function parseBase64(text: string): QueryResult {
  let plain: string
  try {
    plain = decodeURIComponent(text)
  } catch {
    return refuse(Status.InvalidContent)
  }
  // `+` may have been read as a space on the way, and some clients use the URL alphabet.
  plain = plain.replaceAll(' ', '+').replaceAll('-', '+').replaceAll('_', '/').replace(/=+$/, '')
  if (!/^[A-Za-z0-9+/]+$/.test(plain) || plain.length % 4 === 1) return refuse(Status.InvalidContent)
  const bytes = Buffer.from(plain, 'base64')
  let at = 0
  const take = (length: number): Buffer | undefined => {
    if (at + length > bytes.length) return undefined
    at += length
    return bytes.subarray(at - length, at)
  }
  const takeCounted = (): Buffer | undefined => {
    const length = take(1)?.[0]
    return length === undefined ? undefined : take(length)
  }
  const head = take(4)
  const deviceId = takeCounted()
  const policyKey = takeCounted()
  const deviceType = takeCounted()
  if (head === undefined || deviceId === undefined || policyKey === undefined || deviceType === undefined) {
    return refuse(Status.InvalidContent)
  }
  if (policyKey.length !== 0 && policyKey.length !== 4) return refuse(Status.InvalidContent)
  const command = commandsByCode.get(head[1]!)
  if (command === undefined) return refuse(Status.CommandNotSupported)
  const parameters: Record<string, string> = {}
  let user: string | undefined
  let options = 0
  while (at < bytes.length) {
    const tag = take(1)?.[0]
    const value = takeCounted()
    if (tag === undefined || value === undefined) return refuse(Status.InvalidContent)
    const name = parameterTags.get(tag)
    if (name !== undefined) parameters[name] = value.toString('utf8')
    else if (tag === optionsTag) options |= value[0] ?? 0
    else if (tag === userTag) user = value.toString('utf8')
  }
  return finish({
    command,
    version: `${Math.floor(head[0]! / 10)}.${head[0]! % 10}`,
    deviceId: printable(deviceId) ? deviceId.toString('latin1') : deviceId.toString('hex').toUpperCase(),
    deviceType: deviceType.toString('latin1'),
    user,
    policyKey: policyKey.length === 4 ? policyKey.readUInt32LE(0) : undefined,
    acceptMultiPart: (options & acceptMultiPartFlag) !== 0,
    locale: head.readUInt16LE(2),
    form: 'base64',
    parameters: { ...parameters, saveInSent: (options & saveInSentFlag) !== 0 },
  })
}

const printable = (bytes: Uint8Array): boolean => bytes.every((byte) => byte >= 0x20 && byte < 0x7f)

function finish(query: Query): QueryResult {
  if (!deviceIdShape.test(query.deviceId)) return { ok: false, status: Status.DeviceIdMissingOrInvalid, query }
  if (!deviceTypeShape.test(query.deviceType)) return { ok: false, status: Status.DeviceTypeMissingOrInvalid, query }
  return { ok: true, query }
}
