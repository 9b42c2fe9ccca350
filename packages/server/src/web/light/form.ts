import { bodyOf } from '../../http/body.ts'
import type { IncomingMessage } from 'node:http'
import { parseParameterized } from '@postrider/wire/mime'
import { MAX_FORM } from '../request.ts'

/** Forms with files: multipart/form-data (RFC 7578). One pass, within limits; a part that is none is left out. */

const MAX_PARTS = 1_000
const MAX_PART_HEADER = 8_192

export interface FormFile {
  readonly field: string
  readonly name: string
  readonly type: string
  readonly bytes: Uint8Array
}
export interface Posted {
  readonly fields: URLSearchParams
  readonly files: readonly FormFile[]
}

export async function postedForm(request: IncomingMessage, maxBytes: number): Promise<Posted | 'tooLarge' | undefined> {
  const type = request.headers['content-type'] ?? ''
  const multipart = /^multipart\/form-data\s*;/i.test(type)
  if (!multipart && !/^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(type)) return undefined
  const limit = multipart ? maxBytes : MAX_FORM
  const body = await bodyOf(request, limit)
  if (body === undefined) return 'tooLarge'
  if (!multipart) return { fields: new URLSearchParams(body.toString('utf8')), files: [] }
  const boundary = /;\s*boundary=(?:"([^"]{1,200})"|([^\s;"]{1,200}))/i.exec(type)
  const text = boundary?.[1] ?? boundary?.[2]
  return text === undefined ? undefined : readMultipart(body, text)
}

export function readMultipart(body: Buffer, boundary: string): Posted {
  const fields = new URLSearchParams()
  const files: FormFile[] = []
  const mark = Buffer.from(`\r\n--${boundary}`)
  // The first boundary has no line end before it.
  let at = body.subarray(0, mark.length - 2).equals(mark.subarray(2))
    ? mark.length - 2
    : body.indexOf(mark) + mark.length
  if (at < mark.length - 2) return { fields, files }
  for (let n = 0; n < MAX_PARTS; n++) {
    if (body.subarray(at, at + 2).toString('latin1') !== '\r\n') break
    const end = body.indexOf(mark, at)
    if (end < 0) break
    const header = body.indexOf('\r\n\r\n', at)
    if (header >= 0 && header < end && header - at <= MAX_PART_HEADER) {
      const part = readPart(body.subarray(at, header).toString('utf8'), body.subarray(header + 4, end))
      if (part !== undefined && 'value' in part) fields.append(part.field, part.value)
      else if (part !== undefined) files.push(part)
    }
    at = end + mark.length
  }
  return { fields, files }
}

function readPart(
  header: string,
  bytes: Buffer,
): FormFile | { readonly field: string; readonly value: string } | undefined {
  const line = (name: string): string => new RegExp(`^${name}:(.*)$`, 'im').exec(header)?.[1]?.trim() ?? ''
  const disposition = line('content-disposition')
  const parameter = (name: string): string | undefined => {
    const value = new RegExp(`;\\s*${name}="((?:[^"\\\\]|\\\\.)*)"`, 'i').exec(disposition)?.[1]
    // Browsers escape quotes and line ends like this: HTML Living Standard §4.10.22.7.
    return value
      ?.replace(/%22/g, '"')
      .replace(/%0D|%0A/gi, '')
      .replace(/\\(["\\])/g, '$1')
  }
  const field = parameter('name')
  if (field === undefined) return undefined
  const name = parameter('filename')
  if (name === undefined) return { field, value: bytes.toString('utf8').replace(/\r\n?/g, '\n') }
  // A file field that was left empty comes as an empty file without a name.
  if (name === '') return undefined
  const type = parseParameterized(line('content-type')).value
  const plain = /^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}$/.test(type)
    ? type.toLowerCase()
    : 'application/octet-stream'
  return { field, name: name.replace(/^.*[/\\]/, '').slice(0, 255), type: plain, bytes }
}
