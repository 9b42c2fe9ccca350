/** The capabilities: RFC 8620 §2, RFC 8621 §1.3, RFC 9404 §2, RFC 9425 §3, RFC 9007 §1.3. One table; methods name theirs by key. */
import { MAX_RULES, MAX_SENDERS } from '@postrider/domain'
import {
  MAX_ATTACHMENTS_PER_EMAIL,
  MAX_CALLS_IN_REQUEST,
  MAX_CONCURRENT_REQUESTS,
  MAX_CONCURRENT_UPLOAD,
  MAX_DATA_SOURCES,
  MAX_DELAYED_SEND,
  MAX_OBJECTS_IN_GET,
  MAX_OBJECTS_IN_SET,
  MAX_SIZE_REQUEST,
  MAX_SIZE_UPLOAD,
} from '../limits.ts'

export const urn = {
  core: 'urn:ietf:params:jmap:core',
  mail: 'urn:ietf:params:jmap:mail',
  submission: 'urn:ietf:params:jmap:submission',
  vacation: 'urn:ietf:params:jmap:vacationresponse',
  blob: 'urn:ietf:params:jmap:blob',
  quota: 'urn:ietf:params:jmap:quota',
  mdn: 'urn:ietf:params:jmap:mdn',
  smimeverify: 'urn:ietf:params:jmap:smimeverify',
  principals: 'urn:ietf:params:jmap:principals',
  owner: 'urn:ietf:params:jmap:principals:owner',
  websocket: 'urn:ietf:params:jmap:websocket',
  vapid: 'urn:ietf:params:jmap:webpush-vapid',
  postrider: 'https://postrider.example/jmap',
} as const
export type CapabilityName = keyof typeof urn

/** RFC 4790: how text may be compared in a sort. */
export const collations = ['i;ascii-casemap', 'i;octet', 'i;unicode-casemap'] as const

export const emailSortOptions = [
  'receivedAt',
  'sentAt',
  'size',
  'from',
  'to',
  'subject',
  'hasKeyword',
  'allInThreadHaveKeyword',
  'someInThreadHaveKeyword',
] as const

export const digestAlgorithms = ['sha', 'sha-256', 'sha-512'] as const

interface Capability {
  /** In the session's `capabilities`. */
  readonly server: Readonly<Record<string, unknown>>
  /** In an account's `accountCapabilities`; undefined: not a capability of accounts. */
  readonly account: Readonly<Record<string, unknown>> | undefined
  /** Only in the user's own account: what it does is done in the user's own name. */
  readonly ownOnly?: boolean
}

export const capabilities: Readonly<Record<CapabilityName, Capability>> = {
  core: {
    server: {
      maxSizeUpload: MAX_SIZE_UPLOAD,
      maxConcurrentUpload: MAX_CONCURRENT_UPLOAD,
      maxSizeRequest: MAX_SIZE_REQUEST,
      maxConcurrentRequests: MAX_CONCURRENT_REQUESTS,
      maxCallsInRequest: MAX_CALLS_IN_REQUEST,
      maxObjectsInGet: MAX_OBJECTS_IN_GET,
      maxObjectsInSet: MAX_OBJECTS_IN_SET,
      collationAlgorithms: collations,
    },
    account: {},
  },
  mail: {
    server: {},
    account: {
      maxMailboxesPerEmail: null,
      maxMailboxDepth: null,
      maxSizeMailboxName: 255,
      maxSizeAttachmentsPerEmail: MAX_ATTACHMENTS_PER_EMAIL,
      emailQuerySortOptions: emailSortOptions,
      mayCreateTopLevelMailbox: true,
    },
  },
  submission: {
    server: {},
    account: { maxDelayedSend: MAX_DELAYED_SEND, submissionExtensions: { FUTURERELEASE: [`${MAX_DELAYED_SEND}`] } },
    ownOnly: true,
  },
  vacation: { server: {}, account: {}, ownOnly: true },
  blob: {
    server: {},
    account: {
      maxSizeBlobSet: MAX_SIZE_UPLOAD,
      maxDataSources: MAX_DATA_SOURCES,
      supportedTypeNames: ['Mailbox', 'Thread', 'Email'],
      supportedDigestAlgorithms: digestAlgorithms,
    },
  },
  quota: { server: {}, account: {}, ownOnly: true },
  /** RFC 9670 §1.5; who it is is added by the session. */
  principals: { server: {}, account: {}, ownOnly: true },
  owner: { server: {}, account: {} },
  /** RFC 9007 §1.3. */
  mdn: { server: {}, account: {}, ownOnly: true },
  /** RFC 9219 §3. */
  smimeverify: { server: {}, account: {} },
  /** RFC 9749 §3; the key is added by the session. */
  vapid: { server: {}, account: undefined },
  /** RFC 8887 §3; the address is added by the session. */
  websocket: { server: {}, account: undefined },
  postrider: { server: {}, account: { maxRules: MAX_RULES, maxSenders: MAX_SENDERS }, ownOnly: true },
}
