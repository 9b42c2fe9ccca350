/**
 * The service worker: the files of the client from the cache, the page from the network, and when that is away a page without content that
 * reads what is sealed on the device. What a page or a mail says is never kept here. Also: what is shared to the installed app, and
 * notices of new mail (RFC 8030, RFC 8620 §7.2).
 */

import { OUTBOX_SYNC } from '../offline/kept.ts'
import { keptFile, sendWaiting } from './kept.ts'

declare const SHELL_FILES: readonly string[]
declare const SHELL_VERSION: string

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface Fetching extends Extendable {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}
interface Pushed extends Extendable {
  readonly data: { json(): unknown } | null
}
interface Synced extends Extendable {
  readonly tag: string
}
interface Clicked extends Extendable {
  readonly notification: Notification
}
interface Page {
  readonly url: string
  readonly visibilityState: string
  focus(): Promise<unknown>
  navigate(url: string): Promise<unknown>
  postMessage(message: unknown): void
}
/** What is used of ServiceWorkerGlobalScope; its library cannot stand beside the one of pages. */
interface Scope {
  readonly registration: {
    readonly scope: string
    showNotification(title: string, options: NotificationOptions): Promise<void>
  }
  readonly clients: {
    claim(): Promise<void>
    matchAll(which: { readonly type: 'window'; readonly includeUncontrolled: boolean }): Promise<readonly Page[]>
    openWindow(url: string): Promise<unknown>
  }
  readonly location: Location
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', run: (event: Extendable) => void): void
  addEventListener(type: 'fetch', run: (event: Fetching) => void): void
  addEventListener(type: 'push', run: (event: Pushed) => void): void
  addEventListener(type: 'sync', run: (event: Synced) => void): void
  addEventListener(type: 'notificationclick', run: (event: Clicked) => void): void
}
const worker = globalThis as unknown as Scope
const NAME = `postrider-${SHELL_VERSION}`
const SHARED = 'postrider-shared'
const DOWNLOADS = '/jmap/download/'
const base = new URL(worker.registration.scope).pathname
const place = (path: string): string => new URL(path, worker.registration.scope).href

worker.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(NAME)
      await cache.addAll(SHELL_FILES.map(place))
      await worker.skipWaiting()
    })(),
  )
})

worker.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith('postrider-') && name !== NAME) await caches.delete(name)
      await worker.clients.claim()
    })(),
  )
})

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (url.origin !== worker.location.origin) return
  if (request.method === 'GET' && url.pathname.startsWith(DOWNLOADS)) return event.respondWith(file(request, url))
  if (!url.pathname.startsWith(base)) return
  const path = url.pathname.slice(base.length)
  if (request.method === 'POST' && path === 'share') event.respondWith(share(request))
  if (request.method !== 'GET') return
  if (SHELL_FILES.includes(path)) event.respondWith(fromCache(request, path))
  else if (request.mode === 'navigate' && !/^(?:body|picture)/.test(path)) event.respondWith(page(request))
})

async function fromCache(request: Request, path: string): Promise<Response> {
  const cache = await caches.open(NAME)
  return (await cache.match(place(path))) ?? (await fetch(request))
}

/** A file of a mail: the server's, and while that is away what is kept of it. */
async function file(request: Request, url: URL): Promise<Response> {
  try {
    const response = await fetch(request)
    if (![502, 503, 504].includes(response.status)) return response
    return (await keptFile(url).catch(() => undefined)) ?? response
  } catch (error) {
    const kept = await keptFile(url).catch(() => undefined)
    if (kept === undefined) throw error
    return kept
  }
}

/** One-shot background sync: what waits leaves with no page open. A rejection makes the browser try again later. */
worker.addEventListener('sync', (event) => {
  if (event.tag !== OUTBOX_SYNC) return
  event.waitUntil(
    sendWaiting().finally(async () => {
      for (const one of await worker.clients.matchAll({ type: 'window', includeUncontrolled: true }))
        one.postMessage({ outbox: true })
    }),
  )
})

/** The page, with the session and the first rows in it; without a network the one that finds its own. */
async function page(request: Request): Promise<Response> {
  try {
    const response = await fetch(request)
    if (![502, 503, 504].includes(response.status)) return response
  } catch {
    // No network.
  }
  const cache = await caches.open(NAME)
  return (await cache.match(place('offline.html'))) ?? Response.error()
}

/** Something shared to the installed app (Web Share Target): kept until the composer, a moment later, takes it. */
async function share(request: Request): Promise<Response> {
  const form = await request.formData()
  const cache = await caches.open(SHARED)
  const words = Object.fromEntries(['title', 'text', 'url'].map((name) => [name, String(form.get(name) ?? '')]))
  await cache.put(place('shared/words'), new Response(JSON.stringify(words)))
  for (const [n, file] of form.getAll('files').entries())
    if (file instanceof File) {
      const headers = { 'Content-Type': file.type, 'Postrider-Name': encodeURIComponent(file.name) }
      await cache.put(place(`shared/${n}`), new Response(file, { headers }))
    }
  return Response.redirect(place('compose?shared=1'), 303)
}

/** RFC 8620 §7.1, §7.2.2. */
interface Notice {
  readonly '@type'?: string
  readonly changed?: Readonly<Record<string, Readonly<Record<string, string>>>>
}
const arrived = ({ changed = {} }: Notice): boolean => Object.values(changed).some((types) => 'EmailDelivery' in types)

interface Newest {
  readonly from?: string
  readonly subject?: string
  readonly id?: string
}
/** Who wrote; only while the session lives. A notice carries nothing that a push service could read, or a thief see. */
async function newest(): Promise<Newest> {
  try {
    const response = await fetch('/web/newest', { credentials: 'same-origin' })
    return response.ok ? ((await response.json()) as Newest) : {}
  } catch {
    return {}
  }
}

/** Verifications go to the page that asked for them; of what changed only new mail is worth a notice. */
worker.addEventListener('push', (event) => {
  event.waitUntil(
    (async () => {
      let notice: Notice = {}
      try {
        notice = (event.data?.json() ?? {}) as Notice
      } catch {
        // Not for us to read: something happened.
      }
      const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
      for (const one of pages) one.postMessage({ push: notice })
      if (notice['@type'] === 'PushVerification' || (notice['@type'] === 'StateChange' && !arrived(notice))) return
      // Browsers want something shown for every push; who looks at the client sees the mail itself.
      if (pages.some(({ visibilityState }) => visibilityState === 'visible')) return
      const { from, subject, id } = await newest()
      await worker.registration.showNotification(from ?? 'Postrider', {
        body: subject ?? '',
        tag: id ?? 'mail',
        icon: place('icon-192.png'),
        badge: place('icon-192.png'),
        data: { url: id === undefined ? base : `${base}inbox/${encodeURIComponent(id)}` },
      })
    })(),
  )
})

worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(
    (async () => {
      const url = new URL(
        String((event.notification.data as { readonly url?: string }).url ?? base),
        worker.registration.scope,
      ).href
      const [first] = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
      if (first === undefined) return worker.clients.openWindow(url)
      await first.focus()
      return first.navigate(url)
    })(),
  )
})
