import { execFile } from 'node:child_process'
import type { Logger } from '@postrider/domain'

/**
 * sd_notify(3): tells systemd that the server listens (READY=1), reloads or stops. The socket is a datagram one, which Node does not
 * have, so systemd's own small program sends it. Does nothing outside systemd.
 */
export function notifySystemd(state: string, log: Logger): Promise<void> {
  if (!process.env.NOTIFY_SOCKET) return Promise.resolve()
  return new Promise((resolve) => {
    // Exec, not shell; the words are ours.
    execFile('systemd-notify', [`--pid=${process.pid}`, ...state.split('\n')], { timeout: 5_000 }, (error) => {
      if (error !== null) log.warn({ state, err: error }, 'systemd could not be told')
      resolve()
    })
  })
}
