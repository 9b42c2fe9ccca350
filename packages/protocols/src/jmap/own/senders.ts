/** SenderLists: blocked and safe senders. */
import { decodeSenders, DELIVERY_STATE, encodeSenders, MAX_SENDERS, senderEntry, SENDERS_KEY } from '@postrider/domain'
import { invalidProperties } from '../core/error.ts'
import * as s from '../core/shape.ts'
import { singletonMethods } from '../core/singleton.ts'

const shape = s.object({
  blocked: s.optional<readonly string[]>(s.list(s.string), []),
  safe: s.optional<readonly string[]>(s.list(s.string), []),
})

export const [sendersGet, sendersSet] = singletonMethods({
  name: 'SenderLists',
  capability: 'postrider',
  properties: ['blocked', 'safe'],
  async read({ handle }) {
    const entries = await handle.state(DELIVERY_STATE, SENDERS_KEY)
    return decodeSenders(entries.find(({ key }) => key === SENDERS_KEY)?.value)
  },
  shown: ({ blocked, safe }) => ({ blocked, safe }),
  taken(patched) {
    const wanted = shape(patched, '')
    const list = (name: 'blocked' | 'safe'): readonly string[] => {
      const entries = wanted[name].map(senderEntry)
      if (entries.length > MAX_SENDERS || entries.includes(undefined)) throw invalidProperties([name])
      return [...new Set(entries as string[])]
    }
    const [blocked, safe] = [list('blocked'), list('safe')]
    if (blocked.some((one) => safe.includes(one))) throw invalidProperties(['blocked', 'safe'], 'one sender is in both')
    return { blocked, safe }
  },
  async write({ handle }, value) {
    await handle.apply([{ op: 'putState', client: DELIVERY_STATE, key: SENDERS_KEY, value: encodeSenders(value) }])
  },
})
