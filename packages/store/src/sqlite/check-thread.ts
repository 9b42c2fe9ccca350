import { Worker } from 'node:worker_threads'
import { DomainError } from '@postrider/domain'
import type { CheckOptions, CheckReport } from './check.ts'

/** Checks one database on a thread of its own. Rejects with `unavailable` when the check itself fails. */
export function checkDatabase(options: CheckOptions): Promise<CheckReport> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./check-worker.ts', import.meta.url), {
      workerData: options,
      name: 'store-check',
    })
    const fail = (cause: unknown): void => reject(new DomainError('unavailable', String(cause), { cause }))
    worker.once('message', (report: CheckReport) => resolve(report))
    worker.once('error', fail)
    worker.once('exit', () => fail('the check ended without a report'))
  })
}
