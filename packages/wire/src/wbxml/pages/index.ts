/**
 * The 26 code pages of [MS-ASWBXML] §2.1.2.1 in their order, one file each. The position in the list is the page number
 * (a test holds that). Read next: ../tags.ts, which turns them into the tag type and the lookup tables.
 */
import { airNotifyPage } from './airnotify.ts'
import { airSyncBasePage } from './airsyncbase.ts'
import { airSyncPage } from './airsync.ts'
import { calendarPage } from './calendar.ts'
import { composeMailPage } from './composemail.ts'
import { contacts2Page } from './contacts2.ts'
import { contactsPage } from './contacts.ts'
import { documentLibraryPage } from './documentlibrary.ts'
import { email2Page } from './email2.ts'
import { emailPage } from './email.ts'
import { findPage } from './find.ts'
import { folderHierarchyPage } from './folderhierarchy.ts'
import { galPage } from './gal.ts'
import { getItemEstimatePage } from './getitemestimate.ts'
import { itemOperationsPage } from './itemoperations.ts'
import { meetingResponsePage } from './meetingresponse.ts'
import { movePage } from './move.ts'
import { notesPage } from './notes.ts'
import { pingPage } from './ping.ts'
import { provisionPage } from './provision.ts'
import { resolveRecipientsPage } from './resolverecipients.ts'
import { rightsManagementPage } from './rightsmanagement.ts'
import { searchPage } from './search.ts'
import { settingsPage } from './settings.ts'
import { tasksPage } from './tasks.ts'
import { validateCertPage } from './validatecert.ts'

export const codePages = [
  airSyncPage,
  contactsPage,
  emailPage,
  airNotifyPage,
  calendarPage,
  movePage,
  getItemEstimatePage,
  folderHierarchyPage,
  meetingResponsePage,
  tasksPage,
  resolveRecipientsPage,
  validateCertPage,
  contacts2Page,
  pingPage,
  provisionPage,
  searchPage,
  galPage,
  airSyncBasePage,
  settingsPage,
  documentLibraryPage,
  itemOperationsPage,
  composeMailPage,
  email2Page,
  notesPage,
  rightsManagementPage,
  findPage,
] as const
