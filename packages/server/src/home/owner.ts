/**
 * The module that owns mailbox databases, in a thread or in a process of its own: opens them, serves them over the link, reports how it is.
 * Nothing else runs there, so SQLite may take its time without a client waiting for another's.
 */
import { openLog } from '../operations/log.ts'
import { watchStalls } from '../operations/stalls.ts'
import { openStore } from './open-store.ts'
import { takeSeat } from './seat.ts'
import { GatheringMeter, PULSE_MS } from './side-channel.ts'

const seat = await takeSeat()
const { folder, databases, epochs, firstNumber, server, thread, logLevel, logFormat, scrubRate, shipping } = seat.data
const opened = openLog(logLevel, logFormat)
const log = opened.log.child({ part: thread })
const meter = new GatheringMeter()
try {
  const store = await openStore({
    folder,
    databases,
    epochs,
    firstNumber,
    server,
    scrubRate: scrubRate ?? 0,
    ...(shipping === undefined
      ? {}
      : {
          shipping: {
            ...shipping,
            tell: (database, seq, degraded) => seat.tell({ kind: 'logged', database, seq, degraded }),
          },
        }),
    log,
    meter,
  })
  seat.hear((order) => {
    if (order.kind === 'logLevel') opened.setLevel(order.level)
    else if (order.kind === 'scrubRate') store.setScrubRate?.(order.rate)
    else if (order.kind === 'confirmed') store.confirm?.(order.database, order.confirmed)
    else
      store.check({ originals: order.originals }).then(
        (reports) => seat.tell({ kind: 'checked', id: order.id, reports, error: '' }),
        (error: unknown) => seat.tell({ kind: 'checked', id: order.id, reports: undefined, error: String(error) }),
      )
  })
  const stopStalls = watchStalls(meter, log, thread)
  const pulse = setInterval(() => {
    const health = store.health()
    const stopped = health.find((one) => one.stopped !== undefined)
    const away = health.find((one) => one.away !== undefined)
    seat.tell({
      kind: 'pulse',
      measured: meter.take(),
      stopped: stopped === undefined ? undefined : `${stopped.database}: ${stopped.stopped}`,
      away: away === undefined ? undefined : `${away.database}: ${away.away}`,
      memoryBytes: seat.memoryBytes(),
    })
  }, PULSE_MS)
  const close = async (): Promise<void> => {
    clearInterval(pulse)
    stopStalls()
    try {
      await store.close()
    } catch (error) {
      log.error({ err: error }, 'the mailbox databases did not close well')
    }
    await opened.flush()
    seat.leave()
  }
  await seat.serve(store, { log, closed: () => void close() })
} catch (error) {
  log.error({ err: error }, 'the mailbox databases cannot be opened')
  seat.tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
  await opened.flush()
  seat.leave()
}
