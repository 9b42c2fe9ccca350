/** hasSmime, hasVerifiedSmime, hasVerifiedSmimeAtDelivery: RFC 9219 §4.2. */
import { MAX_GET } from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import { MethodError } from '../core/error.ts'
import type { Mail, Place } from '../view/view.ts'
import { verdictOf } from './properties.ts'

/** Mails of S/MIME one query looks into. */
const MAX_LOOKED_INTO = 2_000

export interface SmimeFacts {
  readonly signed: boolean
  readonly now: boolean
  readonly delivered: boolean
}
const nothing: SmimeFacts = { signed: false, now: false, delivered: false }

/** Reads the kinds of mails not looked at before, then the signatures of those that have one. `verify`: whether they must be checked. */
export async function readSmime(
  call: Call,
  { handle }: Account,
  mails: readonly Mail[],
  verify: boolean,
): Promise<Map<Mail, SmimeFacts>> {
  const changeOf = (mail: Mail): number => mail.places.reduce((last, one) => Math.max(last, one.change), 0)
  const stale = new Map(mails.flatMap((mail) => (mail.smime?.change === changeOf(mail) ? [] : [[mail.id, mail]])))
  const midOf = (mail: Mail): Place['mid'] => (mail.places[0] as Place).mid
  const sorted = (list: Iterable<Mail>): Place['mid'][] => [...list].map(midOf).sort((a, b) => a - b)
  const mids = sorted(stale.values())
  for (let at = 0; at < mids.length; at += MAX_GET)
    for (const { itemId, promoted } of await handle.get({
      by: { mids: mids.slice(at, at + MAX_GET) },
      columns: ['promoted'],
    })) {
      const mail = stale.get(itemId)
      if (mail !== undefined)
        mail.smime = { change: changeOf(mail), is: promoted?.class.startsWith('IPM.Note.SMIME') === true }
    }
  const found = mails.filter((mail) => mail.smime?.is === true)
  if (found.length > MAX_LOOKED_INTO)
    throw new MethodError('unsupportedFilter', `more than ${MAX_LOOKED_INTO} mails of S/MIME: narrow the question`)
  const byId = new Map(found.map((mail) => [mail.id, mail]))
  const wanted = sorted(found)
  const facts = new Map<Mail, SmimeFacts>()
  for (let at = 0; at < wanted.length; at += MAX_GET)
    for (const item of await handle.get({
      by: { mids: wanted.slice(at, at + MAX_GET) },
      columns: ['index', 'original'],
    })) {
      const mail = byId.get(item.itemId)
      if (mail === undefined) continue
      const read = await call.jmap.signatures.of(handle, item)
      if (read?.signature === undefined) facts.set(mail, nothing)
      else if (!verify) facts.set(mail, { ...nothing, signed: true })
      else {
        const good = async (time: number): Promise<boolean> =>
          (await verdictOf(call, read, item, time))?.status === 'valid'
        const [now, delivered] = [await good(call.jmap.parts.clock.now()), await good(item.received)]
        facts.set(mail, { signed: true, now, delivered })
      }
    }
  return facts
}
