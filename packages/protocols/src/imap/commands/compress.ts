import { bad, no, ok } from '../codes.ts'
import { afterLogin, command } from '../command.ts'

/** RFC 4978: everything after the tagged OK is deflated, both ways. */
export const compress = command({
  name: 'COMPRESS',
  states: afterLogin,
  capability: 'COMPRESS=DEFLATE',
  updates: 'none',
  run(session, { tag, algorithm }) {
    if (algorithm !== 'DEFLATE') return bad('Unknown compression')
    if (session.channel.compressed) return no('Compression is on already', 'COMPRESSIONACTIVE')
    const rest = session.takeInput()
    session.answer(tag, ok('DEFLATE active'))
    session.channel.compress(
      (chunk) => session.received(chunk),
      () => session.destroy(),
    )
    if (rest.length > 0) session.channel.inflate(rest)
    return undefined
  },
})
