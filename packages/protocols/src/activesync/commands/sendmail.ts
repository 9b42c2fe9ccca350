/** SendMail: [MS-ASCMD] §2.2.1.17. Success has no body; the message is on its way, or on the queue, before it is answered. */
import { toCrlf } from '@postrider/wire/mime'
import { command } from '../command.ts'
import { prepareOutgoing } from '../compose/outgoing.ts'
import { parseCompose } from '../compose/request.ts'
import { resendKey } from '../compose/resend.ts'
import { clientIdKey, sendMail as send } from '../compose/submit.ts'
import { Status, StatusError } from '../status.ts'

export const sendMail = command({
  name: 'SendMail',
  first: '12.1',
  needsProvisioning: true,
  body: 'mime',
  root: 'ComposeMail:SendMail',
  statusTag: 'ComposeMail:Status',
  async run(context, request) {
    const { mime, clientId, save } = parseCompose(context, request, false)
    const prepared = prepareOutgoing(context, mime)
    if (!prepared.ok) throw new StatusError(prepared.status, prepared.reason)
    const once = clientId === undefined ? resendKey(context, toCrlf(mime)) : clientIdKey(context, clientId)
    const outcome = await send(context, prepared.outgoing, { save, once, also: [] })
    // MS-ASCMD_R4848. A 12.1 client knows no such status: for it the mail is sent, and it is.
    if (outcome === 'duplicate' && clientId !== undefined) throw new StatusError(Status.MessagePreviouslySent)
    return { kind: 'empty' }
  },
})
