/** Entry of the two search threads: one fills the indexes behind the deliveries, one answers searches. */
import { parentPort, workerData } from 'node:worker_threads'
import { isDomainError } from '@postrider/domain'
import { serveIndex } from './serve-index.ts'
import { serveSearch } from './serve-search.ts'
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts'

const port = parentPort
if (port === null) throw new Error('search-worker.ts runs as a worker thread')
const start = workerData as WorkerStart
const post = (message: FromWorker): void => port.postMessage(message)
const failed = (id: number, error: unknown): void =>
  post({
    kind: 'failed',
    id,
    code: isDomainError(error) ? error.code : 'unavailable',
    message: error instanceof Error ? error.message : String(error),
  })

const served = start.role === 'index' ? serveIndex(start, post) : serveSearch(start, post)
port.on('message', (message: ToWorker) => {
  if (message.kind === 'close') {
    void served.close().then(() => port.close())
    return
  }
  served.take(message).catch((error: unknown) => {
    if ('id' in message) failed(message.id, error)
    else post({ kind: 'trouble', database: '', message: String(error) })
  })
})
