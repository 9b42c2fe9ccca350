/** SmartForward: [MS-ASCMD] §2.2.1.19. */
import { command } from '../command.ts'
import { smart } from '../compose/smart.ts'

export const smartForward = command({
  name: 'SmartForward',
  first: '12.1',
  needsProvisioning: true,
  body: 'mime',
  root: 'ComposeMail:SmartForward',
  statusTag: 'ComposeMail:Status',
  run: (context, request) => smart(context, request, 'forward'),
})
