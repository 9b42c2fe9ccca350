/** The start without a network: what the page would have brought is read from the device, if the session still lives. */
import type { StartData } from '../../start.ts'
import type { KeptStart } from './kept.ts'
import { Vault } from './vault.ts'

/** Undefined: nothing is kept, or one has to sign in again. The time limits of the session hold offline, too (R16, R17). */
export async function keptStart(now: number): Promise<StartData | undefined> {
  const accountId = Vault.lastAccount()
  const vault = accountId === undefined ? undefined : await Vault.open(accountId)
  const kept = await vault?.get<KeptStart>('meta', 'start')
  if (vault === undefined || kept === undefined) return undefined
  const { idleMinutes, endsAt } = kept.start
  const over =
    (endsAt !== undefined && now >= Date.parse(endsAt)) ||
    (idleMinutes !== undefined && now >= kept.lastAct + idleMinutes * 60_000)
  if (!over) return kept.start
  await vault.lock()
  return undefined
}
