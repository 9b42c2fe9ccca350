import { ok } from '../codes.ts'
import { afterLogin, command } from '../command.ts'

/** RFC 5161. QRESYNC brings CONDSTORE with it (RFC 7162 §3.2.3), IMAP4rev2 brings UTF-8 names (RFC 9051 §5.1). */
export const enable = command({
  name: 'ENABLE',
  states: afterLogin,
  capability: 'ENABLE',
  updates: 'none',
  run(session, { capabilities }) {
    const { enabled } = session
    const done: string[] = []
    for (const name of new Set(capabilities)) {
      if (!session.offers(name)) continue
      if (name === 'CONDSTORE') session.enableCondstore()
      else if (name === 'QRESYNC') enabled.qresync = true
      else if (name === 'UTF8=ACCEPT') enabled.utf8 = enabled.utf8Accept = true
      else if (name === 'IMAP4REV2') enabled.utf8 = enabled.rev2 = true
      else continue
      done.push(name === 'IMAP4REV2' ? 'IMAP4rev2' : name)
    }
    if (enabled.qresync) session.enableCondstore()
    session.out.utf8 = enabled.utf8
    session.out.ascii(`* ENABLED${done.map((name) => ` ${name}`).join('')}\r\n`)
    return ok('ENABLE completed')
  },
})
