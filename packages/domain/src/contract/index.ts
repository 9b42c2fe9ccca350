/**
 * The contract of the mailbox service as tests: what every driver and every carrier has to do, in many small tests by topic, and random
 * operations against a model. In: a name and how to open an empty service. Who brings a service calls `mailboxContract` in a
 * test file of its own. Only tests import this. Read next: subject.ts (what tests work with), invariants.ts (what always holds).
 */
import { describe } from 'node:test'
import { atomicityTopic } from './atomicity.ts'
import { blobsTopic } from './blobs.ts'
import { concurrencyTopic } from './concurrency.ts'
import { contentTopic } from './content.ts'
import { countersTopic } from './counters.ts'
import { feedTopic } from './feed.ts'
import { flagsTopic } from './flags.ts'
import { foldersTopic } from './folders.ts'
import { hintsTopic } from './hints.ts'
import { itemsTopic } from './items.ts'
import { mailboxTopic } from './mailbox.ts'
import { checkModel } from './model.ts'
import { placementTopic } from './placement.ts'
import { queueTopic } from './queue.ts'
import { readyTopic } from './ready.ts'
import { scanTopic } from './scan.ts'
import { searchTopic } from './search.ts'
import { permissionsTopic, quotaTopic, stateTopic } from './small.ts'
import type { OpenService } from './subject.ts'
import { threadsTopic } from './threads.ts'
import { runTopic, type Topic } from './topic.ts'

export type { OpenedService, OpenService, TestClock } from './subject.ts'

export interface ContractOptions {
  /** Random histories to run against the model. */
  readonly modelRuns?: number
}

const topics: readonly Topic[] = [
  mailboxTopic,
  foldersTopic,
  itemsTopic,
  countersTopic,
  flagsTopic,
  placementTopic,
  contentTopic,
  feedTopic,
  scanTopic,
  threadsTopic,
  stateTopic,
  permissionsTopic,
  quotaTopic,
  queueTopic,
  blobsTopic,
  readyTopic,
  hintsTopic,
  searchTopic,
  concurrencyTopic,
  atomicityTopic,
]

/** Declares the whole suite for one service. */
export function mailboxContract(name: string, open: OpenService, { modelRuns = 60 }: ContractOptions = {}): void {
  describe(`mailbox service: ${name}`, () => {
    for (const topic of topics) runTopic(open, topic)
    const model = { 'random operations leave what the model says': checkModelWith(modelRuns) }
    runTopic(open, { name: 'model', tests: model })
  })
}

const checkModelWith =
  (runs: number): Topic['tests'][string] =>
  (subject) =>
    checkModel(subject, runs)
