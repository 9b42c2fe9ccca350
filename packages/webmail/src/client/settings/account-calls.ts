/** What these settings ask of the server beside JMAP: `/web/account`. */
import { app } from '../app.ts'
import { JmapError } from '../jmap/client.ts'
import { t } from '../text/text.ts'

export async function read<T>(path: string): Promise<T> {
  return (await (await app.client.request(path)).json()) as T
}
export async function post<T>(path: string, body: Readonly<Record<string, unknown>>): Promise<T> {
  const headers = { 'Content-Type': 'application/json' }
  const answer = await app.client.request(path, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await answer.json()) as T
}

/** Words for what was refused. */
export function wrongText(error: unknown): string {
  if (!(error instanceof JmapError)) return t('failed')
  if (error.type === 'password') return t('wrongPassword')
  if (error.type === 'code') return t('wrongCode')
  if (error.type === 'passkey') return t('passkeyRefused')
  return error.type === 'invalid' && error.message !== '' ? error.message : t('failed')
}
