import type { DirectoryWriter, MailboxEntry, Principal } from '@postrider/domain'
import { addressKey } from './address.ts'
import { Book } from './book.ts'
import {
  type Decides,
  type DirectoryNews,
  type DirectoryWrite,
  directoryWrites,
  type SentVerdict,
  type SharedDirectory,
  type ShownAppPassword,
} from './news.ts'
import { SessionWatch } from './sessions.ts'

/** A copy of the directory in another process: reads its own memory, has every change made where the database is. */
class Replica extends Book {
  secret: Uint8Array = new Uint8Array(0)
  readonly #versions = new Map<string, number>()
  readonly #apps = new Map<string, readonly ShownAppPassword[]>()
  readonly #settings = new Map<string, unknown>()

  /** Repeats one step. */
  take(news: DirectoryNews): void {
    if (news.kind === 'start') this.secret = news.secret
    else if (news.kind === 'organization') this.organization = news.name
    else if (news.kind === 'domain') this.putDomain(news.domain)
    else if (news.kind === 'noDomain') this.dropDomain(news.name)
    else if (news.kind === 'mailbox') this.putMailbox(news.entry)
    else if (news.kind === 'noMailbox') this.#dropAccount(news.entry)
    else if (news.kind === 'group') this.putGroup(news.entry)
    else if (news.kind === 'noGroup') this.dropGroup(news.entry)
    else if (news.kind === 'version') this.#versions.set(news.account, news.version)
    else if (news.kind === 'apps') this.#apps.set(news.account, news.apps)
    else if (news.kind === 'changed') this.changed(news.account)
    else if (news.value === undefined) this.#settings.delete(news.name)
    else this.#settings.set(news.name, news.value)
  }
  #dropAccount(entry: MailboxEntry): void {
    this.#versions.delete(entry.account)
    this.#apps.delete(entry.account)
    this.dropMailbox(entry)
  }
  credential(account: string): { readonly version: number } | undefined {
    const version = this.#versions.get(account)
    return version === undefined ? undefined : { version }
  }
  appPasswords(account: string): readonly ShownAppPassword[] {
    const owner = this.account(account) ?? this.owner(addressKey(account))
    return owner !== undefined && 'account' in owner ? (this.#apps.get(owner.account) ?? []) : []
  }
  appPassword(account: string, id: string): ShownAppPassword | undefined {
    return this.#apps.get(account)?.find((app) => app.id === id)
  }
  setting(name: string): unknown {
    return this.#settings.get(name)
  }
}

export type DirectoryReplica = SharedDirectory & { take(news: DirectoryNews): void }

/** `write` has a change made and resolves when this copy has heard of it. */
export function openReplica(
  write: (method: DirectoryWrite, args: readonly unknown[]) => Promise<unknown>,
): DirectoryReplica {
  const writes = Object.fromEntries(
    directoryWrites.map((method) => [method, (...args: readonly unknown[]) => write(method, args)]),
  ) as unknown as Pick<DirectoryWriter, DirectoryWrite>
  return Object.assign(new Replica(), writes)
}

/** The authenticator of a copy: asks the one that decides, and ends its own sessions when the copy changes. */
export function remoteAuthenticator(directory: SharedDirectory, decides: Decides) {
  const watch = new SessionWatch(directory)
  const take = ({ verdict, version }: SentVerdict) => {
    if (verdict.ok) watch.proved(verdict.principal, version)
    return verdict
  }
  return {
    verify: async (attempt: Parameters<Decides['verify']>[0]) => take(await decides.verify(attempt)),
    scram: (...of: Parameters<Decides['scram']>) => decides.scram(...of),
    scramDone: async (...of: Parameters<Decides['scramDone']>) => take(await decides.scramDone(...of)),
    session: (principal: Principal, end: (reason: 'revoked') => void) => watch.session(principal, end),
  }
}
