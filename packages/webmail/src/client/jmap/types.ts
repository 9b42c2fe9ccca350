/** The objects of RFC 8620 and RFC 8621 as far as this client uses them. */

export type Id = string

export interface Address {
  readonly name: string | null
  readonly email: string
}

export interface Rights {
  readonly mayReadItems: boolean
  readonly mayAddItems: boolean
  readonly mayRemoveItems: boolean
  readonly maySetSeen: boolean
  readonly maySetKeywords: boolean
  readonly mayCreateChild: boolean
  readonly mayRename: boolean
  readonly mayDelete: boolean
  /** RFC 9670 §4. */
  readonly mayShare: boolean
  readonly maySubmit: boolean
}

/** RFC 9670 §2. */
export interface Principal {
  readonly id: Id
  readonly name: string
  readonly email: string
}

/** RFC 8621 §2. */
export interface Mailbox {
  readonly id: Id
  readonly name: string
  readonly parentId: Id | null
  readonly role: string | null
  readonly sortOrder: number
  readonly totalEmails: number
  readonly unreadEmails: number
  readonly totalThreads: number
  readonly unreadThreads: number
  readonly myRights: Rights
  /** For who may share it: RFC 9670 §4. */
  readonly shareWith?: Readonly<Record<Id, Rights>> | null
  readonly isSubscribed: boolean
}

/** The properties of a row: `rowProperties` of start.ts. RFC 8621 §4.1. */
export interface Email {
  readonly id: Id
  readonly threadId: Id
  readonly mailboxIds: Readonly<Record<Id, true>>
  readonly keywords: Readonly<Record<string, true>>
  readonly size: number
  readonly receivedAt: string
  readonly from: readonly Address[] | null
  readonly to: readonly Address[] | null
  readonly subject: string | null
  readonly hasAttachment: boolean
  readonly preview: string
  readonly categories?: Readonly<Record<string, true>>
  readonly followUp?: FollowUp | null
  readonly snoozed?: { readonly until: string } | null
  readonly inference?: 'focused' | 'other'
}

/** The dates of a flag. */
export interface FollowUp {
  readonly start: string | null
  readonly due: string | null
  readonly reminder: string | null
  readonly completed: string | null
}

export interface BodyPart {
  readonly partId: string | null
  readonly blobId: Id | null
  readonly size: number
  readonly name: string | null
  readonly type: string
  readonly charset?: string | null
  readonly disposition: string | null
  readonly cid: string | null
}

/** What is known of a mail of S/MIME: our own property, beside those of RFC 9219. */
export interface SmimeFacts {
  readonly kind: 'clear' | 'opaque' | 'encrypted'
  readonly status: 'valid' | 'changed' | 'untrusted' | 'address' | 'unreadable' | null
  readonly faults: readonly string[]
  readonly signedAt: string | null
  readonly signer: {
    readonly name: string
    readonly issuer: string
    readonly addresses: readonly string[]
    readonly serial: string
    readonly notBefore: string | null
    readonly notAfter: string | null
    readonly fingerprint: string
  } | null
  /** The certificate answers are encrypted for, base64. */
  readonly encryptTo: string | null
}

/** What reading and answering need beyond the row. */
export interface EmailContent {
  readonly id: Id
  readonly blobId: Id
  readonly sentAt: string | null
  readonly cc: readonly Address[] | null
  readonly bcc: readonly Address[] | null
  readonly replyTo: readonly Address[] | null
  readonly messageId: readonly string[] | null
  readonly inReplyTo: readonly string[] | null
  readonly references: readonly string[] | null
  /** Who wants to know that it was read: RFC 8098 §2.1. */
  readonly 'header:Disposition-Notification-To:asAddresses'?: readonly Address[] | null
  readonly textBody: readonly BodyPart[]
  readonly htmlBody: readonly BodyPart[]
  readonly attachments: readonly BodyPart[]
  readonly bodyValues: Readonly<Record<string, { readonly value: string; readonly isTruncated?: boolean }>>
  readonly smime?: SmimeFacts | null
}

/** RFC 8621 §6. */
export interface Identity {
  readonly id: Id
  readonly name: string
  readonly email: string
  readonly replyTo: readonly Address[] | null
  readonly bcc: readonly Address[] | null
  readonly textSignature: string
  readonly htmlSignature: string
  readonly mayDelete: boolean
}

/** RFC 8621 §7. */
export interface Submission {
  readonly id: Id
  readonly emailId: Id
  readonly sendAt: string
  readonly undoStatus: 'pending' | 'final' | 'canceled'
}

