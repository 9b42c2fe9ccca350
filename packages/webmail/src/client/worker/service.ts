/** The service worker: the files of the client from the cache, the page from the network. What a page says is never kept. */

declare const SHELL_FILES: readonly string[]
declare const SHELL_VERSION: string

interface Extendable extends Event {
  waitUntil(work: Promise<unknown>): void
}
interface Fetching extends Extendable {
  readonly request: Request
  respondWith(response: Promise<Response>): void
}
/** What is used of ServiceWorkerGlobalScope; its library cannot stand beside the one of pages. */
interface Scope {
  readonly registration: { readonly scope: string }
  readonly clients: { claim(): Promise<void> }
  readonly location: Location
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', run: (event: Extendable) => void): void
  addEventListener(type: 'fetch', run: (event: Fetching) => void): void
}
const worker = globalThis as unknown as Scope
const NAME = `postrider-${SHELL_VERSION}`

worker.addEventListener('install', (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(NAME)
      await cache.addAll(
        SHELL_FILES.filter((one) => one.startsWith('a/')).map((one) => new URL(one, worker.registration.scope).href),
      )
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
  if (request.method !== 'GET' || url.origin !== worker.location.origin) return
  if (!url.pathname.startsWith(`${new URL(worker.registration.scope).pathname}a/`)) return
  event.respondWith(
    (async () => {
      const cache = await caches.open(NAME)
      return (await cache.match(request)) ?? (await fetch(request))
    })(),
  )
})
