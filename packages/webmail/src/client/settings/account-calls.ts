/** What these settings ask of the server beside JMAP: `/web/account`. */
import { app } from '../app.ts'
import { JmapError } from '../jmap/client.ts'
import { t, type TextKey } from '../text/text.ts'

export async function read<T>(path: string): Promise<T> {
  return (await (await app.client.request(path)).json()) as T
}
export async function post<T>(path: string, body: Readonly<Record<string, unknown>>): Promise<T> {
  const headers = { 'Content-Type': 'application/json' }
  const answer = await app.client.request(path, { method: 'POST', headers, body: JSON.stringify(body) })
  return (await answer.json()) as T
}

const words: Readonly<Record<string, TextKey>> = {
  password: 'wrongPassword',
  code: 'wrongCode',
  passkey: 'passkeyRefused',
  off: 'passwordOff',
  again: 'passwordAgain',
  short: 'passwordShort',
  same: 'passwordSame',
  address: 'passwordAddress',
}

/** Words for what was refused. */
export function wrongText(error: unknown): string {
  if (!(error instanceof JmapError)) return t('failed')
  const key = words[error.type]
  if (key !== undefined) return t(key)
  return error.type === 'invalid' && error.message !== '' ? error.message : t('failed')
}
