/** What is written, as an Email to create (RFC 8621 §4.6), and its sending (§7.5) with a time to take it back. */
import type { Address, Id, Identity } from '../jmap/types.ts'
import { clean, escapeHtml, htmlOf } from '../mail/sanitise.ts'
import type { Attached } from './open.ts'

export interface Written {
  readonly identity: Identity | undefined
  readonly from: Address
  readonly to: readonly Address[]
  readonly cc: readonly Address[]
  readonly bcc: readonly Address[]
  readonly subject: string
  readonly html: string
  readonly attached: readonly Attached[]
  readonly inReplyTo: readonly string[] | null
  readonly references: readonly string[] | null
  /** Whether it asks to be told when it was read. */
  readonly receipt: boolean
}

/** Pictures in the text become parts: by the blob they came from. */
export function withCids(
  html: string,
  attached: readonly Attached[],
): { readonly html: string; readonly used: ReadonlySet<string> } {
  const fragment = clean(html, { forEditor: true })
  const used = new Set<string>()
  for (const picture of fragment.querySelectorAll('img')) {
    const src = picture.getAttribute('src') ?? ''
    const found = attached.find((one) => one.cid !== undefined && src.includes(`/${encodeURIComponent(one.blobId)}/`))
    if (found?.cid !== undefined) {
      picture.setAttribute('src', `cid:${found.cid}`)
      used.add(found.key)
    }
  }
  return { html: htmlOf(fragment), used }
}

const blocks =
  /^(?:address|article|aside|blockquote|div|dl|dt|dd|figure|footer|h[1-6]|header|hr|li|main|nav|ol|p|pre|section|table|tr|ul)$/

/** The text a program without HTML shows: quotes by `>`, lists by their signs. */
export function textOfHtml(html: string): string {
  const out: string[] = ['']
  let prefix = ''
  const line = (): void => {
    if (out.at(-1) !== prefix) out.push(prefix)
  }
  const visit = (node: Node): void => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) {
        out[out.length - 1] += (child.textContent ?? '').replace(/[ \t\r\n\u200b]+/g, ' ')
        continue
      }
      if (!(child instanceof Element)) continue
      const name = child.localName
      if (name === 'br') {
        if (child.nextSibling !== null || !blocks.test(child.parentElement?.localName ?? '')) out.push(prefix)
        else if (child.previousSibling === null) out.push(prefix)
        continue
      }
      if (name === 'style') continue
      if (!blocks.test(name)) {
        visit(child)
        const href = name === 'a' ? child.getAttribute('href') : null
        if (href !== null && /^https?:/.test(href) && child.textContent?.trim() !== href)
          out[out.length - 1] += ` <${href}>`
        continue
      }
      line()
      const before = prefix
      if (name === 'blockquote') {
        prefix = `${prefix}> `
        out[out.length - 1] = prefix
      }
      if (name === 'li')
        out[out.length - 1] +=
          child.parentElement?.localName === 'ol' ? `${[...child.parentElement.children].indexOf(child) + 1}. ` : '- '
      visit(child)
      prefix = before
      line()
    }
  }
  visit(clean(html, { forEditor: true }))
  return out
    .map((one) => one.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

/** Email/set's create. */
export function emailOf(written: Written, drafts: Id): Record<string, unknown> {
  const { html, used } = withCids(written.html, written.attached)
  const body = `<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>${html}</body></html>`
  return {
    mailboxIds: { [drafts]: true },
    keywords: { $draft: true, $seen: true },
    from: [written.from],
    to: written.to,
    cc: written.cc.length === 0 ? null : written.cc,
    bcc: written.bcc.length === 0 ? null : written.bcc,
    replyTo: written.identity?.replyTo ?? null,
    subject: written.subject,
    inReplyTo: written.inReplyTo,
    references: written.references,
    ...(written.receipt ? { 'header:Disposition-Notification-To:asAddresses': [written.from] } : {}),
    textBody: [{ partId: 'text', type: 'text/plain' }],
    htmlBody: [{ partId: 'html', type: 'text/html' }],
    bodyValues: { text: { value: textOfHtml(html) }, html: { value: body } },
    attachments: written.attached
      .filter((one) => one.cid === undefined || used.has(one.key))
      .map((one) => ({
        blobId: one.blobId,
        type: one.type,
        name: one.name,
        ...(one.cid === undefined ? { disposition: 'attachment' } : { disposition: 'inline', cid: one.cid }),
      })),
  }
}

/** HOLDFOR, HOLDUNTIL: RFC 4865 §4. */
export function envelopeOf(
  from: string,
  recipients: readonly Address[],
  hold: { readonly seconds: number } | { readonly until: Date },
): Record<string, unknown> {
  const parameters: Record<string, string> =
    'until' in hold
      ? { HOLDUNTIL: hold.until.toISOString().replace(/\.\d+Z$/, 'Z') }
      : hold.seconds > 0
        ? { HOLDFOR: String(hold.seconds) }
        : {}
  return {
    mailFrom: { email: from, parameters: Object.keys(parameters).length === 0 ? null : parameters },
    rcptTo: [...new Set(recipients.map((one) => one.email))].map((email) => ({ email, parameters: null })),
  }
}

/** A signature below what is written. */
export const signatureOf = (identity: Identity | undefined): string => {
  if (identity === undefined) return ''
  const { htmlSignature: html, textSignature: text } = identity
  const body = html !== '' ? html : escapeHtml(text).replaceAll('\n', '<br>')
  return body === '' ? '' : `<div><br></div><div class="signature">${body}</div>`
}

export const mentionsAttachment = (text: string): boolean =>
  /\b(?:attach(?:ed|ment|ments|ing)?|enclosed|ci-joint|ci-jointe|pi[eè]ces? jointes?|en annexe|anbei|im anhang)\b/i.test(
    text,
  )
