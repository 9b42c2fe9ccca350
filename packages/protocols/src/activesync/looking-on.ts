/** What a trace shows of ActiveSync: each request and answer as one line of XML, texts that are contents replaced by their length. */
import type { Onlooker } from '@postrider/domain'
import { decodeWbxml, type Element, type Tag, toXml } from '@postrider/wire/wbxml'
import type { Reply } from './respond.ts'

/** Elements whose texts steer the conversation; all others may be somebody's contents. Local names: they mean the same on every page. */
const shown: ReadonlySet<string> = new Set(
  (
    'Status SyncKey CollectionId ServerId ParentId ClientId Class Type FilterType WindowSize Wait HeartbeatInterval Id Limit MaxFolders Conflict ' +
    'GetChanges DeletesAsMoves ConversationMode MIMESupport MIMETruncation TruncationSize AllOrNone Estimate EstimatedDataSize ' +
    'Truncated NativeBodyType PolicyKey PolicyType Range Total Read Count SrcMsgId SrcFldId DstFldId DstMsgId FolderId ItemId ' +
    'Method IsInline Part Version RebuildResults DeepTraversal'
  ).split(' '),
)
const isShown = (tag: Tag): boolean => shown.has(tag.slice(tag.indexOf(':') + 1))

const xml = (root: Element): string => toXml(root, { redact: (tag) => !isShown(tag) })

/** The line of a request. Its query names user and device; the rest of its headers says nothing a trace is read for. */
export function lookAtRequest(
  onlooker: Onlooker,
  conversation: string,
  head: string,
  document: Element | undefined,
): void {
  onlooker({
    protocol: 'activesync',
    conversation,
    from: 'client',
    text: document === undefined ? head : `${head} ${xml(document)}`,
  })
}

/** The line of an answer: HTTP status and document, or how many octets of something else. */
export function lookAtReply(onlooker: Onlooker, conversation: string, { http, body, contentType }: Reply): void {
  let text = `HTTP ${http}`
  if (body !== undefined && body.length > 0) {
    const decoded = contentType === undefined || contentType.includes('wbxml') ? decodeWbxml(body) : undefined
    text += decoded?.ok === true ? ` ${xml(decoded.document.root)}` : ` ${body.length} octets`
  }
  onlooker({ protocol: 'activesync', conversation, from: 'server', text })
}
