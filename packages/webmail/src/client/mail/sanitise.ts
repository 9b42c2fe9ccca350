/**
 * The second wall around the HTML of mails (the server's sanitiser is the first, the script-less frame the third): an allow-list of elements
 * and attributes, applied to an inert document. What is not named here is not shown.
 */
import { trusted } from './trusted.ts'

const elements = new Set(
  (
    'a abbr address article aside b bdi bdo big blockquote br caption center cite code col colgroup dd del details dfn div dl dt em ' +
    'figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark nav ol p pre q rp rt ruby s samp section small ' +
    'span strike strong style sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr'
  ).split(' '),
)
/** Left out with everything in them; of others the content stays. */
const dropped = new Set(
  (
    'script noscript template iframe frame frameset object embed applet svg math form input button select textarea option audio video ' +
    'source track canvas dialog link meta base title head portal slot'
  ).split(' '),
)
const attributes = new Set(
  (
    'abbr align alt axis bgcolor border cellpadding cellspacing char charoff cite class clear color cols colspan compact datetime dir face ' +
    'headers height hspace href id lang noshade nowrap open reversed rowspan rules scope size span src start style summary title type ' +
    'valign value vspace width'
  ).split(' '),
)

const safeLink = /^(?:https?:|mailto:|tel:|#)/i
/** Pictures come from this server or are part of the text. */
const safePicture = /^(?:\/(?!\/)|blob:|data:image\/(?:png|jpeg|gif|webp|avif|bmp)[;,])/i

/** Parses and cleans. `forEditor`: styles of the whole document are left out, too. */
export function clean(html: string, { forEditor = false }: { readonly forEditor?: boolean } = {}): DocumentFragment {
  // In a template nothing is run, loaded or applied; a document parsed apart would have its styles measured by the page's policy.
  const holder = document.createElement('template')
  holder.innerHTML = trusted(html) as string
  walk(holder.content, forEditor)
  return holder.content
}

function walk(root: DocumentFragment, forEditor: boolean): void {
  // Deepest first would lift content twice; a work list over the live tree sees everything that stays exactly once.
  const work: Node[] = [...root.childNodes]
  for (let node = work.pop(); node !== undefined; node = work.pop()) {
    if (node.nodeType === Node.TEXT_NODE) continue
    if (node.nodeType !== Node.ELEMENT_NODE) {
      node.parentNode?.removeChild(node)
      continue
    }
    const element = node as Element
    const name = element.localName
    const html = element.namespaceURI === 'http://www.w3.org/1999/xhtml'
    if (!html || dropped.has(name) || (name === 'style' && forEditor)) {
      element.remove()
      continue
    }
    work.push(...element.childNodes)
    if (!elements.has(name)) {
      element.replaceWith(...element.childNodes)
      continue
    }
    for (const { name: attribute, value } of [...element.attributes]) {
      const bad =
        !attributes.has(attribute) ||
        (attribute === 'href' && (name !== 'a' || !safeLink.test(value.trim()))) ||
        (attribute === 'src' && (name !== 'img' || !safePicture.test(value.trim()))) ||
        (attribute === 'style' && !safeStyle(value))
      if (bad) element.removeAttribute(attribute)
    }
    if (name === 'style' && !safeStyle(element.textContent ?? '')) element.remove()
    if (name === 'a') {
      element.setAttribute('target', '_blank')
      element.setAttribute('rel', 'noopener noreferrer')
    }
    if (name === 'img' && !element.hasAttribute('alt')) element.setAttribute('alt', '')
  }
}

/** Nothing that loads; the policy of the page would stop it as well. */
const safeStyle = (css: string): boolean => {
  const plain = css.replace(/\\[0-9a-f]{1,6}\s?|\\|\/\*.*?\*\//gis, '')
  return plain.length === css.length
    ? !/@import|expression\s*\(|url\s*\(\s*['"]?(?!data:image\/(?:png|jpe?g|gif|webp)|\/(?!\/))/i.test(plain)
    : !/[\\]/.test(css) && !/@import|url\s*\(/i.test(plain)
}

export function htmlOf(fragment: DocumentFragment): string {
  const holder = document.implementation.createHTMLDocument('').createElement('div')
  holder.append(fragment)
  return holder.innerHTML
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
export const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (c) => escapes[c] ?? c)

/** Plain text as HTML: links made of addresses, quoted lines by their depth. */
export function textToHtml(text: string): string {
  const lines = text.replace(/\r\n?/g, '\n').split('\n')
  let depth = 0
  let out = ''
  for (const line of lines) {
    const quoted = /^(?:> ?)+/.exec(line)?.[0] ?? ''
    const level = quoted.replaceAll(' ', '').length
    for (; depth < level; depth++) out += '<blockquote>'
    for (; depth > level; depth--) out += '</blockquote>'
    out += `<div>${linked(line.slice(quoted.length)) || '<br>'}</div>`
  }
  return out + '</blockquote>'.repeat(depth)
}
const linked = (line: string): string =>
  line
    .split(/(https?:\/\/[^\s<>"]{3,2000})/)
    .map((piece, i) => {
      if (i % 2 === 0) return escapeHtml(piece)
      const end = /[.,;:!?)\]]*$/.exec(piece)?.[0].length ?? 0
      const url = piece.slice(0, piece.length - end)
      return `<a href="${escapeHtml(url)}">${escapeHtml(url)}</a>${escapeHtml(piece.slice(piece.length - end))}`
    })
    .join('')
