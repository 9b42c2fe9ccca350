/** Which mails an act on many is for: a filter, one sender among those, all but the newest, nothing that came since one looked. */
import { MAX_GET } from '@postrider/domain'
import type { Account } from '../core/accounts.ts'
import type { Call } from '../core/call.ts'
import type { JsonObject } from '../core/json.ts'
import { matching } from '../mail/email-query.ts'
import type { Mail, Place, View } from '../view/view.ts'

export interface Selection {
  readonly filter: JsonObject | null
  /** Only mail from just this address, in any case of letters. */
  readonly fromAddress: string | null
  /** So many of them, the newest, are left out. */
  readonly keepNewest: number
  /** Mails with a higher id came later than the user looked. */
  readonly highest: number
}

/** The mails of a selection, the newest first. */
export async function selected(call: Call, account: Account, view: View, wanted: Selection): Promise<readonly Mail[]> {
  const { fromAddress } = wanted
  const filter = fromAddress === null ? wanted.filter : narrowed(wanted.filter, fromAddress)
  let mails = await matching(call, account, view, filter)
  if (fromAddress !== null) mails = await justFrom(account, mails, fromAddress)
  return mails.slice(wanted.keepNewest).filter((mail) => mail.id <= wanted.highest)
}

/** The index finds few of many; it compares words, so {@link justFrom} looks again. */
function narrowed(filter: JsonObject | null, address: string): JsonObject {
  const from = { from: `"${address.replace(/[\\"]/g, '\\$&')}"` }
  return filter === null ? from : { operator: 'AND', conditions: [filter, from] }
}

async function justFrom({ handle }: Account, mails: readonly Mail[], address: string): Promise<readonly Mail[]> {
  const wanted = address.toLowerCase()
  const found = new Set<number>()
  for (let at = 0; at < mails.length; at += MAX_GET) {
    const mids = mails.slice(at, at + MAX_GET).map((mail) => (mail.places[0] as Place).mid)
    for (const { itemId, promoted } of await handle.get({ by: { mids }, columns: ['promoted'] }))
      if (promoted?.fromAddress.toLowerCase() === wanted) found.add(itemId)
  }
  return mails.filter((mail) => found.has(mail.id))
}
