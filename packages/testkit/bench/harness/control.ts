import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { MailboxId, MailboxService } from '@postrider/domain'
import { Caller, streamChannel } from '@postrider/link'
import type { TestServer } from '../../src/server/index.ts'

/** Length (4 bytes, big-endian) and JSON, as the control socket wants it. */
function frame(value: unknown): Buffer {
  const text = Buffer.from(JSON.stringify(value))
  const head = Buffer.alloc(4)
  head.writeUInt32BE(text.length)
  return Buffer.concat([head, text])
}

interface Request {
  readonly command: string
  readonly words: {
    readonly positionals: readonly string[]
    readonly options: Readonly<Record<string, string | boolean>>
    readonly secret?: string
  }
}

interface Asked {
  readonly socket: Socket
  readonly result: unknown
}

/** Asks over the server's control socket, as its command line does, without a process for each question. */
function ask(server: TestServer, request: Request): Promise<Asked> {
  const { promise, resolve, reject } = Promise.withResolvers<Asked>()
  const socket = connect(join(server.folder, 'control.sock'))
  let read = Buffer.alloc(0)
  const take = (chunk: Buffer): void => {
    read = Buffer.concat([read, chunk])
    if (read.length < 4 || read.length < 4 + read.readUInt32BE()) return
    socket.off('data', take)
    const answer = JSON.parse(read.toString('utf8', 4, 4 + read.readUInt32BE())) as {
      ok: boolean
      message?: string
      result?: unknown
    }
    if (answer.ok) resolve({ socket, result: answer.result })
    else reject(new Error(answer.message))
  }
  socket.on('data', take)
  socket.once('error', reject)
  socket.write(frame(request))
  return promise
}

export async function addUser(server: TestServer, address: string, password: string): Promise<void> {
  const words = { positionals: [address], options: { 'password-stdin': true }, secret: password }
  const { socket } = await ask(server, { command: 'user add', words })
  socket.destroy()
}

export interface Linked {
  readonly service: MailboxService
  readonly mailbox: MailboxId
  close(): void
}

/** The mailboxes of a running server, as an import sees them. */
export async function linkTo(server: TestServer, address: string): Promise<Linked> {
  const { socket, result } = await ask(server, {
    command: 'link',
    words: { positionals: [address, 'import'], options: {} },
  })
  const caller = new Caller()
  caller.attach(streamChannel(socket))
  return {
    service: caller.service,
    mailbox: (result as { mailbox: MailboxId }).mailbox,
    close: () => {
      caller.close()
      socket.destroy()
    },
  }
}
