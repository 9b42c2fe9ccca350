/** Blob/copy (RFC 8620 §6.3), Blob/upload, Blob/get, Blob/lookup (RFC 9404). */
import { createHash } from 'node:crypto'
import { itemId } from '@postrider/domain'
import { openBlob, storeUpload } from '../blobs/blob.ts'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { digestAlgorithms } from '../core/capabilities.ts'
import { invalidProperties, MethodError, SetError } from '../core/error.ts'
import { emailIdOf, mailboxIdOf, threadIdOf } from '../core/ids.ts'
import { type JsonObject, record } from '../core/json.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { setErrorFrom, wantedIds } from '../core/standard.ts'
import { isMediaType } from '../http/files.ts'
import { MAX_DATA_SOURCES, MAX_OBJECTS_IN_SET, MAX_SIZE_UPLOAD } from '../limits.ts'

const blobCopyArgs = { fromAccountId: s.id, accountId: s.id, blobIds: s.list(s.id) } as const

export const blobCopy = method({
  name: 'Blob/copy',
  capability: 'core',
  args: blobCopyArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'core')
    const from = await call.account(args.fromAccountId, 'core').catch((error: unknown) => {
      throw error instanceof MethodError && error.type === 'accountNotFound'
        ? new MethodError('fromAccountNotFound')
        : error
    })
    const copied = record<string>()
    const notCopied = record<unknown>()
    for (const id of wantedIds(call, args.blobIds)) {
      const blob = await openBlob(call, from, id)
      if (blob === undefined) notCopied[id] = new SetError('notFound').toJSON()
      else if (blob.size > MAX_SIZE_UPLOAD) notCopied[id] = new SetError('tooLarge').toJSON()
      else copied[id] = await storeUpload(call, account, await blob.read(), blob.type ?? 'application/octet-stream')
    }
    const some = (map: Record<string, unknown>): unknown => (Object.keys(map).length === 0 ? null : map)
    return {
      fromAccountId: args.fromAccountId,
      accountId: args.accountId,
      copied: some(copied),
      notCopied: some(notCopied),
    }
  },
})

const source = s.object({
  'data:asText': s.optional<string | null>(s.nullable(s.string), null),
  'data:asBase64': s.optional<string | null>(s.nullable(s.string), null),
  blobId: s.optional<string | null>(s.nullable(s.idOrCreation), null),
  offset: s.optional<number | null>(s.nullable(s.unsigned), null),
  length: s.optional<number | null>(s.nullable(s.unsigned), null),
})
const upload = s.object({ data: s.list(source), type: s.optional<string | null>(s.nullable(s.string), null) })

/** One piece of an upload: RFC 9404 §4.1. */
async function piece(call: Call, account: Account, one: ReturnType<typeof source>): Promise<Uint8Array> {
  const { 'data:asText': text, 'data:asBase64': base64, blobId } = one
  if ([text, base64, blobId].filter((value) => value !== null).length !== 1) throw invalidProperties(['data'])
  if (text !== null) {
    if (!text.isWellFormed()) throw invalidProperties(['data'])
    return Buffer.from(text, 'utf8')
  }
  if (base64 !== null) {
    if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(base64))
      throw invalidProperties(['data'])
    return Buffer.from(base64, 'base64')
  }
  const id = call.resolve(blobId as string) ?? ''
  const blob = await openBlob(call, account, id)
  if (blob === undefined) throw new SetError('blobNotFound', undefined, { notFound: [blobId] })
  const start = one.offset ?? 0
  const end = one.length === null ? blob.size : start + one.length
  if (end > blob.size) throw invalidProperties(['data'], 'the range is beyond the blob')
  return blob.read(start, end)
}

const blobUploadArgs = { accountId: s.id, create: s.mapOf(s.id, s.jsonObject) } as const

export const blobUpload = method({
  name: 'Blob/upload',
  capability: 'blob',
  args: blobUploadArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'blob')
    if (args.create.size > MAX_OBJECTS_IN_SET) throw new MethodError('requestTooLarge')
    const created = record<unknown>()
    const notCreated = record<unknown>()
    for (const [creation, object] of args.create) {
      try {
        const { data, type } = upload(object, '')
        if (data.length > MAX_DATA_SOURCES) throw invalidProperties(['data'], 'too many sources')
        if (type !== null && !isMediaType(type)) throw invalidProperties(['type'])
        const pieces: Uint8Array[] = []
        let size = 0
        for (const one of data) {
          const bytes = await piece(call, account, one)
          size += bytes.length
          if (size > MAX_SIZE_UPLOAD) throw new SetError('tooLarge')
          pieces.push(bytes)
        }
        const id = await storeUpload(call, account, Buffer.concat(pieces), type ?? 'application/octet-stream')
        call.remember(creation, id)
        created[creation] = { id, type, size }
      } catch (error) {
        notCreated[creation] = setErrorFrom(error).toJSON()
      }
    }
    const some = (map: Record<string, unknown>): unknown => (Object.keys(map).length === 0 ? null : map)
    return { accountId: args.accountId, created: some(created), notCreated: some(notCreated) }
  },
})

