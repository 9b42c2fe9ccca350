/** Reservation/parse: journeys, nights and tickets that mails carry as schema.org data (R56). */
import { reservationsOf } from '@postrider/wire/html'
import { isObject } from '../core/json.ts'
import { method } from '../core/method.ts'
import * as s from '../core/shape.ts'
import { wantedIds } from '../core/standard.ts'
import { emailGet } from '../mail/email-get.ts'

const MAX_MAILS = 50
const MAX_BYTES = 1024 * 1024
const ids: s.Shape<readonly string[]> = s.list(s.idOrCreation)

export const reservationParse = method({
  name: 'Reservation/parse',
  capability: 'postrider',
  args: { accountId: s.id, emailIds: ids },
  async run(call, args) {
    await call.account(args.accountId, 'postrider')
    const wanted = wantedIds(call, args.emailIds).slice(0, MAX_MAILS)
    const { answer } = await emailGet.run(call, {
      accountId: args.accountId,
      ids: wanted,
      properties: ['htmlBody', 'bodyValues'],
      bodyProperties: ['partId', 'type'],
      fetchHTMLBodyValues: true,
      maxBodyValueBytes: MAX_BYTES,
    })
    const list = (answer.list as readonly Readonly<Record<string, unknown>>[]).map(({ id, htmlBody, bodyValues }) => {
      const values = bodyValues as Readonly<Record<string, { readonly value: string }>>
      const html = (htmlBody as readonly { readonly partId: string | null; readonly type: string }[])
        .filter((part) => part.type === 'text/html' && part.partId !== null && isObject(values[part.partId]))
        .map((part) => values[part.partId as string]?.value ?? '')
      return { emailId: id, reservations: reservationsOf(html.join('\n')) }
    })
    return { accountId: args.accountId, list, notFound: answer.notFound }
  },
})
