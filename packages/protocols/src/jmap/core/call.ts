/** What a method works with: who asks, what the request said, the accounts it has opened, the creation ids it has made. */
import type { Principal } from '@postrider/domain'
import { MAX_ANSWER_BYTES, MAX_CREATED_IDS } from '../limits.ts'
import type { Jmap } from '../service.ts'
import type { View } from '../view/view.ts'
import { type Account, openAccount } from './accounts.ts'
import { capabilities, type CapabilityName } from './capabilities.ts'
import { MethodError } from './error.ts'

export class Call {
  readonly jmap: Jmap
  readonly principal: Principal
  /** Creation ids of this request and those it was given: RFC 8620 §3.3. */
  readonly createdIds: Map<string, string>
  readonly #accounts = new Map<string, Account>()
  #bytesLeft = MAX_ANSWER_BYTES

  constructor(jmap: Jmap, principal: Principal, createdIds: Map<string, string>) {
    this.jmap = jmap
    this.principal = principal
    this.createdIds = createdIds
  }

  /** The account, opened; raises accountNotFound and accountNotSupportedByMethod: RFC 8620 §3.6.2. */
  async account(id: string, capability: CapabilityName): Promise<Account> {
    let account = this.#accounts.get(id)
    if (account === undefined) {
      account = await openAccount(this.jmap.parts, this.principal, id)
      if (account === undefined) throw new MethodError('accountNotFound')
      this.#accounts.set(id, account)
    }
    if (capabilities[capability].ownOnly === true && !account.personal)
      throw new MethodError('accountNotSupportedByMethod')
    return account
  }

  /** The mail of an account as it is now. */
  view(account: Account): Promise<View> {
    return this.jmap.views.of(account.handle)
  }

  /** The id a `#creation` stands for, or the id itself; undefined for a creation nobody made. */
  resolve(id: string): string | undefined {
    return id.startsWith('#') ? this.createdIds.get(id.slice(1)) : id
  }

  remember(creation: string, id: string): void {
    if (this.createdIds.size < MAX_CREATED_IDS) this.createdIds.set(creation, id)
  }

  /** Takes bytes off what the answers of one request may hold. */
  spend(bytes: number): void {
    this.#bytesLeft -= bytes
    if (this.#bytesLeft < 0) throw new MethodError('requestTooLarge', 'the answer would be too large')
  }
}
