/** A method: its name, its capability, the shape of its arguments, what it does. The table of all is methods.ts. */
import type { Call } from './call.ts'
import type { CapabilityName } from './capabilities.ts'
import type { JsonObject } from './json.ts'
import { type Fields, type FieldsOf, object } from './shape.ts'

/** The arguments of one answer. */
export type Answer = Readonly<Record<string, unknown>>
/** An answer and what it brings along under other names: the implicit Email/set of EmailSubmission/set. */
export interface Answers {
  readonly answer: Answer
  readonly more: readonly (readonly [name: string, answer: Answer])[]
}

export interface Method {
  readonly name: string
  readonly capability: CapabilityName
  run(call: Call, args: JsonObject): Promise<Answers>
}

export function method<const F extends Fields>(definition: {
  readonly name: string
  readonly capability: CapabilityName
  readonly args: F
  run(call: Call, args: FieldsOf<F>): Promise<Answer | Answers> | Answer
}): Method {
  const shape = object(definition.args)
  return {
    name: definition.name,
    capability: definition.capability,
    async run(call, args) {
      const answer = await definition.run(call, shape(args, ''))
      return isAnswers(answer) ? answer : { answer, more: [] }
    },
  }
}

const isAnswers = (answer: Answer | Answers): answer is Answers => 'more' in answer && Array.isArray(answer.more)
