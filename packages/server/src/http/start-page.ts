import type { Language } from '@postrider/domain'
import type { Reach, Site } from '@postrider/protocols/autodiscover'
import { pageText } from './texts.ts'

export interface StartPage {
  readonly language: Language
  readonly site: Site
  /** As configured for people outside (ExternalConnectionSettings); empty: not configured. */
  readonly outside: {
    readonly imap: readonly Reach[]
    readonly pop3: readonly Reach[]
    readonly submission: readonly Reach[]
  }
  /** Undefined when the certificate comes from an authority. */
  readonly fingerprint: string | undefined
}

const html = (text: string): string => text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`)

const style = `
:root{color-scheme:light dark;--line:#8884}
@media (prefers-color-scheme:dark){a{color:#9ec1ff}}
body{background:Canvas;color:CanvasText;font:1rem/1.5 system-ui,sans-serif;max-width:52rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line)}
code{overflow-wrap:anywhere}
.go{display:inline-block;margin-inline-end:1rem;padding:.6rem 1.25rem;border-radius:6px;background:#1f5fbf;color:#fff;font-weight:600;text-decoration:none}`

/** The style is allowed by its hash, nothing else is: no script, no picture, no other origin. */
export const pageStyle: string = style

/**
 * The start page: R46's values (name, port, encryption; incoming and outgoing; inside and outside) from live settings, and what to type
 * into a phone. Plain HTML, no JavaScript.
 */
export function renderStartPage({ language, site, outside, fingerprint }: StartPage): string {
  const say = (key: Parameters<typeof pageText>[1], parameters?: Record<string, string>): string =>
    html(pageText(language, key, parameters))
  const row = (...cells: string[]): string => `<tr>${cells.join('')}</tr>`
  const facts = (pairs: readonly (readonly [string, string])[]): string =>
    `<div class="scroll"><table>${pairs.map(([name, value]) => row(`<th scope="row">${name}</th>`, `<td>${value}</td>`)).join('')}</table></div>`
  const way = ({ host, port, encryption }: Reach): string =>
    `${say('server')}: <code>${html(host)}</code><br>${say('port')}: <code>${port}</code><br>${say('encryption')}: ${encryption === 'ssl' ? 'SSL/TLS' : 'STARTTLS'}`
  const ways = (reaches: readonly Reach[], none: Parameters<typeof pageText>[1]): string =>
    `<td>${reaches.length === 0 ? say(none) : way(reaches[0]!)}</td>`
  const service = (key: Parameters<typeof pageText>[1], name: 'imap' | 'pop3' | 'submission'): string =>
    row(`<th scope="row">${say(key)}</th>`, ways(site[name], 'off'), ways(outside[name], 'unconfigured'))
  const title = say('title', { organization: site.organization })
  const phone = facts([
    [say('server'), `<code>${html(site.url.replace('https://', ''))}</code>`],
    [say('login'), say('loginValue')],
    [say('domain'), say('domainValue')],
    [say('encryption'), 'SSL/TLS'],
  ])
  const certificate =
    fingerprint === undefined
      ? ''
      : `<h2>${say('certificate')}</h2><p>${say('certificateHint')}</p><p><code>${html(fingerprint)}</code></p><p><a href="/certificate.crt">${say('certificateLink')}</a></p>`
  return `<!DOCTYPE html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>${title}</title><style>${style}</style></head>
<body><main><h1>${title}</h1><p>${say('intro')}</p>
<p><a class="go" href="/mail/">${say('openMail')}</a> <a href="/signin?next=/light/">${say('openLight')}</a></p>
<h2>${say('phone')}</h2><p>${say('phoneHint')}</p>${phone}
<h2>${say('program')}</h2><p>${say('programHint')}</p>
<div class="scroll"><table><thead>${row(`<th scope="col">${say('service')}</th>`, `<th scope="col">${say('inside')}</th>`, `<th scope="col">${say('outside')}</th>`)}</thead>
<tbody>${service('incomingImap', 'imap')}${service('incomingPop', 'pop3')}${service('outgoing', 'submission')}</tbody></table></div>
<p>${say('keep')}</p>${certificate}</main></body></html>
`
}