/** RFC 8621 §8. */
export interface Vacation {
  readonly id: 'singleton'
  readonly isEnabled: boolean
  readonly fromDate: string | null
  readonly toDate: string | null
  readonly subject: string | null
  readonly textBody: string | null
  readonly htmlBody: string | null
}

/** A category of the mailbox: name and one of Outlook's 25 colours, -1 for none. */
export interface Category {
  readonly id: Id
  readonly name: string
  readonly color: number
}
/** Somebody of the organisation's directory. What is not known is empty or left out. */
export interface Person {
  readonly kind: 'person' | 'shared' | 'room' | 'equipment' | 'group'
  readonly name: string
  readonly email: string
  readonly title?: string
  readonly department?: string
  readonly company?: string
  readonly office?: string
  readonly phone?: string
  readonly mobile?: string
  readonly members?: readonly string[]
  readonly memberCount?: number
}
export interface Template {
  readonly id: Id
  readonly name: string
  readonly subject: string
  readonly htmlBody: string
}
/** Conditions of a rule by name: lists of words, or single values. */
export type Conditions = Readonly<Record<string, readonly string[] | string | number | boolean>>
export interface Rule {
  readonly id: Id
  readonly name: string
  readonly isEnabled: boolean
  readonly conditions: Conditions
  readonly exceptions: Conditions
  readonly actions: Readonly<Record<string, readonly string[] | string | boolean>>
  readonly stop: boolean
}
export interface SenderLists {
  readonly blocked: readonly string[]
  readonly safe: readonly string[]
}
export interface Reply {
  readonly isEnabled: boolean
  readonly bodyType: 'text' | 'html'
  readonly message: string
}
export interface AutomaticReplies {
  readonly state: 'disabled' | 'enabled' | 'scheduled'
  readonly start: string | null
  readonly end: string | null
  readonly subject: string | null
  readonly inside: Reply
  readonly contacts: Reply
  readonly outside: Reply
}

export interface Place {
  readonly name: string
  readonly code: string
  readonly address: string
}
/** A journey, a night, a ticket: schema.org. Times as the mail has them. */
export interface Reservation {
  readonly kind: 'flight' | 'train' | 'bus' | 'hotel' | 'car' | 'table' | 'event'
  readonly number: string
  readonly cancelled: boolean
  readonly person: string
  readonly name: string
  readonly provider: string
  readonly from?: Place | null
  readonly to?: Place | null
  readonly start: string
  readonly end: string
}

/** RFC 8621 §5. */
export interface Snippet {
  readonly emailId: Id
  readonly subject: string | null
  readonly preview: string | null
}

/** RFC 8620 §2. */
export interface Session {
  readonly capabilities: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly accounts: Readonly<
    Record<
      Id,
      {
        readonly name: string
        readonly isPersonal: boolean
        readonly accountCapabilities: Readonly<Record<string, Readonly<Record<string, unknown>>>>
      }
    >
  >
  readonly primaryAccounts: Readonly<Record<string, Id>>
  readonly username: string
  readonly apiUrl: string
  readonly downloadUrl: string
  readonly uploadUrl: string
  readonly eventSourceUrl: string
  readonly state: string
}

export interface SetError {
  readonly type: string
  readonly description?: string | null
  readonly properties?: readonly string[]
}

export type Filter =
  | { readonly operator: 'AND' | 'OR' | 'NOT'; readonly conditions: readonly Filter[] }
  | Readonly<Record<string, string | number | boolean | readonly string[]>>

export interface Comparator {
  readonly property: string
  readonly isAscending?: boolean
  readonly keyword?: string
}

export const urn = {
  core: 'urn:ietf:params:jmap:core',
  mail: 'urn:ietf:params:jmap:mail',
  submission: 'urn:ietf:params:jmap:submission',
  vacation: 'urn:ietf:params:jmap:vacationresponse',
  mdn: 'urn:ietf:params:jmap:mdn',
  principals: 'urn:ietf:params:jmap:principals',
  own: 'https://postrider.example/jmap',
} as const

/** What of one sender's mail stays in a mailbox, of itself: our own capability. */
export interface SweepRule {
  readonly id: Id
  readonly fromAddress: string
  readonly mailboxId: Id
  readonly keep: 'newest' | 'days'
  readonly n: number
  /** null: to the trash. */
  readonly moveTo: Id | null
}
