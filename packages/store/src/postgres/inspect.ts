import { messageOf } from './link.ts'
import { Session } from './session.ts'

/** What an administrator should know of a server before trusting mail to it. */
export interface ServerReport {
  /** As the server writes it: `15.6`. Undefined when it cannot be used. */
  readonly version: string | undefined
  /** Why it cannot be used, if so. */
  readonly error: string | undefined
  /** Settings with which acknowledged mail may be lost in a power cut. */
  readonly unsafe: readonly string[]
}

/** Connects as the store would, and looks. Never rejects. */
export async function inspectServer(urls: readonly string[]): Promise<ServerReport> {
  let session: Session | undefined
  try {
    session = await Session.connect(urls, 'public')
    const [version, unsafe] = await session.run([
      { text: `SELECT current_setting('server_version')`, values: [] },
      {
        text: `SELECT name FROM pg_settings WHERE name IN ('fsync', 'full_page_writes') AND setting = 'off' ORDER BY name`,
        values: [],
      },
    ])
    const names = (unsafe ?? []).map(([name]) => String(name))
    return { version: String(version?.[0]?.[0]), error: undefined, unsafe: names }
  } catch (error) {
    return { version: undefined, error: messageOf(error), unsafe: [] }
  } finally {
    session?.destroy()
  }
}
