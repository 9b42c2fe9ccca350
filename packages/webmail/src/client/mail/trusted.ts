/**
 * The one Trusted Types policy of the page: for parsing into inert documents, for the frame of a mail made from what the allow-list left, and
 * for the address of our own service worker.
 */
interface Policy {
  createHTML(html: string): string
  createScriptURL(url: string): string
}
interface TrustedTypesWindow {
  readonly trustedTypes?: { createPolicy(name: string, rules: Policy): Policy }
}

const rules: Policy = { createHTML: (html) => html, createScriptURL: (url) => url }
let policy: Policy | undefined
const get = (): Policy => {
  policy ??= (globalThis as unknown as TrustedTypesWindow).trustedTypes?.createPolicy('postrider', rules) ?? rules
  return policy
}

export const trusted = (html: string): string => get().createHTML(html)
export const trustedScript = (url: string): string => get().createScriptURL(url)
