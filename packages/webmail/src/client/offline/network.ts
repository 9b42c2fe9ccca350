/** Fetch that falls back to what is kept on the device. Its answers carry `Postrider-Offline`, so that nobody takes them for the server's. */
import { OFFLINE } from '../jmap/client.ts'
import type { LocalJmap } from './local.ts'

const away = (status: number): boolean => status === 502 || status === 503 || status === 504
const json = (value: unknown): Response =>
  new Response(JSON.stringify(value), { headers: { 'Content-Type': 'application/json', [OFFLINE]: '1' } })

/** `local` may come later than the first request. */
export function fetchOrKept(local: () => LocalJmap | undefined, bodyBase: string, apiPath: string): typeof fetch {
  return async (input, init) => {
    const url = String(input)
    let failure: unknown
    try {
      const response = await fetch(input, init)
      if (!away(response.status)) return response
      failure = new TypeError(`status ${response.status}`)
    } catch (error) {
      if (error instanceof DOMException && error.name === 'AbortError') throw error
      failure = error
    }
    const kept = await answer(local(), url, init, bodyBase, apiPath).catch(() => undefined)
    if (kept === undefined) throw failure
    return kept
  }
}

async function answer(
  local: LocalJmap | undefined,
  url: string,
  init: RequestInit | undefined,
  bodyBase: string,
  apiPath: string,
): Promise<Response | undefined> {
  if (local === undefined) return undefined
  if (url === apiPath && typeof init?.body === 'string') {
    const { methodCalls } = JSON.parse(init.body) as { readonly methodCalls: Parameters<LocalJmap['answer']>[0] }
    const methodResponses = await local.answer(methodCalls)
    return methodResponses === undefined ? undefined : json({ methodResponses, sessionState: 'offline' })
  }
  if (url.startsWith(bodyBase)) {
    const id = decodeURIComponent(url.slice(bodyBase.length).split('?')[0]?.split('/')[1] ?? '')
    const body = await local.body(id)
    if (body === undefined) return undefined
    if (body.html === undefined) return new Response('', { status: 404, headers: { [OFFLINE]: '1' } })
    const headers = { 'Content-Type': 'text/html', 'Postrider-Pictures': String(body.html.pictures), [OFFLINE]: '1' }
    return new Response(body.html.html, { headers })
  }
  return undefined
}
