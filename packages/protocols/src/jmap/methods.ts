/** The method table: everything JMAP can do here, by name. */
import type { Method } from './core/method.ts'
import { emailChanges, emailGet, threadChanges, threadGet } from './mail/email-get.ts'
import { emailParse, searchSnippetGet } from './mail/email-parse.ts'
import { emailQuery, emailQueryChanges } from './mail/email-query.ts'
import { emailCopy, emailImport, emailSet } from './mail/email-set.ts'
import { identityChanges, identityGet, identitySet } from './mail/identity.ts'
import { mailboxChanges, mailboxGet, mailboxQuery, mailboxQueryChanges } from './mail/mailbox-read.ts'
import { mailboxSet } from './mail/mailbox-set.ts'
import {
  submissionChanges,
  submissionGet,
  submissionQuery,
  submissionQueryChanges,
  submissionSet,
} from './mail/submission.ts'
import { vacationGet, vacationSet } from './mail/vacation.ts'
import { blobCopy, blobGet, blobLookup, blobUpload } from './more/blob-methods.ts'
import { coreEcho } from './more/core-echo.ts'
import { bulkAct, bulkUndo } from './own/bulk.ts'
import { categoryChanges, categoryGet, categorySet } from './own/categories.ts'
import { focusExplain } from './own/focus.ts'
import { personFind } from './own/people.ts'
import { preferencesGet, preferencesSet } from './own/preferences.ts'
import { repliesGet, repliesSet } from './own/replies.ts'
import { reservationParse } from './own/reservations.ts'
import { ruleGet, ruleRun, ruleSet } from './own/rules.ts'
import { sendersGet, sendersSet } from './own/senders.ts'
import { sweepChanges, sweepGet, sweepSet } from './own/sweep.ts'
import { templateChanges, templateGet, templateSet } from './own/templates.ts'
import { mdnParse, mdnSend } from './more/mdn.ts'
import {
  principalChanges,
  principalGet,
  principalQuery,
  principalQueryChanges,
  principalSet,
} from './more/principals.ts'
import { quotaChanges, quotaGet, quotaQuery, quotaQueryChanges } from './more/quota.ts'
import {
  shareNotificationChanges,
  shareNotificationGet,
  shareNotificationQuery,
  shareNotificationQueryChanges,
  shareNotificationSet,
} from './sharing/notifications.ts'
import { certificateCheck } from './smime/check.ts'
import { pushGet, pushSet } from './webpush/subscription.ts'

const table: readonly Method[] = [
  // RFC 8620
  coreEcho,
  pushGet,
  pushSet,
  blobCopy,
  // RFC 8621
  mailboxGet,
  mailboxChanges,
  mailboxQuery,
  mailboxQueryChanges,
  mailboxSet,
  threadGet,
  threadChanges,
  emailGet,
  emailChanges,
  emailQuery,
  emailQueryChanges,
  emailSet,
  emailImport,
  emailCopy,
  emailParse,
  searchSnippetGet,
  identityGet,
  identityChanges,
  identitySet,
  submissionGet,
  submissionChanges,
  submissionQuery,
  submissionQueryChanges,
  submissionSet,
  vacationGet,
  vacationSet,
  // RFC 9404
  blobUpload,
  blobGet,
  blobLookup,
  // RFC 9007
  mdnSend,
  mdnParse,
  // RFC 9670
  principalGet,
  principalChanges,
  principalSet,
  principalQuery,
  principalQueryChanges,
  shareNotificationGet,
  shareNotificationChanges,
  shareNotificationSet,
  shareNotificationQuery,
  shareNotificationQueryChanges,
  // RFC 9425
  quotaGet,
  quotaChanges,
  quotaQuery,
  quotaQueryChanges,
  // Our own: what JMAP has no words for
  preferencesGet,
  preferencesSet,
  categoryGet,
  categoryChanges,
  categorySet,
  templateGet,
  templateChanges,
  templateSet,
  ruleGet,
  ruleSet,
  ruleRun,
  bulkAct,
  bulkUndo,
  sweepGet,
  sweepChanges,
  sweepSet,
  focusExplain,
  personFind,
  reservationParse,
  sendersGet,
  sendersSet,
  repliesGet,
  repliesSet,
  certificateCheck,
]

export const methods: ReadonlyMap<string, Method> = new Map(table.map((one) => [one.name, one]))
