/** JMAP without HTTP, for pages that the server makes itself: the same methods, the same door, the same limits. */
import type { Principal } from '@postrider/domain'
import { openBlob, storeUpload } from './blobs/blob.ts'
import { openAccount } from './core/accounts.ts'
import { Call } from './core/call.ts'
import { urn } from './core/capabilities.ts'
import { dispatch, type MethodResponse } from './core/dispatch.ts'
import { readRequest } from './core/request.ts'
import { sessionObject } from './http/session.ts'
import type { Jmap } from './service.ts'

export interface JmapInside {
  /** The session object (RFC 8620 §2) with URLs under `base`. */
  session(principal: Principal, base: string): Promise<Record<string, unknown>>
  /** The responses to method calls (RFC 8620 §3.4), every capability in use. Rejects with RequestProblem for calls that are none. */
  call(
    principal: Principal,
    calls: readonly (readonly [name: string, args: Readonly<Record<string, unknown>>, callId: string])[],
  ): Promise<readonly MethodResponse[]>
  /** Keeps bytes as an upload; the blob id, or undefined when there is no such account. Rejects with DomainError. */
  upload(principal: Principal, accountId: string, bytes: Uint8Array, type: string): Promise<string | undefined>
  /** A blob's bytes, whole. */
  blob(
    principal: Principal,
    accountId: string,
    blobId: string,
  ): Promise<{ readonly bytes: Uint8Array; readonly type: string | undefined } | undefined>
}

export const inside = (jmap: Jmap): JmapInside => ({
  session: (principal, base) => sessionObject(jmap, principal, base),
  async call(principal, calls) {
    const request = readRequest(Buffer.from(JSON.stringify({ using: Object.values(urn), methodCalls: calls })))
    return dispatch(jmap.methods, new Call(jmap, principal, new Map()), request)
  },
  async upload(principal, accountId, bytes, type) {
    const account = await openAccount(jmap.parts, principal, accountId)
    return account === undefined ? undefined : storeUpload(new Call(jmap, principal, new Map()), account, bytes, type)
  },
  async blob(principal, accountId, blobId) {
    const account = await openAccount(jmap.parts, principal, accountId)
    if (account === undefined) return undefined
    const blob = await openBlob(new Call(jmap, principal, new Map()), account, blobId)
    return blob === undefined ? undefined : { bytes: await blob.read(), type: blob.type }
  },
})
