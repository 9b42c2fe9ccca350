/** Drafts the server could not take: kept in the browser, opened again by the next page. */
import { app } from '../app.ts'
import type { Id } from '../jmap/types.ts'
import type { Beginning } from './open.ts'
import type { Written } from './outgoing.ts'

const PREFIX = 'postrider.draft.'

/** What a window of writing holds, so that another can go on with it. */
export const keptOf = (start: Beginning, written: Written, draftId: Id | undefined): Omit<Beginning, 'key'> => ({
  draftId,
  to: written.to,
  cc: written.cc,
  bcc: written.bcc,
  subject: written.subject,
  quoted: '',
  body: written.html,
  attached: written.attached,
  inReplyTo: written.inReplyTo,
  references: written.references,
  receipt: written.receipt,
  answers: start.answers,
  secret: start.secret,
  focus: 'text',
})

export function keepDraft(start: Beginning, written: Written, draftId: Id | undefined): void {
  if (start.secret === true) return
  const kept = keptOf(start, written, draftId)
  try {
    app.storage.setItem(PREFIX + start.key, JSON.stringify(kept))
  } catch {
    // Full: the window stays open, nothing is lost by it.
  }
}
export const forgetKept = (key: string): void => app.storage.removeItem(PREFIX + key)

/** What was kept, and no longer is. */
export function takeKept(): Omit<Beginning, 'key'>[] {
  const out: Omit<Beginning, 'key'>[] = []
  for (const key of Object.keys(app.storage).filter((one) => one.startsWith(PREFIX))) {
    try {
      out.push(JSON.parse(app.storage.getItem(key) ?? '') as Omit<Beginning, 'key'>)
    } catch {
      // Cut off: there is nothing to open.
    }
    app.storage.removeItem(key)
  }
  return out
}
