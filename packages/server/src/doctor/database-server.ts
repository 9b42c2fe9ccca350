import { inspectServer } from '@postrider/store/postgres'
import type { Finding } from './checks.ts'

/** The PostgreSQL server that has the mailboxes: whether it can be used, and whether it keeps what it acknowledges. */
export async function checkDatabaseServer(urls: readonly string[] | undefined): Promise<readonly Finding[]> {
  if (urls === undefined) return []
  const about = 'database server'
  const { version, error, unsafe } = await inspectServer(urls)
  if (version === undefined) return [{ about, result: 'fail', text: error ?? 'no answer' }]
  const findings = unsafe.map((name): Finding => {
    return { about, result: 'fail', text: `${name} is off: acknowledged mail may be lost in a power cut` }
  })
  return [{ about, result: 'ok', text: `PostgreSQL ${version}` }, ...findings]
}
