/**
 * Processor time this thread has used, ms: what a piece of work costs, whatever else the machine does meanwhile. Limits on work that never
 * waits are measured with it; what a person waits for is measured by the clock.
 */
export function workedMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
