/**
 * MeetingResponse: [MS-ASCMD] §2.2.1.11. There is no calendar behind it yet, so no meeting can be accepted: every request that is well-formed is
 * answered 2, which a device does not try again, as it would 3 and 4.
 */
import { child, children, type Element, el, integer, text } from '@postrider/wire/wbxml'
import { command, document } from '../command.ts'
import { parseEasDate } from '../items/dates.ts'
import { Status, StatusError } from '../status.ts'

/** Status of Result: [MS-ASCMD] §2.2.3.177.9. */
const invalidMeetingRequest = 2

/** Requests of one command: [MS-ASCMD] §3.1.5.10. */
export const MAX_MEETING_REQUESTS = 100

export const meetingResponse = command({
  name: 'MeetingResponse',
  first: '12.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'MeetingResponse:MeetingResponse',
  statusTag: 'MeetingResponse:Status',
  statusParent: 'MeetingResponse:Result',
  async run(_context, request) {
    const requests = children(request.document, 'MeetingResponse:Request')
    if (requests.length === 0 || requests.length > MAX_MEETING_REQUESTS) throw new StatusError(Status.InvalidXML)
    return document(el('MeetingResponse:MeetingResponse', requests.map(answer)))
  },
})

function answer(request: Element): Element {
  const requestId = child(request, 'MeetingResponse:RequestId')
  const response = integer(request, 'MeetingResponse:UserResponse')
  if (response === undefined) throw new StatusError(Status.InvalidXML)
  const instance = text(request, 'MeetingResponse:InstanceId')
  // MS-ASCMD_R3195: an InstanceId that is no date.
  const status =
    instance !== undefined && parseEasDate(instance) === undefined ? Status.InvalidDateTime : invalidMeetingRequest
  return el('MeetingResponse:Result', requestId, el('MeetingResponse:Status', status))
}
