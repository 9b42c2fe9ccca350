import { codePage } from '../page.ts'

/** Code page 8, MeetingResponse: [MS-ASWBXML] §2.1.2.1.9. */
export const meetingResponsePage = codePage(8, 'MeetingResponse', {
  CalendarId: 0x05,
  CollectionId: 0x06,
  MeetingResponse: 0x07,
  RequestId: 0x08,
  Request: 0x09,
  Result: 0x0a,
  Status: 0x0b,
  UserResponse: 0x0c,
  Version: 0x0d,
  InstanceId: [0x0e, '14.1+'],
  ProposedStartTime: [0x10, '16.1'],
  ProposedEndTime: [0x11, '16.1'],
  SendResponse: [0x12, '16.0+'],
})
