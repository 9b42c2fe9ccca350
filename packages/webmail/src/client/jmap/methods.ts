/** The one table of methods: name to arguments and answer. What is not here cannot be called. */
import type {
  AutomaticReplies,
  Category,
  Comparator,
  Email,
  EmailContent,
  Filter,
  Id,
  Identity,
  Mailbox,
  Person,
  Principal,
  Reservation,
  Rule,
  SenderLists,
  SetError,
  Snippet,
  Submission,
  SweepRule,
  Template,
  Vacation,
} from './types.ts'

interface Get {
  readonly ids?: readonly Id[] | null
  readonly properties?: readonly string[]
}
interface Got<T> {
  readonly state: string
  readonly list: readonly T[]
  readonly notFound: readonly Id[]
}
interface Changes {
  readonly sinceState: string
  readonly maxChanges?: number
}
export interface Changed {
  readonly oldState: string
  readonly newState: string
  readonly hasMoreChanges: boolean
  readonly created: readonly Id[]
  readonly updated: readonly Id[]
  readonly destroyed: readonly Id[]
}
type Patch = Readonly<Record<string, unknown>>
export interface SetArguments {
  readonly ifInState?: string
  readonly create?: Readonly<Record<string, Patch>>
  readonly update?: Readonly<Record<Id, Patch>>
  readonly destroy?: readonly Id[]
}
export interface SetAnswer {
  readonly oldState: string | null
  readonly newState: string
  readonly created?: Readonly<Record<string, Readonly<Record<string, unknown>> & { readonly id: Id }>> | null
  readonly updated?: Readonly<Record<Id, Patch | null>> | null
  readonly destroyed?: readonly Id[] | null
  readonly notCreated?: Readonly<Record<string, SetError>> | null
  readonly notUpdated?: Readonly<Record<Id, SetError>> | null
  readonly notDestroyed?: Readonly<Record<Id, SetError>> | null
}
export interface QueryArguments {
  readonly filter: Filter | null
  readonly sort: readonly Comparator[]
  readonly collapseThreads?: boolean
  readonly position?: number
  readonly limit?: number
  readonly calculateTotal?: boolean
}
export interface QueryAnswer {
  readonly queryState: string
  readonly canCalculateChanges: boolean
  readonly position: number
  readonly ids: readonly Id[]
  readonly total?: number
}
export interface QueryChanged {
  readonly oldQueryState: string
  readonly newQueryState: string
  readonly total?: number
  readonly removed: readonly Id[]
  readonly added: readonly { readonly id: Id; readonly index: number }[]
}

