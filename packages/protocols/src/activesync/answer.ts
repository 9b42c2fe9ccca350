/** An answer as a reply on the wire: encoded for the client's version, statuses said where the version says them. */
import { type Element, el, encodeWbxml, knowsTag } from '@postrider/wire/wbxml'
import type { Answer, Command } from './command.ts'
import { type Reply, wbxmlType } from './respond.ts'
import { Status, sayStatus } from './status.ts'
import type { EasVersion } from './version.ts'

/** Seconds a client is asked to wait when the server cannot answer now. */
const retryAfterSeconds = 30

/** Statuses that pass by themselves: the client is told when to come again. */
const transient: ReadonlySet<number> = new Set([Status.ServerErrorRetryLater, Status.MailboxServerOffline])

export interface ReplyOptions {
  readonly command: Command | undefined
  readonly version: EasVersion
  /** Told of elements that were left out because the version does not know them: a bug of ours, to be seen in metrics. */
  readonly onDrop?: (tag: string) => void
}

/** Encodes every kind of answer but `held`. */
export function toReply(answer: Exclude<Answer, { kind: 'held' }>, options: ReplyOptions): Reply {
  switch (answer.kind) {
    case 'document':
      return document(answer.root, options, answer.headers)
    case 'empty':
      return { http: 200 }
    case 'bytes':
      return { http: 200, contentType: answer.contentType, body: answer.bytes, ...optionalHeaders(answer.headers) }
    case 'http':
      return { http: answer.code }
    case 'status':
      return statusReply(answer.status, options)
  }
}

/** A common status as a reply. `http` overrides what 12.1 says. */
export function statusReply(status: number, options: ReplyOptions, http?: number): Reply {
  const { command, version } = options
  const say = sayStatus(status, version, command?.name)
  const headers: Record<string, string> = transient.has(status) ? { 'Retry-After': String(retryAfterSeconds) } : {}
  if (say.inBody && command?.root !== undefined && command.statusTag !== undefined && knowsTag(version, command.root)) {
    const said = el(command.statusTag, status)
    const inner = command.statusParent === undefined ? said : el(command.statusParent, said)
    return document(el(command.root, inner), options, headers)
  }
  // Without a root that the version knows there is nothing to put a status into: HTTP says it, as in 12.1.
  return { http: http ?? sayStatus(status, '12.1', command?.name).http, headers }
}

function document(root: Element, options: ReplyOptions, headers?: Readonly<Record<string, string>>): Reply {
  const { version, onDrop } = options
  const body = encodeWbxml(root, { version, outside: 'drop', ...(onDrop === undefined ? {} : { onDrop }) })
  return { http: 200, contentType: wbxmlType, body, ...optionalHeaders(headers) }
}

const optionalHeaders = (headers: Readonly<Record<string, string>> | undefined): Pick<Reply, 'headers'> =>
  headers === undefined ? {} : { headers }
