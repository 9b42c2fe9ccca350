/**
 * The thread that owns mailbox databases: opens them, serves them over the link, reports how it is. Nothing else runs in it, so SQLite may
 * take its time without a client waiting for another's.
 */
import { BroadcastChannel, parentPort, workerData } from 'node:worker_threads'
import { serveOwner } from '@postrider/link'
import { openLog } from '../operations/log.ts'
import { watchStalls } from '../operations/stalls.ts'
import { openStore } from './open-store.ts'
import { GatheringMeter, type OwnerData, type OwnerNews, type OwnerOrder, PULSE_MS } from './side-channel.ts'

const { channel: name, folder, databases, server, thread, logLevel, logFormat } = workerData as OwnerData
const channel = new BroadcastChannel(name)
const tell = (news: OwnerNews): void => channel.postMessage(news)
const opened = openLog(logLevel, logFormat)
const log = opened.log.child({ part: thread })
const meter = new GatheringMeter()
try {
  const store = await openStore({ folder, databases, server, log, meter })
  channel.onmessage = (event) => {
    const order = (event as { data: OwnerOrder }).data
    if (order.kind === 'logLevel') opened.setLevel(order.level)
    else
      store.check({ originals: order.originals }).then(
        (reports) => tell({ kind: 'checked', id: order.id, reports, error: '' }),
        (error: unknown) => tell({ kind: 'checked', id: order.id, reports: undefined, error: String(error) }),
      )
  }
  const stopStalls = watchStalls(meter, log, thread)
  const pulse = setInterval(() => {
    const health = store.health()
    const stopped = health.find((one) => one.stopped !== undefined)
    const away = health.find((one) => one.away !== undefined)
    tell({
      kind: 'pulse',
      measured: meter.take(),
      stopped: stopped === undefined ? undefined : `${stopped.database}: ${stopped.stopped}`,
      away: away === undefined ? undefined : `${away.database}: ${away.away}`,
    })
  }, PULSE_MS)
  serveOwner(parentPort, store, {
    log,
    async closed() {
      clearInterval(pulse)
      stopStalls()
      try {
        await store.close()
      } catch (error) {
        log.error({ err: error }, 'the mailbox databases did not close well')
      }
      channel.close()
      opened.flush()
    },
  })
  tell({ kind: 'open' })
} catch (error) {
  log.error({ err: error }, 'the mailbox databases cannot be opened')
  tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  opened.flush()
  channel.close()
  parentPort?.close()
}
