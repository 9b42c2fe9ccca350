/** The Request object: RFC 8620 §3.3. In: bytes; out: calls, or a RequestProblem. */
import { MAX_CALLS_IN_REQUEST, MAX_CREATED_IDS, MAX_SIZE_REQUEST } from '../limits.ts'
import { type CapabilityName, urn } from './capabilities.ts'
import { RequestProblem } from './error.ts'
import { isObject, type JsonObject, own, readJson } from './json.ts'
import { isId } from './shape.ts'

export interface Invocation {
  readonly name: string
  readonly args: JsonObject
  readonly callId: string
}

export interface JmapRequest {
  readonly using: ReadonlySet<CapabilityName>
  readonly calls: readonly Invocation[]
  readonly createdIds: Map<string, string> | undefined
}

const byUrn = new Map<string, CapabilityName>(Object.entries(urn).map(([name, text]) => [text, name as CapabilityName]))
const notRequest = (detail: string): RequestProblem => new RequestProblem('notRequest', detail)

export function readRequest(bytes: Uint8Array): JmapRequest {
  if (bytes.length > MAX_SIZE_REQUEST)
    throw new RequestProblem('limit', 'The request is too large.', { limit: 'maxSizeRequest' })
  const json = readJson(bytes)
  if (!json.ok) {
    if (json.reason === 'syntax') throw new RequestProblem('notJSON', 'The request is not I-JSON.')
    throw notRequest(json.reason === 'tooDeep' ? 'The request is nested too deep.' : 'The request has too many values.')
  }
  const { value } = json
  if (!isObject(value)) throw notRequest('A request is an object.')
  const using = own(value, 'using')
  if (!Array.isArray(using) || !using.every((one) => typeof one === 'string'))
    throw notRequest('"using" is an array of strings.')
  const names = new Set<CapabilityName>()
  for (const one of using as readonly string[]) {
    const name = byUrn.get(one)
    if (name === undefined)
      throw new RequestProblem('unknownCapability', `The server does not know "${one.slice(0, 200)}".`)
    names.add(name)
  }
  const calls = own(value, 'methodCalls')
  if (!Array.isArray(calls)) throw notRequest('"methodCalls" is an array.')
  if (calls.length > MAX_CALLS_IN_REQUEST)
    throw new RequestProblem('limit', 'The request has too many calls.', { limit: 'maxCallsInRequest' })
  return { using: names, calls: calls.map(invocation), createdIds: createdIds(own(value, 'createdIds')) }
}

function invocation(value: unknown): Invocation {
  if (!Array.isArray(value) || value.length !== 3) throw notRequest('A call is an array of name, arguments and id.')
  const [name, args, callId] = value as readonly unknown[]
  if (typeof name !== 'string' || !isObject(args) || typeof callId !== 'string')
    throw notRequest('A call is an array of name, arguments and id.')
  return { name, args, callId }
}

function createdIds(value: unknown): Map<string, string> | undefined {
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw notRequest('"createdIds" is an object.')
  const entries = Object.entries(value)
  if (entries.length > MAX_CREATED_IDS)
    throw new RequestProblem('limit', 'Too many creation ids.', { limit: 'createdIds' })
  return new Map(
    entries.map(([creation, id]) => {
      if (!isId(creation) || typeof id !== 'string' || !isId(id)) throw notRequest('"createdIds" maps ids to ids.')
      return [creation, id]
    }),
  )
}
