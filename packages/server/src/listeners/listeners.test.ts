import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls, TLSSocket } from 'node:tls'
import { type Connection, noMeter, silentLog } from '@postrider/domain'
import { selfSigned } from '../certificate/index.ts'
import type { ListenerName } from '../config/settings.ts'
import { plainAddress } from './connection.ts'
import { connectionCeiling, Gate } from './gate.ts'
import { lineAcceptor } from './line.ts'
import { ListenError, type Listening, listen } from './listen.ts'
import { Sweeper } from './sweeper.ts'
import { TlsHolder } from './tls.ts'

const made = selfSigned(['localhost', '127.0.0.1'], Date.now())
const certificate = { ...made, names: '', selfSigned: true, expires: 0, fingerprint: '' }
const until = async (what: () => boolean, ms = 5_000): Promise<void> => {
  const end = performance.now() + ms
  while (!what()) {
    assert.ok(performance.now() < end, 'it did not come about')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

interface Setup {
  readonly port: number
  readonly tls: TlsHolder
  readonly gate: Gate
  readonly sweeper: Sweeper
  readonly counts: Map<ListenerName, number>
}
async function setup(
  t: TestContext,
  accept: (connection: Connection) => void,
  options: { tls?: boolean; perAddress?: number } = {},
): Promise<Setup> {
  const tls = new TlsHolder({ certificate, minVersion: 'TLSv1.2' })
  const gate = new Gate({ total: 100, perAddress: options.perAddress ?? 100 })
  const sweeper = new Sweeper()
  const counts = new Map<ListenerName, number>()
  const isLogged = (): boolean => false
  const traces = { active: false, of: () => undefined }
  const parts = { tls, gate, sweeper, counts, isLogged, traces, log: silentLog, meter: noMeter }
  const name = options.tls === true ? 'imaps' : 'imap'
  const listening = await listen({
    name,
    addresses: ['127.0.0.1'],
    ports: [0],
    accept: lineAcceptor(name, options.tls === true, parts, accept),
    log: silentLog,
  })
  t.after(() => listening.close())
  return { port: listening.port, tls, gate, sweeper, counts }
}
function dial(t: TestContext, port: number): Socket {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  t.after(() => socket.destroy())
  return socket
}
function collect(socket: Socket): () => string {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  return () => text
}

test('bytes go both ways, and the end is heard once', async (t) => {
  const closed: (Error | undefined)[] = []
  const { port, gate, counts } = await setup(t, (connection) => {
    connection.handler = { data: (chunk) => connection.write(chunk), closed: (error) => closed.push(error) }
    assert.equal(connection.remoteAddress, '127.0.0.1')
    assert.equal(connection.secure, false)
    connection.write('hello\r\n')
  })
  const socket = dial(t, port)
  const text = collect(socket)
  socket.write('ping')
  await until(() => text() === 'hello\r\nping')
  assert.deepEqual([gate.total, counts.get('imap')], [1, 1])
  socket.destroy()
  await until(() => closed.length === 1)
  await until(() => gate.total === 0 && counts.get('imap') === 0)
})

test('implicit TLS; a client that speaks plain text gets nowhere and nobody else suffers', async (t) => {
  const { port, gate } = await setup(
    t,
    (connection) => {
      assert.equal(connection.secure, true)
      connection.handler = { data: (chunk) => connection.end(chunk), closed: () => {} }
    },
    { tls: true },
  )
  const plain = dial(t, port)
  plain.write('a LOGIN b c\r\n'.repeat(10))
  await until(() => plain.closed)
  const secure = connectTls({ port, host: '127.0.0.1', ca: made.certificate })
  t.after(() => secure.destroy())
  const text = collect(secure)
  secure.write('x')
  await until(() => text() === 'x')
  await until(() => gate.total === 0)
})

test('nobody negotiates anew within a TLS 1.2 session', async (t) => {
  const accept = (connection: Connection): void => {
    connection.handler = { data() {}, closed() {} }
  }
  const { port } = await setup(t, accept, { tls: true })
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  const refused = once(socket, 'error')
  socket.renegotiate({}, () => {})
  assert.match(String(await refused), /no renegotiation/i)
})

test('a client that goes away during or right after the handshake leaves nothing behind', async (t) => {
  let ended = 0
  const { port, gate } = await setup(
    t,
    (connection) => {
      connection.handler = { data: () => {}, closed: () => ended++ }
    },
    { tls: true },
  )
  for (const when of ['connect', 'secureConnect'] as const) {
    const socket = connectTls({ port, host: '127.0.0.1', ca: made.certificate })
    socket.on('error', () => {})
    socket.once(when, () => socket.destroy())
    await once(socket, 'close')
    const half = dial(t, port)
    half.end(Buffer.from([0x16, 3, 1, 0, 5, 1]))
    await until(() => gate.total === 0)
  }
  assert.ok(ended <= 1)
})

test('P7: startTls throws away what came in the clear, in the same segment and after', async (t) => {
  const got: string[] = []
  const { port } = await setup(t, (connection) => {
    connection.handler = {
      closed: () => {},
      data(chunk) {
        const text = Buffer.from(chunk).toString()
        got.push(`${connection.secure ? 'tls' : 'clear'}:${text}`)
        if (text.startsWith('STARTTLS')) {
          connection.write('go\r\n')
          connection.startTls().then(
            () => got.push('secured'),
            () => got.push('failed'),
          )
        } else if (connection.secure) connection.write('secret')
      },
    }
  })
  const socket = dial(t, port)
  socket.write('STARTTLS\r\n')
  await once(socket, 'data')
  const secure = connectTls({ socket, ca: made.certificate, servername: 'localhost' })
  t.after(() => secure.destroy())
  secure.on('error', () => {})
  const text = collect(secure)
  secure.write('inside')
  await until(() => text() === 'secret')
  assert.deepEqual(got, ['clear:STARTTLS\r\n', 'secured', 'tls:inside'])

  // Injected behind the command, in a segment of its own: it is never read as if it had come in TLS.
  got.length = 0
  const evil = dial(t, port)
  evil.write('STARTTLS\r\n')
  await once(evil, 'data')
  evil.write('INJECTED\r\n')
  await until(() => got.includes('failed') && evil.closed)
  assert.deepEqual(got, ['clear:STARTTLS\r\n', 'failed'])
})

test('back-pressure: write says false, drained resolves when the peer reads, and when it is gone', async (t) => {
  let connection: Connection | undefined
  const { port, sweeper } = await setup(t, (one) => {
    connection = one
    one.handler = { data: () => {}, closed: () => {} }
  })
  const socket = dial(t, port)
  socket.pause()
  await until(() => connection !== undefined)
  const block = Buffer.alloc(1024 * 1024)
  let more = true
  for (let i = 0; i < 64 && more; i++) more = connection!.write(block)
  assert.equal(more, false)
  assert.ok(connection!.pendingBytes > 0)
  let drained = false
  const waiting = connection!.drained().then(() => {
    drained = true
  })
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(drained, false)
  socket.resume()
  await waiting
  await until(() => sweeper.size === 0)
  socket.pause()
  for (let i = 0; i < 64; i++) connection!.write(block)
  const second = connection!.drained()
  socket.destroy()
  await second
})

test('pause holds input back, resume lets it in', async (t) => {
  let connection: Connection | undefined
  let text = ''
  const { port } = await setup(t, (one) => {
    connection = one
    one.handler = {
      closed: () => {},
      data: (chunk) => {
        text += Buffer.from(chunk).toString()
      },
    }
    one.pause()
  })
  const socket = dial(t, port)
  socket.write('later')
  await until(() => connection !== undefined)
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(text, '')
  connection!.resume()
  await until(() => text === 'later')
})

test('a client that ends behind its last command still gets the answer', async (t) => {
  const { port } = await setup(t, (connection) => {
    connection.handler = {
      closed: () => {},
      data: () => setTimeout(() => connection.end('bye\r\n'), 100),
    }
  })
  const socket = dial(t, port)
  const text = collect(socket)
  socket.end('QUIT\r\n')
  await until(() => socket.closed)
  assert.equal(text(), 'bye\r\n')
})

test('a client that goes away while nothing is under way is gone at once', async (t) => {
  let closed = false
  const { port } = await setup(t, (connection) => {
    connection.handler = {
      data: () => {},
      closed: () => {
        closed = true
      },
    }
  })
  const socket = dial(t, port)
  await once(socket, 'connect')
  await new Promise((resolve) => setTimeout(resolve, 20))
  const began = performance.now()
  socket.end()
  await until(() => closed)
  assert.ok(performance.now() - began < 400)
})

test('a handler that throws ends its own connection only', async (t) => {
  let closed: Error | undefined
  const { port } = await setup(t, (connection) => {
    connection.handler = {
      data(chunk) {
        if (chunk[0] === 0x21) throw new Error('boom')
        connection.write(chunk)
      },
      closed(error) {
        closed = error
        throw new Error('boom again')
      },
    }
  })
  const bad = dial(t, port)
  const good = dial(t, port)
  const text = collect(good)
  bad.write('!')
  await until(() => bad.closed)
  assert.equal(closed?.message, 'boom')
  good.write('still here')
  await until(() => text() === 'still here')
})

test('connections of one address are limited, and room comes back', async (t) => {
  const { port, gate } = await setup(
    t,
    (connection) => {
      connection.handler = { data: () => {}, closed: () => {} }
      connection.write('ok')
    },
    { perAddress: 2 },
  )
  const [a, b] = [dial(t, port), dial(t, port)]
  await Promise.all([once(a, 'data'), once(b, 'data')])
  const c = dial(t, port)
  const heard: Buffer[] = []
  c.on('data', (chunk: Buffer) => heard.push(chunk))
  await until(() => c.closed)
  assert.match(Buffer.concat(heard).toString(), /^(?:\* BYE \[UNAVAILABLE\]|-ERR \[SYS\/TEMP\]|421 4\.3\.2) .*\r\n$/)
  a.destroy()
  await until(() => gate.total === 1)
  await once(dial(t, port), 'data')
})

test('the gate counts networks, not addresses, and leaving twice is once', () => {
  const gate = new Gate({ total: 3, perAddress: 2 })
  const leave = gate.enter('2001:db8::1')
  assert.ok(leave)
  assert.ok(gate.enter('2001:db8::2'))
  assert.equal(gate.enter('2001:db8::3'), undefined)
  leave()
  leave()
  assert.equal(gate.total, 1)
  assert.ok(gate.enter('2001:db8::3'))
  assert.ok(connectionCeiling(0) >= 16)
  assert.equal(connectionCeiling(20), 20)
})

test('a new certificate serves new handshakes; running sessions and resumption go on', async (t) => {
  const { port, tls } = await setup(
    t,
    (connection) => {
      connection.handler = { data: (chunk) => connection.write(chunk), closed: () => {} }
    },
    { tls: true },
  )
  const old = connectTls({ port, host: '127.0.0.1', ca: made.certificate })
  t.after(() => old.destroy())
  const session = once(old, 'session')
  await once(old, 'secureConnect')
  const fresh = selfSigned(['127.0.0.1'], Date.now())
  tls.replace({ certificate: { ...certificate, ...fresh }, minVersion: 'TLSv1.3' })
  const text = collect(old)
  old.write('alive')
  await until(() => text() === 'alive')
  const [ticket] = (await session) as [Buffer]
  const next = connectTls({ port, host: '127.0.0.1', ca: fresh.certificate })
  t.after(() => next.destroy())
  await once(next, 'secureConnect')
  assert.equal(next.getProtocol(), 'TLSv1.3')
  const again = connectTls({ port, host: '127.0.0.1', ca: [made.certificate, fresh.certificate], session: ticket })
  t.after(() => again.destroy())
  await once(again, 'secureConnect')
  assert.ok(again instanceof TLSSocket && again.isSessionReused())
  const broken = { ...certificate, certificate: 'x' }
  assert.throws(() => tls.replace({ certificate: broken, minVersion: 'TLSv1.2' }))
})

test('a port that is taken is said in words; auto goes on to the next', async (t) => {
  const options = { addresses: ['127.0.0.1'], accept: (socket: Socket) => socket.destroy(), log: silentLog }
  const first = await listen({ ...options, name: 'smtp', ports: [0] })
  t.after(() => first.close())
  await assert.rejects(
    listen({ ...options, name: 'https', ports: [first.port] }),
    (error) => error instanceof ListenError && /used by another program.*POSTRIDER_PORT_BASE/.test(error.message),
  )
  const second: Listening = await listen({ ...options, name: 'https', ports: [first.port, 0] })
  t.after(() => second.close())
  assert.notEqual(second.port, first.port)
  await assert.rejects(
    listen({ ...options, name: 'imap', addresses: ['192.0.2.1'], ports: [0] }),
    /has no address 192\.0\.2\.1/,
  )
})

test('all addresses of the machine: IPv4 shows as IPv4', async (t) => {
  let seen = ''
  const listening = await listen({
    name: 'imap',
    addresses: ['::'],
    ports: [0],
    log: silentLog,
    accept(socket) {
      seen = plainAddress(socket.remoteAddress ?? '')
      socket.destroy()
    },
  })
  t.after(() => listening.close())
  assert.equal(listening.host, '127.0.0.1')
  await once(dial(t, listening.port), 'close')
  assert.equal(seen, '127.0.0.1')
  const both = await listen({
    name: 'imap',
    addresses: ['0.0.0.0', '::'],
    ports: [0],
    log: silentLog,
    accept: (socket) => socket.destroy(),
  })
  t.after(() => both.close())
  await once(dial(t, both.port), 'close')
})
