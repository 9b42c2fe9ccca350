/** One parsed request, whichever of the two query forms it came in: [MS-ASHTTP] §2.2.1. What {@link Context.request} holds. */
import type { Element } from '@postrider/wire/wbxml'
import type { CommandName } from './command.ts'
import type { EasVersion } from './version.ts'

/** Command parameters of the query: [MS-ASHTTP] §2.2.1.1.1.1.3 and §2.2.1.1.1.2.5. Only for 12.1 commands without WBXML. */
export interface QueryParameters {
  readonly attachmentName?: string
  readonly collectionId?: string
  readonly itemId?: string
  readonly longId?: string
  readonly occurrence?: string
  readonly saveInSent: boolean
}

/** The query string and headers, before the body is read. */
export interface RequestHead {
  readonly command: CommandName
  readonly version: EasVersion
  /** 1 to 32 letters and digits: [MS-ASHTTP] §2.2.1.1.1.2.3. */
  readonly deviceId: string
  readonly deviceType: string
  readonly user: string | undefined
  /** The number of X-MS-PolicyKey; undefined when the client sent none. */
  readonly policyKey: number | undefined
  readonly parameters: QueryParameters
  /** MS-ASAcceptMultiPart: T, or the option of the base64 query. */
  readonly acceptMultiPart: boolean
  readonly acceptGzip: boolean
  /** Language the client prefers, of those the server has: Accept-Language or the base64 query's locale. */
  readonly language: 'en' | 'fr' | undefined
  readonly contentType: string
  readonly userAgent: string
  readonly remoteAddress: string
}

export interface Request extends RequestHead {
  /** The decoded WBXML body; undefined when the body was empty or is MIME. */
  readonly document: Element | undefined
  /** The body as it came (after gzip). */
  readonly body: Uint8Array
}
