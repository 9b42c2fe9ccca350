/** GetAttachment, up to 12.1: [MS-ASCMD] §2.2.1.7. The name in the query is the FileReference; the answer is the raw bytes. */
import { command } from '../command.ts'
import { readAttachment } from '../items/attachments.ts'

export const getAttachment = command({
  name: 'GetAttachment',
  first: '12.1',
  last: '12.1',
  needsProvisioning: true,
  body: 'none',
  root: undefined,
  statusTag: undefined,
  async run(context, request) {
    const content = await readAttachment(context.mailbox, request.parameters.attachmentName)
    // MS-ASCMD_R166: 500 for an attachment that is gone.
    if (content === undefined) return { kind: 'http', code: 500 }
    const { contentType, bytes } = content
    return { kind: 'bytes', contentType, bytes }
  },
})
