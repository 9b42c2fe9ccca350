/** Certificate/check: whether the signer of a mail only the user can open is believed. The mail stays with the user; the certificates come here. */
import { type Certificate, readCertificate, SmimeError } from '@postrider/wire/smime'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { MethodError } from '../core/error.ts'
import { believesOf } from './properties.ts'

const MAX_CERTIFICATES = 20
const MAX_TEXT = 100_000
const texts: s.Shape<readonly string[]> = s.list(s.string)

export const certificateCheck = method({
  name: 'Certificate/check',
  capability: 'postrider',
  args: { accountId: s.id, certificates: texts, at: s.maybe(s.utcDate) },
  async run(call, { accountId, certificates, at }) {
    await call.account(accountId, 'postrider')
    if (
      certificates.length === 0 ||
      certificates.length > MAX_CERTIFICATES ||
      certificates.some((one) => one.length > MAX_TEXT)
    )
      throw new MethodError('invalidArguments', `1 to ${MAX_CERTIFICATES} certificates`, {
        arguments: ['certificates'],
      })
    let fault: string | null
    try {
      const [leaf, ...others] = certificates.map((one) => readCertificate(Buffer.from(one, 'base64'))) as [Certificate]
      fault = (await believesOf(call)(leaf, others, at ?? call.jmap.parts.clock.now())) ?? null
    } catch (error) {
      if (!(error instanceof SmimeError)) throw error
      fault = error.problem
    }
    return { accountId, fault }
  },
})
