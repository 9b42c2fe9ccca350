/**
 * What the page brings along: the session and the answers to the first questions, so that the first rows need no further request. Shared by
 * the server (which asks and embeds) and the client (which reads, or asks itself).
 */

/** A JMAP method call or response: RFC 8620 §3.2. */
export type Invocation = readonly [name: string, args: Readonly<Record<string, unknown>>, callId: string]

export interface StartData {
  /** The JMAP session object: RFC 8620 §2. */
  readonly session: Readonly<Record<string, unknown>>
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>
  /** The answers to `firstCalls`. */
  readonly responses?: readonly Invocation[]
  /** Where one signs in. */
  readonly signIn: string
  /** Where a POST ends the session. */
  readonly signOut: string
  /** Minutes without an act of the user after which the session ends. */
  readonly idleMinutes?: number
  /** When the session ends in any case (ISO). */
  readonly endsAt?: string
  /** A public computer keeps nothing. */
  readonly computer?: 'private' | 'public'
  /** What seals mail kept on this device: 32 bytes, base64url. Only where something may be kept. */
  readonly offlineKey?: string
  /** The page came from the service worker: everything else is read from the device. */
  readonly offline?: true
}

/** What of the user's settings decides about the first rows. */
export interface Choices {
  readonly conversations: boolean
  readonly language: string | undefined
  /** The Inbox is parted into Focused and Other. */
  readonly focused: boolean
}

export const choicesCookie = 'postrider-view'

/** Reads the choices out of a `Cookie` header. */
export function readChoices(cookies: string | undefined): Choices {
  const found = (cookies ?? '').split(/;\s*/).find((one) => one.startsWith(`${choicesCookie}=`))
  const values = new URLSearchParams(found?.slice(choicesCookie.length + 1) ?? '')
  const language = values.get('language') ?? undefined
  return {
    conversations: values.get('conversations') !== '0',
    language: language !== undefined && /^[a-z]{2}$/.test(language) ? language : undefined,
    focused: values.get('focused') === '1',
  }
}

/** The choices as the user's record on the server has them (Preferences/get); `cookie`: what that leaves open. */
export const choicesOf = (preferences: Readonly<Record<string, unknown>> | undefined, cookie: Choices): Choices =>
  preferences === undefined
    ? cookie
    : {
        conversations: preferences.conversations !== false,
        language: preferences.language === '' ? cookie.language : String(preferences.language),
        focused: preferences.focused === true,
      }

/** What the list of the Inbox shows first. */
export const inboxFilter = (inbox: string, focused: boolean): Readonly<Record<string, string>> => ({
  inMailbox: inbox,
  ...(focused ? { inference: 'focused' } : {}),
})

export const writeChoices = ({ conversations, language, focused }: Choices): string =>
  new URLSearchParams({
    conversations: conversations ? '1' : '0',
    focused: focused ? '1' : '0',
    ...(language === undefined ? {} : { language }),
  }).toString()

/** Rows asked for at once. */
export const PAGE = 50

/** What a row of the list needs of a mail; all of it is in the columns of the mailbox. */
export const rowProperties = [
  'id',
  'threadId',
  'mailboxIds',
  'keywords',
  'size',
  'receivedAt',
  'from',
  'to',
  'subject',
  'hasAttachment',
  'preview',
  'categories',
  'followUp',
  'snoozed',
  'inference',
] as const

/** What of a row can change. */
export const markProperties = [
  'id',
  'threadId',
  'mailboxIds',
  'keywords',
  'receivedAt',
  'categories',
  'followUp',
  'snoozed',
  'inference',
] as const

export const mailboxProperties = [
  'id',
  'name',
  'parentId',
  'role',
  'sortOrder',
  'totalEmails',
  'unreadEmails',
  'totalThreads',
  'unreadThreads',
  'myRights',
  'isSubscribed',
] as const

/** The calls of one window of a list. With conversations as RFC 8621 §4.10: the mails of the conversations come along. */
function windowCalls(
  accountId: string,
  query: Readonly<Record<string, unknown>>,
  conversations: boolean,
): Invocation[] {
  const ids: Invocation = ['Email/query', { accountId, ...query }, 'query']
  const from = (resultOf: string, name: string, path: string) => ({ resultOf, name, path })
  if (!conversations)
    return [
      ids,
      ['Email/get', { accountId, '#ids': from('query', 'Email/query', '/ids'), properties: rowProperties }, 'emails'],
    ]
  return [
    ids,
    ['Email/get', { accountId, '#ids': from('query', 'Email/query', '/ids'), properties: ['threadId'] }, 'ids'],
    ['Thread/get', { accountId, '#ids': from('ids', 'Email/get', '/list/*/threadId') }, 'threads'],
    [
      'Email/get',
      { accountId, '#ids': from('threads', 'Thread/get', '/list/*/emailIds'), properties: rowProperties },
      'emails',
    ],
  ]
}

/** The calls of the first view. `inbox`: id of the mailbox with that role. */
export const firstCalls = (
  accountId: string,
  inbox: string,
  { conversations, focused }: Choices,
): readonly Invocation[] => [
  ['Mailbox/get', { accountId, ids: null, properties: mailboxProperties }, 'mailboxes'],
  ...windowCalls(
    accountId,
    {
      filter: inboxFilter(inbox, focused),
      sort: [{ property: 'receivedAt', isAscending: false }],
      collapseThreads: conversations,
      position: 0,
      limit: PAGE,
      calculateTotal: true,
    },
    conversations,
  ),
  ['Identity/get', { accountId, ids: null }, 'identities'],
  ['Preferences/get', { accountId, ids: null }, 'preferences'],
  ['Category/get', { accountId, ids: null }, 'categories'],
]
