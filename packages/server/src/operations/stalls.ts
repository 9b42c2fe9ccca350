import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Logger, Meter } from '@postrider/domain'

/** A loop that stood still for longer is a bug: architecture.md §1. */
export const STALL_MS = 50
const RESOLUTION_MS = 10
const LOOK_MS = 1_000
/** Said in the log; shorter ones are only counted. */
const LOUD_MS = 500

/**
 * Measures all the time how long this thread's event loop stands still: a gauge of the longest stall of the last second, and a counter
 * of seconds in which one was over 50 ms, and how late 999 of 1,000 turns since the start were at most. Answers how to stop.
 */
export function watchStalls(meter: Meter, log: Logger, thread: string): () => void {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  const whole = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  whole.enable()
  const timer = setInterval(() => {
    const longest = Math.max(0, histogram.max / 1e6 - RESOLUTION_MS)
    histogram.reset()
    meter.gauge('event_loop_delay_p999_seconds', lateness(whole.percentile(99.9)), { thread })
    // Nothing was recorded yet.
    if (!Number.isFinite(longest) || longest > 1e9) return
    meter.gauge('event_loop_longest_stall_seconds', longest / 1_000, { thread })
    if (longest <= STALL_MS) return
    meter.count('event_loop_stalls_total', { thread })
    if (longest > LOUD_MS) log.warn({ thread, ms: Math.round(longest) }, 'the event loop stood still')
  }, LOOK_MS)
  timer.unref()
  meter.count('event_loop_stalls_total', { thread }, 0)
  return () => {
    clearInterval(timer)
    histogram.disable()
    whole.disable()
  }
}

/** ns between two looks that were to be RESOLUTION_MS apart → seconds too late. */
const lateness = (ns: number): number => Math.max(0, ns / 1e6 - RESOLUTION_MS) / 1_000
