import type { Principal } from '@postrider/domain'

/** Where a service of ours is reached. */
export interface Reach {
  readonly host: string
  readonly port: number
  /** `ssl`: TLS from the first byte; `starttls`: upgraded. */
  readonly encryption: 'ssl' | 'starttls'
}

/** What Autodiscover may tell: made by `server` for each request from live settings, so a change shows at once (R11). */
export interface Site {
  /** `https://mail.example.com:8443`, without a path. */
  readonly url: string
  readonly organization: string
  /** Best first. Empty: not offered. */
  readonly imap: readonly Reach[]
  readonly pop3: readonly Reach[]
  readonly submission: readonly Reach[]
  /** Where addresses of a domain live when it is not here: the same name in another domain, or undefined. */
  redirect(address: string): string | undefined
}

/** One HTTP request, read whole. */
export interface AutodiscoverRequest {
  readonly method: string
  /** As in the request line, with its query. */
  readonly url: string
  readonly body: Uint8Array
  readonly principal: Principal | undefined
}
export interface AutodiscoverAnswer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}

export const activeSyncUrl = (site: Site): string => `${site.url}/Microsoft-Server-ActiveSync`
export const poxUrl = (site: Site): string => `${site.url}/autodiscover/autodiscover.xml`
