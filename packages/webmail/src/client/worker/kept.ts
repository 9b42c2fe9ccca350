/** What the service worker does with what is sealed on the device: files of kept mails while the server is away, and the outbox without a page. */
import { JmapClient } from '../jmap/client.ts'
import { type Session, urn } from '../jmap/types.ts'
import { blobKey, type KeptStart } from '../offline/kept.ts'
import { Outbox } from '../offline/outbox.ts'
import { Vault } from '../offline/vault.ts'

/** The vault of an account whose key is still here. Never makes one. */
const vaultOf = async (accountId: string): Promise<Vault | undefined> =>
  (await Vault.accounts()).includes(accountId) ? Vault.open(accountId) : undefined

/** Pictures may be shown as such; everything else is bytes to be saved, never a page. */
const shownAs = (type: string | null): string =>
  type !== null && /^image\/(?:png|jpeg|gif|webp|avif)$/.test(type) ? type : 'application/octet-stream'

/** A file of a mail (RFC 8620 §6.2) from the device; undefined when it is not here. */
export async function keptFile(url: URL): Promise<Response | undefined> {
  const [, accountId, blobId] = /^\/jmap\/download\/([^/]+)\/([^/]+)\//.exec(url.pathname) ?? []
  if (accountId === undefined || blobId === undefined) return undefined
  const vault = await vaultOf(decodeURIComponent(accountId))
  const bytes = await vault?.bytes(blobKey(decodeURIComponent(blobId)))
  vault?.close()
  if (bytes === undefined) return undefined
  const type = shownAs(url.searchParams.get('type') ?? url.searchParams.get('accept'))
  return new Response(bytes, {
    headers: {
      'Content-Type': type,
      'Content-Disposition': 'attachment',
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "default-src 'none'; sandbox",
    },
  })
}

/** Sends what waits of every account whose session still lives here. Rejects while some of it could not leave for now. */
export async function sendWaiting(): Promise<void> {
  let left = 0
  for (const accountId of await Vault.accounts()) {
    const vault = await Vault.open(accountId)
    const kept = await vault?.get<KeptStart>('meta', 'start')
    if (vault === undefined || kept === undefined) continue
    try {
      left += await sendOf(vault, accountId, kept)
    } finally {
      vault.close()
    }
  }
  if (left > 0) throw new Error(`${left} wait`)
}

async function sendOf(vault: Vault, accountId: string, { start }: KeptStart): Promise<number> {
  const session = start.session as unknown as Session
  let over = false
  const client = new JmapClient({
    session,
    accountId: session.primaryAccounts[urn.mail] ?? accountId,
    // No act of the user: the session lives no longer for it.
    headers: () => start.headers,
    onSignedOut: () => {
      over = true
    },
  })
  const outbox = new Outbox(vault, client, { sent: () => {}, refused: () => {} })
  await outbox.flush()
  const waits = (await outbox.list()).filter((one) => one.problem === undefined).length
  // Without a session only a page can ask for the password: trying again would not help.
  return over ? 0 : waits
}
