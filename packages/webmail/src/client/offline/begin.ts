/** The start without a network: what the page would have brought is read from the device, if the session still lives. */
import type { StartData } from '../../start.ts'
import type { KeptStart } from './kept.ts'
import { Vault } from './vault.ts'

/** Undefined: nothing is kept, or one has to sign in again. The time limits of the session hold offline, too (R16, R17). */
export async function keptStart(now: number): Promise<StartData | undefined> {
  const found = await lastKept()
  if (found === undefined) return undefined
  const { vault, start, lastAct } = found
  const { idleMinutes, endsAt } = start
  const over =
    (endsAt !== undefined && now >= Date.parse(endsAt)) ||
    (idleMinutes !== undefined && now >= lastAct + idleMinutes * 60_000)
  if (!over) return start
  await vault.lock()
  return undefined
}

/** What is kept of who was here last; where that note is lost, of who did something last. */
async function lastKept(): Promise<(KeptStart & { readonly vault: Vault }) | undefined> {
  const last = Vault.lastAccount()
  const all: (KeptStart & { readonly vault: Vault })[] = []
  for (const accountId of last === undefined ? await Vault.accounts() : [last]) {
    const vault = await Vault.open(accountId)
    const kept = await vault?.get<KeptStart>('meta', 'start')
    if (vault !== undefined && kept !== undefined) all.push({ ...kept, vault })
  }
  return all.sort((a, b) => b.lastAct - a.lastAct)[0]
}
