/** A reporter for Node's test runner: one line for every failed test, with the file it stands in. */
import type { TestEvent } from 'node:test/reporters'

export default async function* failedFiles(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) if (event.type === 'test:fail') yield `${event.data.file ?? event.data.name}\n`
}
