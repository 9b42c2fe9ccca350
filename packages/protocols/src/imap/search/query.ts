import { MAX_SEARCH_DEPTH, MAX_SEARCH_NODES, type SearchQuery } from '@postrider/domain'
import type { SearchKey } from '@postrider/wire/imap'
import { flagBit } from '../flags.ts'
import type { View } from '../view/view.ts'

const MS_PER_DAY = 86_400_000

/** Turns a search program into the service's query; undefined where it has no exact word for it or the tree is too large. */
export function toQuery(key: SearchKey, view: View, now: number): SearchQuery | undefined {
  const counter = { nodes: 0 }
  const query = translate(key, { view, now, counter }, 1)
  return counter.nodes > MAX_SEARCH_NODES ? undefined : query
}

interface Context {
  readonly view: View
  readonly now: number
  readonly counter: { nodes: number }
}

function translate(key: SearchKey, context: Context, depth: number): SearchQuery | undefined {
  if (++context.counter.nodes > MAX_SEARCH_NODES || depth > MAX_SEARCH_DEPTH) return undefined
  switch (key.kind) {
    case 'all':
      return { kind: 'all' }
    case 'and':
      return several('and', key.keys, context, depth)
    case 'or':
      return several('or', flattenOr(key), context, depth)
    case 'not': {
      const of = translate(key.key, context, depth + 1)
      return of === undefined ? undefined : { kind: 'not', of }
    }
    case 'set':
      return {
        kind: 'uid',
        ranges: pairs(context.view.map.toUids(context.view.sequences(key.set, key.uid, 'nothing'))),
      }
    case 'flag': {
      const bit = flagBit(key.flag)
      if (bit !== undefined)
        return key.present ? { kind: 'flags', set: bit, clear: 0 } : { kind: 'flags', set: 0, clear: bit }
      const keyword: SearchQuery = { kind: 'keyword', name: key.flag }
      return key.present ? keyword : { kind: 'not', of: keyword }
    }
    case 'recent':
    case 'saveDateSupported':
      return { kind: 'not', of: { kind: 'all' } }
    case 'header':
      return { kind: 'header', name: key.field, value: key.value }
    case 'from':
    case 'to':
    case 'cc':
    case 'bcc':
    case 'subject':
    case 'body':
    case 'text':
      return { kind: 'text', field: key.kind, value: key.value, match: 'substring' }
    case 'date':
      return key.date === 'sent' ? undefined : { kind: 'received', ...days(key.compare, key.day) }
    case 'size':
      return key.compare === 'larger' ? { kind: 'size', larger: key.octets } : { kind: 'size', smaller: key.octets }
    case 'age': {
      const since = context.now - key.seconds * 1000
      return key.compare === 'younger' ? { kind: 'received', from: since } : { kind: 'received', before: since + 1 }
    }
    case 'modseq':
      // A number beyond all change numbers finds nothing; the local evaluation says so.
      return undefined
    case 'threadid':
      return { kind: 'conversation', id: key.id.slice(1) }
    case 'emailid':
      return undefined
  }
}

function several(
  kind: 'and' | 'or',
  keys: readonly SearchKey[],
  context: Context,
  depth: number,
): SearchQuery | undefined {
  const of: SearchQuery[] = []
  for (const key of keys) {
    const part = translate(key, context, depth + 1)
    if (part === undefined) return undefined
    of.push(part)
  }
  return { kind, of }
}

/** `OR a OR b OR c …` is one level, however long. */
export function flattenOr(key: SearchKey): SearchKey[] {
  const flat: SearchKey[] = []
  const stack = [key]
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    if (next.kind === 'or') stack.push(next.right, next.left)
    else flat.push(next)
  }
  return flat
}

function pairs(ranges: Uint32Array): [number, number][] {
  const out: [number, number][] = []
  for (let i = 0; i < ranges.length; i += 2) out.push([ranges[i] as number, ranges[i + 1] as number])
  return out
}

/** A day as an interval of milliseconds; INTERNALDATE is shown in UTC, so days are UTC days. */
export function days(compare: 'before' | 'on' | 'since', day: number): { from?: number; before?: number } {
  const start = day * MS_PER_DAY
  if (compare === 'before') return { before: start }
  if (compare === 'since') return { from: start }
  return { from: start, before: start + MS_PER_DAY }
}
