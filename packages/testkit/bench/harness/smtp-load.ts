import { connect } from 'node:net'
import { testMail } from '../../test/mails.ts'

export interface Load {
  readonly port: number
  readonly connections: number
  /** Recipients; the message with a number goes to `to[number % to.length]`. */
  readonly to: readonly string[]
  readonly bytes: number
  /** Ends after so many messages or so many seconds, whichever is first. */
  readonly messages?: number
  readonly seconds?: number
  /** Messages a second of all connections together; default as fast as it goes. */
  readonly rate?: number
  /** Called when a message was accepted. */
  readonly accepted?: (to: string) => void
}

export interface Accepted {
  readonly count: number
  readonly seconds: number
  readonly perSecond: number
}

/** Messages over kept-open connections, as tight as it can be: the load must not cost more than the server. Counts the 250 behind each message. */
export async function smtpLoad(load: Load): Promise<Accepted> {
  const began = performance.now()
  const end = began + (load.seconds ?? Number.POSITIVE_INFINITY) * 1_000
  const last = load.messages ?? Number.POSITIVE_INFINITY
  let given = 0
  /** When the next message is due, and to whom it goes; undefined at the end. */
  const next = (): { to: string; due: number } | undefined => {
    const due = load.rate === undefined ? 0 : began + (given / load.rate) * 1_000
    if (given >= last || Math.max(due, performance.now()) > end) return undefined
    return { to: load.to[given++ % load.to.length] as string, due }
  }
  await Promise.all(Array.from({ length: load.connections }, () => sender(load, next)))
  const seconds = (performance.now() - began) / 1_000
  return { count: given, seconds, perSecond: given / seconds }
}

function sender(load: Load, next: () => { to: string; due: number } | undefined): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const { text } = testMail({
    from: 'ann@outside.example',
    to: 'bench@example.com',
    subject: 'bench',
    bytes: load.bytes,
  })
  const body = Buffer.from(`${text}.\r\n`)
  let to = ''
  let replies = 0
  let greeted = 0
  let rest = ''
  let over = false
  const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true })
  const send = (): void => {
    const message = next()
    if (message === undefined) {
      over = true
      socket.end('QUIT\r\n')
      resolve()
      return
    }
    to = message.to
    replies = 0
    const begin = (): void => void socket.write(`MAIL FROM:<ann@outside.example>\r\nRCPT TO:<${to}>\r\nDATA\r\n`)
    const wait = message.due - performance.now()
    if (wait <= 1) begin()
    else setTimeout(begin, wait)
  }
  socket.on('data', (chunk) => {
    const lines = (rest + chunk.toString('latin1')).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (over || !/^\d{3} /.test(line)) continue
      if (greeted < 2) {
        if (++greeted === 1) socket.write('EHLO bench.example\r\n')
        else send()
        continue
      }
      replies++
      if (!/^(2|354)/.test(line)) {
        reject(new Error(line))
        return
      }
      if (replies === 3) socket.write(body)
      if (replies === 4) {
        load.accepted?.(to)
        send()
      }
    }
  })
  socket.once('error', reject)
  socket.once('close', () => reject(new Error('the server closed the connection')))
  return promise
}
