/** Entry of a bridge's thread: asks the server what comes over the port, and wakes who waits for the answer. */
import { workerData } from 'node:worker_threads'
import { silentLog } from '@postrider/domain'
import type { BridgeAnswer, BridgeData, BridgeQuestion } from './bridge.ts'
import { isLost } from './errors.ts'
import { Link, messageOf } from './link.ts'
import type { Answers, Step } from './session.ts'

/** How long to try to reach the server, ms. */
const PATIENCE_MS = 10_000

const { urls, schema, port, answered } = workerData as BridgeData
const signal = new Int32Array(answered)
const link = new Link({ urls, searchPath: `"${schema}"`, patienceMs: PATIENCE_MS, log: silentLog })

async function ask(steps: readonly Step[]): Promise<Answers> {
  for (let again = true; ; again = false) {
    try {
      return await (await link.session()).run(steps)
    } catch (error) {
      if (!again || !isLost(error)) throw error
    }
  }
}

const answer = async ({ id, steps }: BridgeQuestion): Promise<BridgeAnswer> => {
  try {
    return { id, answers: await ask(steps) }
  } catch (error) {
    return { id, error: messageOf(error) }
  }
}

port.on('message', (question: BridgeQuestion) => {
  void answer(question).then((message) => {
    port.postMessage(message)
    Atomics.add(signal, 0, 1)
    Atomics.notify(signal, 0)
  })
})
port.on('close', () => link.close())
