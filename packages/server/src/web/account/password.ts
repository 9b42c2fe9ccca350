import type { IncomingMessage } from 'node:http'
import type { Principal } from '@postrider/domain'
import type { WebContext } from '../context.ts'
import { addressOf } from '../request.ts'

/** Whether the signed-in user shows his password again: asked before what a stranger at his desk must not do. Counts as a login for the budgets. */
export async function passwordRight(
  { authenticator }: Pick<WebContext, 'authenticator'>,
  request: IncomingMessage,
  principal: Principal,
  typed: string,
): Promise<boolean> {
  const verdict = await authenticator.verify({
    login: principal.address,
    password: typed.slice(0, 1_024),
    protocol: 'web',
    remoteAddress: addressOf(request),
  })
  if (!verdict.ok && verdict.retryAfterMs > 0 && verdict.reason === 'invalid')
    await new Promise((resolve) => setTimeout(resolve, verdict.retryAfterMs).unref())
  return verdict.ok && verdict.principal.account === principal.account
}