export interface Methods {
  'Mailbox/get': [Get & { readonly accountId?: Id }, Got<Mailbox>]
  'Principal/get': [Get, Got<Principal>]
  'Principal/query': [
    { readonly filter: { readonly text: string }; readonly limit?: number },
    { readonly ids: readonly Id[] },
  ]
  'Mailbox/changes': [Changes, Changed & { readonly updatedProperties?: readonly string[] | null }]
  'Mailbox/set': [SetArguments & { readonly onDestroyRemoveEmails?: boolean }, SetAnswer]
  'Thread/get': [Get, Got<{ readonly id: Id; readonly emailIds: readonly Id[] }>]
  'Email/get': [
    Get & {
      readonly bodyProperties?: readonly string[]
      readonly fetchTextBodyValues?: boolean
      readonly fetchHTMLBodyValues?: boolean
      readonly maxBodyValueBytes?: number
    },
    Got<Email & EmailContent>,
  ]
  'Email/changes': [Changes, Changed]
  'Email/query': [QueryArguments, QueryAnswer]
  'Email/queryChanges': [
    Omit<QueryArguments, 'position' | 'limit'> & { readonly sinceQueryState: string; readonly maxChanges?: number },
    QueryChanged,
  ]
  'Email/set': [SetArguments, SetAnswer]
  'Email/import': [
    {
      readonly emails: Readonly<
        Record<
          string,
          {
            readonly blobId: Id
            readonly mailboxIds: Readonly<Record<Id, true>>
            readonly keywords: Readonly<Record<string, true>>
          }
        >
      >
    },
    SetAnswer,
  ]
  'SearchSnippet/get': [
    { readonly filter: Filter | null; readonly emailIds: readonly Id[] },
    { readonly list: readonly Snippet[] },
  ]
  'Identity/get': [Get, Got<Identity>]
  'Identity/set': [SetArguments, SetAnswer]
  'EmailSubmission/get': [Get, Got<Submission>]
  'EmailSubmission/query': [{ readonly filter: Readonly<Record<string, unknown>> | null }, QueryAnswer]
  'EmailSubmission/set': [
    SetArguments & {
      readonly onSuccessUpdateEmail?: Readonly<Record<Id, Patch>> | null
      readonly onSuccessDestroyEmail?: readonly Id[] | null
    },
    SetAnswer,
  ]
  'VacationResponse/get': [Get, Got<Vacation>]
  'VacationResponse/set': [SetArguments, SetAnswer]
  // Our own capability
  'Preferences/get': [Get, Got<Readonly<Record<string, unknown>>>]
  'Preferences/set': [SetArguments, SetAnswer]
  'Category/get': [Get, Got<Category>]
  'Category/set': [SetArguments, SetAnswer]
  'Template/get': [Get, Got<Template>]
  'Template/set': [SetArguments, SetAnswer]
  'Rule/get': [Get, Got<Rule>]
  'Rule/set': [SetArguments & { readonly order?: readonly Id[] }, SetAnswer]
  'Rule/run': [
    {
      readonly ids: readonly Id[]
      readonly mailboxId: Id
      readonly dryRun?: boolean
      readonly position?: number
    },
    {
      readonly looked: number
      readonly matched: number
      readonly ids: readonly Id[]
      readonly position: number | null
    },
  ]
  'MDN/send': [
    {
      readonly identityId: Id
      readonly send: Readonly<Record<string, Patch>>
      readonly onSuccessUpdateEmail?: Readonly<Record<string, Patch>>
    },
    { readonly sent: Patch | null; readonly notSent: Readonly<Record<string, SetError>> | null },
  ]
  'Bulk/act': [
    {
      readonly filter: Filter | null
      readonly fromAddress?: string
      readonly keepNewest?: number
      readonly queryState?: string
      readonly update?: Patch
      readonly destroy?: boolean
      readonly bulkId?: string
      readonly dryRun?: boolean
    },
    { readonly bulkId: string | null; readonly count: number; readonly failed: number; readonly left: number },
  ]
  'Bulk/undo': [
    { readonly bulkId: string },
    { readonly count: number; readonly changed: number; readonly more: boolean },
  ]
  'Sweep/get': [Get, Got<SweepRule>]
  'Sweep/set': [SetArguments, SetAnswer]
  'Reservation/parse': [
    { readonly emailIds: readonly Id[] },
    { readonly list: readonly { readonly emailId: Id; readonly reservations: readonly Reservation[] }[] },
  ]
  'Person/find': [
    { readonly text: string; readonly limit?: number },
    { readonly list: readonly Person[]; readonly total: number },
  ]
  'Focus/explain': [
    { readonly ids: readonly Id[] },
    { readonly list: readonly { readonly id: Id; readonly inference: string; readonly reasons: readonly string[] }[] },
  ]
  'Certificate/check': [
    { readonly certificates: readonly string[]; readonly at: string },
    { readonly fault: string | null },
  ]
  'SenderLists/get': [Get, Got<SenderLists>]
  'SenderLists/set': [SetArguments, SetAnswer]
  'AutomaticReplies/get': [Get, Got<AutomaticReplies>]
  'AutomaticReplies/set': [SetArguments, SetAnswer]
}
export type MethodName = keyof Methods
export type Arguments<N extends MethodName> = Methods[N][0]
export type Answer<N extends MethodName> = Methods[N][1]
