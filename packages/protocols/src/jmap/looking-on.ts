/** What a trace shows of JMAP: each call and each answer as one line of JSON; texts that may be somebody's contents are replaced by their length. */
import type { TraceLine, Traces } from '@postrider/domain'

/** Members whose texts steer the conversation: ids, states, types, names of properties. All other texts may be contents. */
const shown: ReadonlySet<string> = new Set(
  (
    'accountId accountIdForPrincipal id ids inMailbox inMailboxOtherThan mailboxId parentId emailId emailIds threadId identityId ' +
    'blobId partId anchor state oldState newState sinceState queryState oldQueryState newQueryState sinceQueryState ifInState ' +
    'created updated destroy destroyed notFound removed properties bodyProperties updatedProperties property arguments resultOf ' +
    'path role type undoStatus operator'
  ).split(' '),
)
/** What may be a name of the protocol or an id. */
const isName = (text: string): boolean => /^[\w$#:./*-]{1,100}$/.test(text)
/** Keywords of users are their labels. */
const isKey = (key: string, parent: string): boolean =>
  isName(key) && (parent !== 'keywords' || key.startsWith('$')) && !/^keywords\/[^$]/.test(key)
/** Members of a list or an object that are shown. */
const MAX_MEMBERS = 20
const MAX_DEPTH = 12
/** Longest line. */
const MAX_LINE = 8_000

type Said = (from: TraceLine['from'], invocation: readonly [name: string, args: unknown, callId: string]) => void
let next = 1

/** For one request: tells who looks on at its user what is said. Undefined when nobody does. */
export function lookOn(traces: Traces | undefined, address: string): Said | undefined {
  const onlooker = traces?.active === true ? traces.of(address) : undefined
  if (onlooker === undefined) return undefined
  const conversation = (next++).toString(36)
  return (from, [name, args, callId]) => {
    const head = [name, callId].map((one) => (isName(one) ? one : `(${one.length})`)).join(' ')
    const text = `${head} ${JSON.stringify(redacted(args, '', 0))}`.slice(0, MAX_LINE)
    onlooker({ protocol: 'jmap', conversation, from, text })
  }
}

/** `key`: whose value it is; members of a list are of the list's. */
function redacted(value: unknown, key: string, depth: number): unknown {
  if (typeof value === 'string') return shown.has(key) ? value : `(${value.length})`
  if (value === null || typeof value !== 'object') return value
  if (depth === MAX_DEPTH) return '(…)'
  if (Array.isArray(value)) {
    const some = value.slice(0, MAX_MEMBERS).map((one) => redacted(one, key, depth + 1))
    return value.length > MAX_MEMBERS ? [...some, `(${value.length - MAX_MEMBERS} more)`] : some
  }
  const members = Object.entries(value)
  const some = members
    .slice(0, MAX_MEMBERS)
    .map(([name, one]) => [isKey(name, key) ? name : `(${name.length})`, redacted(one, name, depth + 1)])
  if (members.length > MAX_MEMBERS) some.push(['…', `(${members.length - MAX_MEMBERS} more)`])
  return Object.fromEntries(some)
}
