/** What of the attachments can be looked at here. */
import type { BodyPart } from '../jmap/types.ts'

const MOST = 25 * 1024 * 1024

export type PreviewKind = 'picture' | 'text' | 'pdf'

/** Never HTML or SVG: these are programs as much as texts. */
export function previewKind({ type, size }: Pick<BodyPart, 'type' | 'size'>): PreviewKind | undefined {
  if (size > MOST) return undefined
  if (/^image\/(?:png|jpeg|gif|webp|avif)$/.test(type)) return 'picture'
  if (/^text\/(?:plain|csv|markdown|x-[\w-]+|tab-separated-values)$/.test(type) || type === 'application/json')
    return 'text'
  // Where the browser has no viewer of its own it would only download.
  return type === 'application/pdf' && navigator.pdfViewerEnabled ? 'pdf' : undefined
}

/** RFC 5545 §8.1, and what some programs say instead. */
export const isCalendar = ({ type, name }: Pick<BodyPart, 'type' | 'name'>): boolean =>
  type === 'text/calendar' ||
  type === 'application/ics' ||
  (type === 'application/octet-stream' && /\.ics$/i.test(name ?? ''))
