/** SmartReply: [MS-ASCMD] §2.2.1.20. */
import { command } from '../command.ts'
import { smart } from '../compose/smart.ts'

export const smartReply = command({
  name: 'SmartReply',
  first: '12.1',
  needsProvisioning: true,
  body: 'mime',
  root: 'ComposeMail:SmartReply',
  statusTag: 'ComposeMail:Status',
  run: (context, request) => smart(context, request, 'reply'),
})