const digestNames = new Map(
  digestAlgorithms.map((name) => [`digest:${name}`, name === 'sha' ? 'sha1' : name.replace('-', '')]),
)
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const blobGetArgs = {
  accountId: s.id,
  ids: s.list(s.idOrCreation),
  properties: s.maybe(s.list(s.string)),
  offset: s.maybe(s.unsigned),
  length: s.maybe(s.unsigned),
} as const

export const blobGet = method({
  name: 'Blob/get',
  capability: 'blob',
  args: blobGetArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'blob')
    const properties = args.properties ?? ['data', 'size']
    const unknown = properties.find(
      (name) => !['id', 'data', 'data:asText', 'data:asBase64', 'size'].includes(name) && !digestNames.has(name),
    )
    if (unknown !== undefined)
      throw new MethodError('invalidArguments', `${unknown.slice(0, 100)} is no property`, {
        arguments: ['properties'],
      })
    const list: unknown[] = []
    const notFound: string[] = []
    for (const id of wantedIds(call, args.ids)) {
      const blob = await openBlob(call, account, id)
      if (blob === undefined) {
        notFound.push(id)
        continue
      }
      const out = record<unknown>([['id', id]])
      const wanted = (name: string): boolean => properties.includes(name)
      const start = Math.min(args.offset ?? 0, blob.size)
      const end = Math.min(args.length === null ? blob.size : (args.offset ?? 0) + args.length, blob.size)
      const truncated =
        (args.offset ?? 0) > blob.size || (args.length !== null && (args.offset ?? 0) + args.length > blob.size)
      if (properties.some((name) => name.startsWith('data') || digestNames.has(name))) {
        const bytes = await blob.read(start, Math.max(start, end))
        if (truncated) out.isTruncated = true
        const text = textOf(bytes)
        const asText = wanted('data:asText') || (wanted('data') && text !== undefined)
        const asBase64 = wanted('data:asBase64') || (wanted('data') && text === undefined)
        if (asText || asBase64) call.spend(bytes.length)
        if (text === undefined && (asText || wanted('data'))) out.isEncodingProblem = true
        if (asText) out['data:asText'] = text ?? null
        if (asBase64) out['data:asBase64'] = Buffer.from(bytes).toString('base64')
        for (const [name, algorithm] of digestNames)
          if (wanted(name)) out[name] = createHash(algorithm).update(bytes).digest('base64')
      }
      if (wanted('size')) out.size = blob.size
      list.push(out)
    }
    return { accountId: args.accountId, list, notFound }
  },
})

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
}

const blobLookupArgs = { accountId: s.id, typeNames: s.list(s.string), ids: s.list(s.idOrCreation) } as const

export const blobLookup = method({
  name: 'Blob/lookup',
  capability: 'blob',
  args: blobLookupArgs,
  async run(call, args) {
    const account = await call.account(args.accountId, 'blob')
    if (!args.typeNames.every((name) => ['Mailbox', 'Thread', 'Email'].includes(name)))
      throw new MethodError('unknownDataType')
    const list: JsonObject[] = []
    const notFound: string[] = []
    const view = await call.view(account)
    await view.readThreads()
    for (const id of wantedIds(call, args.ids)) {
      const number = /^B([1-9]\d{0,14})-/.exec(id)?.[1]
      const mail = number === undefined ? undefined : view.mail(itemId(Number(number)))
      if ((await openBlob(call, account, id)) === undefined) {
        notFound.push(id)
        continue
      }
      const matches: Readonly<Record<string, readonly string[]>> = {
        Email: mail === undefined ? [] : [emailIdOf(mail.id)],
        Thread: mail?.thread === undefined ? [] : [threadIdOf(mail.thread)],
        Mailbox: mail === undefined ? [] : mail.places.map((one) => mailboxIdOf(one.folder)),
      }
      list.push({ id, matchedIds: record(args.typeNames.map((name) => [name, matches[name] ?? []] as const)) })
    }
    return { accountId: args.accountId, list, notFound }
  },
})
