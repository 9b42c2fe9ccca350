/** Result references: RFC 8620 §3.7. `#name` in the arguments is replaced by what an earlier answer holds at a path. */
import { MAX_REFERENCED } from '../limits.ts'
import { MethodError } from './error.ts'
import { isObject, type Json, type JsonObject, own, record } from './json.ts'
import { evaluatePointer } from './pointer.ts'

/** An answer that was given already, as the client will see it. */
export interface Given {
  readonly name: string
  readonly args: unknown
  readonly callId: string
}

export function resolveReferences(args: JsonObject, given: readonly Given[]): JsonObject {
  if (!Object.keys(args).some((key) => key.startsWith('#'))) return args
  const out = record<Json>()
  for (const [key, value] of Object.entries(args)) {
    if (!key.startsWith('#')) {
      out[key] = value
      continue
    }
    const name = key.slice(1)
    if (Object.hasOwn(args, name)) throw new MethodError('invalidArguments', `both ${name} and ${key} are given`)
    out[name] = resolved(value, given)
  }
  return out
}

function resolved(reference: Json, given: readonly Given[]): Json {
  const wrong = (why: string): MethodError => new MethodError('invalidResultReference', why)
  if (!isObject(reference)) throw wrong('a reference is an object')
  const [resultOf, name, path] = ['resultOf', 'name', 'path'].map((key) => own(reference, key))
  if (typeof resultOf !== 'string' || typeof name !== 'string' || typeof path !== 'string')
    throw wrong('a reference has resultOf, name and path')
  const found = given.find((one) => one.callId === resultOf)
  if (found === undefined) throw wrong('no call of that id was answered before')
  if (found.name !== name) throw wrong('that call was answered by another name')
  const value = evaluatePointer(plain(found.args), path, MAX_REFERENCED)
  if (value === undefined) throw wrong('the path leads nowhere')
  return value
}

/** Answers may hold objects that write themselves as JSON (SetError); a reference sees what the client sees. */
function plain(value: unknown): Json {
  return value as Json
}
