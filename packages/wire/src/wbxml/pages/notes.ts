import { codePage } from '../page.ts'

/** Code page 23, Notes: [MS-ASWBXML] §2.1.2.1.24. */
export const notesPage = codePage(23, 'Notes', {
  Subject: [0x05, '14.0+'],
  MessageClass: [0x06, '14.0+'],
  LastModifiedDate: [0x07, '14.0+'],
  Categories: [0x08, '14.0+'],
  Category: [0x09, '14.0+'],
})
