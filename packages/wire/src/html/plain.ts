import { escapeHtml } from '../mime/index.ts'
import { MAX_HTML, MAX_QUOTES } from './limits.ts'

/** Web and mail addresses in running text. Bounded repeats only: linear. */
const LINK =
  /\bhttps?:\/\/[^\s<>"]{1,2000}|\bwww\.[^\s<>"]{4,500}|\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b/gi

/** Text with its links found; escaped. What closes a sentence or a bracket around a link is not part of it. */
function linked(text: string): string {
  let out = ''
  let done = 0
  for (const match of text.matchAll(LINK)) {
    let target = match[0].replace(/[.,;:!?'*_]{1,8}$/, '')
    if (target.endsWith(')') && !target.includes('(')) target = target.slice(0, -1)
    const href = /^https?:/i.test(target)
      ? target
      : target.includes('@') && !/^www\./i.test(target)
        ? `mailto:${target}`
        : `https://${target}`
    if (href.startsWith('http') && !URL.canParse(href)) continue
    out += `${escapeHtml(text.slice(done, match.index))}<a href="${escapeHtml(href)}" target="_blank" rel="noopener noreferrer nofollow">${escapeHtml(target)}</a>`
    done = match.index + target.length
  }
  return out + escapeHtml(text.slice(done))
}

/** A plain text body as HTML: lines kept, links found, `>` as quotes (`class="pr-quote"`), the signature behind `-- ` marked. */
export function plainToHtml(input: string): { readonly html: string; readonly quoted: boolean; readonly cut: boolean } {
  const cut = input.length > MAX_HTML
  const text = (cut ? input.slice(0, MAX_HTML) : input)
    .replace(/\r\n?/g, '\n')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd')
  const out: string[] = []
  let depth = 0
  let quoted = false
  let signature = false
  for (const line of text.split('\n')) {
    const marks = /^(?:> ?){1,40}/.exec(line)?.[0] ?? ''
    const wanted = Math.min(MAX_QUOTES, marks.replaceAll(' ', '').length)
    if (wanted > 0) quoted = true
    for (; depth < wanted; depth++) out.push('<blockquote class="pr-quote">')
    for (; depth > wanted; depth--) out.push('</blockquote>')
    if (!signature && wanted === 0 && line === '-- ') {
      signature = true
      out.push('<div class="pr-signature">')
    }
    out.push(linked(line.slice(marks.length)), '\n')
  }
  for (; depth > 0; depth--) out.push('</blockquote>')
  if (signature) out.push('</div>')
  return { html: `<div class="pr-mail pr-plain">${out.join('')}</div>`, quoted, cut }
}
