import type { Together } from '@postrider/domain'
import { isListed, type ReceiveConnector } from './connector.ts'

/**
 * How many connections there are, in all and from each address: Exchange's MaxInboundConnection and …PerSource. Counts one more; answers how to
 * leave, or undefined, with nothing counted, when there are too many.
 */
export function enterSource(
  together: Together,
  address: string,
  connector: ReceiveConnector,
): (() => void) | undefined {
  const leave = together.enter('smtp', '', connector.maxInboundConnection)
  if (leave === undefined) return undefined
  const exempt = isListed(address, connector.perSourceExempt)
  const limit = exempt ? Number.POSITIVE_INFINITY : connector.maxInboundConnectionPerSource
  const leaveSource = together.enter('smtp source', address, limit)
  if (leaveSource === undefined) {
    leave()
    return undefined
  }
  return () => {
    leave()
    leaveSource()
  }
}
