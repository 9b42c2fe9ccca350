/**
 * The shape of a command and the answers it may give. One command, one file in commands/, declared as data the dispatcher
 * reads (dispatch.ts): versions, whether policy stands before it, what body it takes.
 */
import type { Element, Tag } from '@postrider/wire/wbxml'
import type { Context } from './context.ts'
import type { Held } from './held/held.ts'
import type { Request } from './request.ts'
import type { EasVersion } from './version.ts'

/** Command names and the codes of the base64 query: [MS-ASHTTP] §2.2.1.1.1.1.2. */
export const commandCodes = {
  Sync: 0,
  SendMail: 1,
  SmartForward: 2,
  SmartReply: 3,
  GetAttachment: 4,
  FolderSync: 9,
  FolderCreate: 10,
  FolderDelete: 11,
  FolderUpdate: 12,
  MoveItems: 13,
  GetItemEstimate: 14,
  MeetingResponse: 15,
  Search: 16,
  Settings: 17,
  Ping: 18,
  ItemOperations: 19,
  Provision: 20,
  ResolveRecipients: 21,
  ValidateCert: 22,
  Find: 23,
} as const
export type CommandName = keyof typeof commandCodes

/** What a command answers. */
export type Answer =
  /** A WBXML document; it is encoded for the client's version, tags the version does not know are left out. */
  | { readonly kind: 'document'; readonly root: Element; readonly headers?: Readonly<Record<string, string>> }
  /** 200 without a body: SendMail's success, a Sync without changes. */
  | { readonly kind: 'empty' }
  /** Bytes that are ready: a replayed response, an attachment (GetAttachment), a multipart answer. */
  | {
      readonly kind: 'bytes'
      readonly contentType: string
      readonly bytes: Uint8Array
      readonly headers?: Readonly<Record<string, string>>
    }
  /** A common status ([MS-ASCMD] §2.2.2): in the body, or as HTTP status up to 12.1. The same as throwing StatusError. */
  | { readonly kind: 'status'; readonly status: number }
  /** Only an HTTP status: GetAttachment's 404, 12.1's SendMail errors. */
  | { readonly kind: 'http'; readonly code: number }
  /** Wait: the request is let go of, and only the held entry stays until it is woken or due. */
  | { readonly kind: 'held'; readonly held: Held }

export interface Command {
  readonly name: CommandName
  /** First and last version that has the command; `last` open when undefined. */
  readonly first: EasVersion
  readonly last?: EasVersion
  /** False only for what a device may do before it has taken the policy: Provision, and Settings (DeviceInformation). */
  readonly needsProvisioning: boolean
  /** `wbxml`: a document is required; `optional`: it may be empty; `mime`: WBXML from 14.0, raw MIME in 12.1; `none`: no body. */
  readonly body: 'wbxml' | 'optional' | 'mime' | 'none'
  /** The root element of request and response, and where a common status goes. Undefined for GetAttachment. */
  readonly root: Tag | undefined
  readonly statusTag: Tag | undefined
  /** An element around the Status, where the schema has no place for it below the root. */
  readonly statusParent?: Tag
  /** Throws StatusError or DomainError (mapped by `domainStatus`); anything else is a bug and answered 110. */
  run(context: Context, request: Request): Promise<Answer>
}

/** Declares a command; only there for the type. */
export const command = (declared: Command): Command => declared

/** Shorthand for a document answer. */
export const document = (root: Element, headers?: Readonly<Record<string, string>>): Answer =>
  headers === undefined ? { kind: 'document', root } : { kind: 'document', root, headers }
