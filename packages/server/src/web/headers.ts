import { createHash } from 'node:crypto'

/** The security headers of everything the web client's side answers: web.md §5, the third wall. */

type Policy = Readonly<Record<string, string>>
const policy = (table: Policy): string =>
  Object.entries(table)
    .map(([name, value]) => `${name} ${value}`.trim())
    .join('; ')

/**
 * The app: scripts of our own only, no sink that takes a string, no style sheet but ours. Style attributes are for the text one writes on:
 * quoted mail keeps its looks.
 */
export const appPolicy: string = policy({
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'style-src-attr': "'unsafe-inline'",
  'img-src': "'self' data: blob:",
  'connect-src': "'self'",
  'font-src': "'self'",
  'media-src': "'self' blob:",
  'frame-src': "'self' blob:",
  'worker-src': "'self'",
  'manifest-src': "'self'",
  'form-action': "'self'",
  'base-uri': "'none'",
  'frame-ancestors': "'none'",
  'require-trusted-types-for': "'script'",
  'trusted-types': 'postrider',
})

/** A page without script: `style` is its one style sheet, allowed by its hash, or 'self' for a file. `scripts`: files of ours after all. */
export const pagePolicy = (style: string | undefined, scripts = false): string =>
  policy({
    'default-src': "'none'",
    ...(scripts ? { 'script-src': "'self'", 'connect-src': "'self'" } : {}),
    'style-src': style === undefined ? "'self'" : `'sha256-${createHash('sha256').update(style).digest('base64')}'`,
    'img-src': "'self' data:",
    'form-action': "'self'",
    'base-uri': "'none'",
    'frame-ancestors': "'none'",
    'require-trusted-types-for': "'script'",
  })

/** The body of a mail in its frame: its own styles, pictures of ours, and nothing else; framed by us alone. */
export const bodyPolicy: string = policy({
  'default-src': "'none'",
  'style-src': "'unsafe-inline'",
  'img-src': "'self' data:",
  'form-action': "'none'",
  'base-uri': "'none'",
  'frame-ancestors': "'self'",
  'require-trusted-types-for': "'script'",
  sandbox: 'allow-same-origin allow-popups allow-popups-to-escape-sandbox',
})

/** The empty document the client fills with a mail: the same, and the pictures of mails that are being written. */
export const framePolicy: string = bodyPolicy.replace("img-src 'self' data:", "img-src 'self' data: blob:")

/** A file that came by mail: opened as a page it can do nothing. */
export const filePolicy: string = policy({
  'default-src': "'none'",
  'img-src': 'data:',
  'style-src': "'unsafe-inline'",
  sandbox: '',
})

/** Beside the policy, everywhere. */
export const commonHeaders: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Frame-Options': 'DENY',
  'Strict-Transport-Security': 'max-age=31536000',
  'Permissions-Policy':
    'accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=(), xr-spatial-tracking=()',
}

export const pageHeaders = (contentSecurityPolicy: string): Record<string, string> => ({
  ...commonHeaders,
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': contentSecurityPolicy,
  'Cache-Control': 'no-store',
})
