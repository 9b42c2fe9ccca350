/** Entry of a fetcher's thread: gets what comes over the port, and wakes who waits for it. */
import { workerData } from 'node:worker_threads'
import { S3 } from '../s3/index.ts'
import type { FetchAnswer, FetcherData, FetchQuestion } from './remote-files.ts'

const { objects, port, answered } = workerData as FetcherData
const signal = new Int32Array(answered)
const s3 = new S3(objects)

const answer = async ({ id, key, from, length }: FetchQuestion): Promise<FetchAnswer> => {
  try {
    return { id, bytes: await s3.get(key, { from, length }) }
  } catch (error) {
    return { id, error: error instanceof Error ? error.message : String(error) }
  }
}

port.on('message', (question: FetchQuestion) => {
  void answer(question).then((message) => {
    port.postMessage(message)
    Atomics.add(signal, 0, 1)
    Atomics.notify(signal, 0)
  })
})
port.on('close', () => s3.close())
