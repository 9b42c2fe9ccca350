import { after, before, describe, test } from 'node:test'
import { type OpenService, Subject, TestClock } from './subject.ts'

/** One test of a topic: gets the topic's service. */
export type TopicTest = (subject: Subject) => Promise<void>
/** Declares a topic's tests, in order, by name. */
export type Topic = { readonly name: string; readonly tests: Readonly<Record<string, TopicTest>> }

/** Runs a topic's tests over one service, opened before and closed behind them. */
export function runTopic(open: OpenService, topic: Topic): void {
  describe(topic.name, () => {
    let subject: Subject
    before(async () => {
      const clock = new TestClock()
      subject = new Subject(await open({ clock }), clock)
    })
    after(() => subject.close())
    for (const [name, run] of Object.entries(topic.tests)) test(name, () => run(subject))
  })
}
