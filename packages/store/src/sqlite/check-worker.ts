/** Entry of the thread that checks one database and ends. */
import { parentPort, workerData } from 'node:worker_threads'
import { Checker, type CheckOptions } from './check.ts'

parentPort?.postMessage(await new Checker(workerData as CheckOptions).run())
