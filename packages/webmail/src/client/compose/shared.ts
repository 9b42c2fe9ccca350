/** What another app shared to this one (Web Share Target): left in a cache by the service worker a moment ago. */
import { textToHtml } from '../mail/sanitise.ts'
import { compose } from './open.ts'
import { keepFiles } from './upload.ts'

const SHARED = 'postrider-shared'

export async function composeShared(): Promise<void> {
  const cache = await caches.open(SHARED)
  let words: Readonly<Record<string, string>> = {}
  const files: File[] = []
  for (const request of await cache.keys()) {
    const response = await cache.match(request)
    if (response === undefined) continue
    if (request.url.endsWith('/words')) words = (await response.json()) as Record<string, string>
    else {
      const name = decodeURIComponent(response.headers.get('Postrider-Name') ?? 'file')
      files.push(new File([await response.blob()], name, { type: response.headers.get('Content-Type') ?? '' }))
    }
  }
  await caches.delete(SHARED)
  const { title = '', text = '', url = '' } = words
  compose({
    subject: title,
    body: textToHtml([text, url].filter((one) => one !== '').join('\n')),
    attached: await keepFiles(files),
  })
}
