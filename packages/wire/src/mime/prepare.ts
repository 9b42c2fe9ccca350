import { findBodies } from './bodies.ts'
import { packIndex } from './index-format.ts'
import { messageClass } from './message-class.ts'
import { readMessageHeader } from './message-header.ts'
import { previewOf } from './preview.ts'
import { scanMessage } from './scan.ts'
import { type BodyFacts, hasAttachments, summaryOf } from './summary.ts'
import type { MessageSummary, MimeTree } from './types.ts'

/** A message as the store wants it: its index, and its summary for the columns. */
export interface PreparedMessage {
  readonly index: Uint8Array
  readonly summary: MessageSummary
}

function factsOf(tree: MimeTree): BodyFacts {
  const bodies = findBodies(tree)
  return {
    preview: previewOf(tree.bytes, tree, bodies),
    hasAttachments: hasAttachments(tree.parts),
    class: messageClass(tree.bytes, tree, bodies),
    size: tree.bytes.length,
  }
}

/**
 * Everything the store keeps beside the original, from one scan of the bytes: the hot path of delivery, APPEND and Sync. Linear, never
 * throws on content.
 */
export function prepareMessage(bytes: Uint8Array): PreparedMessage {
  const tree = scanMessage(bytes)
  const header = tree.header()
  const fields = readMessageHeader(header)
  const facts = factsOf(tree)
  return { index: packIndex(tree, header, fields, facts), summary: summaryOf(header, fields, facts) }
}

/** The index alone; see index-format.ts. */
export function packMessageIndex(bytes: Uint8Array): Uint8Array {
  const tree = scanMessage(bytes)
  const header = tree.header()
  return packIndex(tree, header, readMessageHeader(header), factsOf(tree))
}

/** The summary alone. */
export function summarize(bytes: Uint8Array): MessageSummary {
  const tree = scanMessage(bytes)
  const header = tree.header()
  return summaryOf(header, readMessageHeader(header), factsOf(tree))
}
