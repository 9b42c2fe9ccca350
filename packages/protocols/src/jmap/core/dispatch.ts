/** Runs the calls of a request one after the other: RFC 8620 §3.4, §3.6.2. What one call does wrong is that call's alone. */
import { DomainError } from '@postrider/domain'
import { lookOn } from '../looking-on.ts'
import type { Call } from './call.ts'
import { MethodError, methodErrorOf } from './error.ts'
import type { Method } from './method.ts'
import { type Given, resolveReferences } from './references.ts'
import type { Invocation, JmapRequest } from './request.ts'
import { Misfit } from './shape.ts'

export type MethodResponse = readonly [name: string, args: unknown, callId: string]

export async function dispatch(
  methods: ReadonlyMap<string, Method>,
  call: Call,
  request: JmapRequest,
): Promise<readonly MethodResponse[]> {
  const { parts } = call.jmap
  const said = lookOn(parts.traces, call.principal.address)
  const given: Given[] = []
  for (const invocation of request.calls) {
    said?.('client', [invocation.name, invocation.args, invocation.callId])
    const answers = await one(methods, call, request, invocation, given)
    for (const { name, args, callId } of answers) said?.('server', [name, args, callId])
    given.push(...answers)
  }
  return given.map(({ name, args, callId }) => [name, args, callId])
}

async function one(
  methods: ReadonlyMap<string, Method>,
  call: Call,
  request: JmapRequest,
  { name, args, callId }: Invocation,
  given: readonly Given[],
): Promise<readonly Given[]> {
  const method = methods.get(name)
  try {
    if (method === undefined || !request.using.has(method.capability)) throw new MethodError('unknownMethod')
    const { answer, more } = await method.run(call, resolveReferences(args, given))
    return [{ name, args: answer, callId }, ...more.map(([other, its]) => ({ name: other, args: its, callId }))]
  } catch (error) {
    const { type, fields } = methodErrorFrom(call, name, error)
    call.jmap.parts.meter.count('jmap_errors_total', { type })
    return [{ name: 'error', args: { type, ...fields }, callId }]
  }
}

/** What a call's client hears of an error; our own faults are logged and told without details. */
function methodErrorFrom(call: Call, method: string, error: unknown): MethodError {
  if (error instanceof MethodError) return error
  if (error instanceof Misfit) {
    const [name = ''] = error.path.split('/')
    return new MethodError('invalidArguments', error.message, name === '' ? {} : { arguments: [name] })
  }
  if (error instanceof DomainError) {
    const type = methodErrorOf[error.code]
    if (type === 'serverFail' || type === 'serverUnavailable')
      call.jmap.parts.log.warn({ method, err: error }, 'a JMAP call failed')
    return new MethodError(type)
  }
  call.jmap.parts.log.error({ method, err: error }, 'a JMAP call failed')
  return new MethodError('serverFail', 'Something went wrong here. It has been logged.')
}
