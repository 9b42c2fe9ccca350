/**
 * The HTTP face: one request in, one answer out. [MS-ASHTTP] §3.2.5. The server package authenticates (401) and routes;
 * everything after that is here: method, query, version, gate, body, command, reply.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isDomainError, type MailboxHandle, type MailboxId, type Onlooker, type Principal } from '@postrider/domain'
import { decodeWbxml, type Element } from '@postrider/wire/wbxml'
import { optionsHeaders } from './announce.ts'
import { statusReply, toReply } from './answer.ts'
import { BodyMemory, type BodyShare, readBody } from './body.ts'
import type { Answer, Command } from './command.ts'
import { commandByName } from './commands/index.ts'
import type { Context, Deps } from './context.ts'
import { Waiting } from './held/wait.ts'
import { gate } from './policy/gate.ts'
import { policyHash } from './policy/policy.ts'
import { parseQuery, type Query } from './query.ts'
import { maySpeak, quirksOf } from './quirks.ts'
import { lookAtReply, lookAtRequest } from './looking-on.ts'
import type { Request, RequestHead } from './request.ts'
import { type Reply, send } from './respond.ts'
import {
  type DeviceOrder,
  type DeviceRecord,
  listDevices,
  loadDevice,
  newDevice,
  noteSeen,
  saveDevice,
} from './state/device.ts'
import { Lock } from './state/lock.ts'
import { domainStatus, Status, StatusError } from './status.ts'
import { Throttle } from './throttle.ts'
import { atLeast, type EasVersion, parseVersion } from './version.ts'

export const activeSyncPath = '/Microsoft-Server-ActiveSync'

/** True for the path of ActiveSync in any case, with or without a slash or `default.eas` behind it. */
export function isActiveSyncPath(url: string): boolean {
  const path = (url.split('?', 1)[0] ?? '').toLowerCase()
  const base = activeSyncPath.toLowerCase()
  return path === base || path === `${base}/` || path === `${base}/default.eas`
}

export interface ActiveSync {
  /**
   * Answers one request of an authenticated principal. Resolves when it is answered or held; a held request goes on by
   * itself and ends with its response. Never rejects.
   */
  handle(request: IncomingMessage, response: ServerResponse, principal: Principal): Promise<void>
  /** Answers a user who may not use ActiveSync: 126, HTTP 403 in 12.1 (MS-ASCMD_R4869, MS-ASHTTP_R180). Never rejects. */
  refuse(request: IncomingMessage, response: ServerResponse): Promise<void>
  /**
   * Gives a device an order (wipe, block) or takes it back. What the device waits for ends at once, so that its next request is soon
   * there and hears of it.
   */
  order(mailbox: MailboxHandle, device: DeviceRecord, order: DeviceOrder): Promise<void>
  /** Held requests now. */
  readonly held: number
  /** Answers all held requests: for a graceful stop. New ones are still taken. */
  drain(): void
}

/** Makes the service; once per process. */
export function activeSync(deps: Deps): ActiveSync {
  const waiting = new Waiting(deps, deps.settings.coalesceMs)
  const throttle = new Throttle(deps.clock, deps.settings)
  const lock = new Lock()
  const memory = new BodyMemory(deps.settings.maxBodyMemory)
  return {
    get held() {
      return waiting.size
    },
    drain: () => waiting.drain(),
    async order(mailbox, device, order) {
      await saveDevice(mailbox, device, order)
      waiting.end(deviceKey(mailbox.mailbox, device.id))
    },
    async refuse(request, response) {
      request.resume()
      await send(response, refusal(request), false).catch(() => response.destroy())
    },
    async handle(request, response, principal) {
      try {
        await new Exchange({ deps, waiting, throttle, lock, memory }, request, response, principal).run()
      } catch (error) {
        deps.log.error({ err: error }, 'ActiveSync request failed')
        await send(response, { http: 500 }, false).catch(() => response.destroy())
      }
    },
  }
}

/** What a device is known by among the requests of a process. */
const deviceKey = (mailbox: MailboxId, deviceId: string): string => `${mailbox}/${deviceId}`

/** 126 as the version of a request says it; HTTP 403 where there is no command to answer. */
function refusal({ method, url, headers }: IncomingMessage): Reply {
  const { query } = method === 'POST' ? parseQuery((url ?? '').split('?').slice(1).join('?')) : { query: undefined }
  const version = parseVersion(query?.version ?? first(headers['ms-asprotocolversion']).trim()) ?? '12.1'
  const command = query === undefined ? undefined : commandByName(query.command)
  return statusReply(Status.UserDisabledForSync, { command, version })
}

const first = (header: string | string[] | undefined): string => (Array.isArray(header) ? header[0] : header) ?? ''

/** Content types of a WBXML body: [MS-ASHTTP] §2.2.1.1.2.3. Clients without a body send all sorts of things. */
const wbxmlTypes: ReadonlySet<string> = new Set(['application/vnd.ms-sync.wbxml', 'application/vnd.ms-sync'])

/** How often a device is noted as seen. */
const seenEveryMs = 60 * 60 * 1000

/** What all requests of a process share. */
interface Shared {
  readonly deps: Deps
  readonly waiting: Waiting
  readonly throttle: Throttle
  readonly lock: Lock
  readonly memory: BodyMemory
}

/** One request on its way through. */
class Exchange {
  readonly #deps: Deps
  readonly #waiting: Waiting
  readonly #throttle: Throttle
  readonly #lock: Lock
  readonly #memory: BodyMemory
  readonly #message: IncomingMessage
  readonly #response: ServerResponse
  readonly #principal: Principal
  #acceptGzip = false
  readonly #onlooker: Onlooker | undefined
  /** What the onlooker is still to be told of the request, and by which name its conversation goes. */
  #unseen = ''
  #conversation = '-'

  constructor(shared: Shared, message: IncomingMessage, response: ServerResponse, principal: Principal) {
    this.#deps = shared.deps
    this.#waiting = shared.waiting
    this.#throttle = shared.throttle
    this.#lock = shared.lock
    this.#memory = shared.memory
    this.#message = message
    this.#response = response
    this.#principal = principal
    this.#onlooker = shared.deps.traces?.of(principal.address)
  }

  async run(): Promise<void> {
    const { headers, method, url } = this.#message
    this.#unseen = `${method} ${first(headers['user-agent']).slice(0, 256)}`
    this.#acceptGzip = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i.test(first(headers['accept-encoding']))
    const userAgent = first(headers['user-agent']).slice(0, 256)
    if (method === 'OPTIONS') {
      const quirks = quirksOf({ userAgent, deviceType: '' }, this.#deps.settings)
      return this.#send({ http: 200, headers: optionsHeaders(quirks) })
    }
    // MS-ASHTTP_R187: a method the server does not know is 501.
    if (method !== 'POST') return this.#send({ http: 501, headers: { Allow: 'OPTIONS,POST' } })
    const parsed = parseQuery((url ?? '').split('?').slice(1).join('?'))
    const { query } = parsed
    if (query === undefined) return this.#refuseUnparsed(parsed.ok ? Status.InvalidContent : parsed.status)
    this.#conversation = query.deviceId
    this.#unseen = `${query.command} ${this.#unseen}`
    const version = parseVersion(query.version ?? first(headers['ms-asprotocolversion']).trim())
    const quirks = quirksOf({ userAgent, deviceType: query.deviceType }, this.#deps.settings)
    const command = commandByName(query.command)
    if (version === undefined || !maySpeak(quirks, version)) return this.#refuseUnparsed(Status.VersionNotSupported)
    if (command === undefined || !inVersions(command, version)) {
      return this.#send(statusReply(Status.CommandNotSupported, { command, version }))
    }
    // From 14.0 on a DeviceId or DeviceType that is none is said in the document: 108, 109.
    if (!parsed.ok) return this.#send(statusReply(parsed.status, { command, version }))
    const entered = this.#throttle.enter(`${this.#principal.account}/${query.deviceId}`)
    if ('retryAfterSeconds' in entered) {
      this.#deps.meter.count('activesync_throttled_total')
      // MS-ASHTTP_R9052: why. Too many at once is no condition the header knows.
      const why: Record<string, string> = entered.often ? { 'X-MS-ASThrottle': 'CommandFrequency' } : {}
      return this.#send({ http: 503, headers: { 'Retry-After': String(entered.retryAfterSeconds), ...why } })
    }
    try {
      const head = readHead(this.#message, query, version, userAgent)
      await this.#command(command, head)
    } finally {
      entered.leave()
    }
  }

  /** A request whose command or version is not known has no document to put a status into: HTTP says it. */
  #refuseUnparsed(status: number): Promise<void> {
    return this.#send(statusReply(status, { command: undefined, version: '12.1' }))
  }

  async #command(command: Command, head: RequestHead): Promise<void> {
    const { version } = head
    // Given back when the command is done: what is held afterwards keeps nothing of its request.
    using share = this.#memory.share()
    const body = await this.#body(command, head, share)
    if (body === undefined) return
    const { bytes, document } = body
    this.#show(`${version} `, document)
    const started = this.#deps.clock.monotonic()
    const log = this.#deps.log.child({ device: head.deviceId, command: command.name, version })
    let reply: Reply
    try {
      const mailbox = await this.#deps.door.open(this.#principal, this.#principal.mailbox)
      const device = await loadDevice(mailbox, head.deviceId)
      const now = this.#deps.clock.now()
      const policy = this.#deps.settings.policy(
        this.#deps.directory.account(this.#principal.account)?.mobileDevicePolicy,
      )
      const verdict = await gate({
        command,
        head,
        document,
        device,
        deviceCount: async () => (await listDevices(mailbox)).length,
        settings: this.#deps.settings,
        policyHash: policyHash(policy, version),
        now,
      })
      if (!verdict.pass) {
        log.info({ status: verdict.status }, 'refused at the gate')
        return await this.#send(statusReply(verdict.status, { command, version }, verdict.http))
      }
      const abort = new AbortController()
      this.#response.once('close', () => abort.abort())
      const context: Context = {
        deps: this.#deps,
        principal: this.#principal,
        mailbox,
        version,
        since: (other) => atLeast(version, other),
        device: await this.#seen(mailbox, device, head, now),
        quirks: quirksOf(head, this.#deps.settings),
        exclusive: (work) => this.#lock.run(this.#deviceKey(head), work),
        log,
        signal: abort.signal,
      }
      const request: Request = { ...head, document, body: bytes }
      // A device that asks anew no longer waits for the answer to what it asked before.
      if (command.body === 'optional') this.#waiting.end(this.#deviceKey(head))
      const answer = await command.run(context, request)
      if (answer.kind === 'held') return this.#hold(command, head, answer)
      reply = this.#reply(answer, command, version)
    } catch (error) {
      reply = this.#failure(error, command, version, log)
    }
    this.#deps.meter.observe('activesync_request_seconds', (this.#deps.clock.monotonic() - started) / 1000, {
      command: command.name,
    })
    await this.#send(reply)
  }

  /** The device's record, noted as seen once in a while. */
  async #seen(
    mailbox: MailboxHandle,
    device: DeviceRecord | undefined,
    { deviceId, deviceType, userAgent, version }: RequestHead,
    now: number,
  ): Promise<DeviceRecord> {
    if (device === undefined) return newDevice(deviceId, deviceType, userAgent, version, now)
    const fresh = now - device.lastSeen < seenEveryMs && device.version === version
    // The disk may be full: that is for the command to say, if it writes at all.
    if (fresh || device.policyKey === 0) return device
    return noteSeen(mailbox, device, { lastSeen: now, version, userAgent }).catch(() => device)
  }

  /** Reads the body as the command wants it; answers by itself and gives undefined when it is not good. */
  async #body(
    command: Command,
    head: RequestHead,
    share: BodyShare,
  ): Promise<{ bytes: Uint8Array; document: Element | undefined } | undefined> {
    const { version } = head
    const { settings } = this.#deps
    const asMime = command.body === 'mime' && !atLeast(version, '14.0')
    const carriesMail = command.body === 'mime' || command.name === 'Sync'
    const limit = carriesMail ? settings.maxRequestBytes : settings.maxDocumentBytes
    const read = await readBody(this.#message, limit, share)
    if (!read.ok) {
      if (read.http === 0) return undefined
      const retry = read.http === 503 ? { 'Retry-After': '10' } : undefined
      await this.#send({ http: read.http, headers: { Connection: 'close', ...retry } })
      return undefined
    }
    const { bytes } = read
    if (command.body === 'none' || asMime) return { bytes, document: undefined }
    if (bytes.length === 0) {
      if (command.body === 'optional') return { bytes, document: undefined }
      await this.#send(statusReply(Status.InvalidXML, { command, version }))
      return undefined
    }
    if (head.contentType !== '' && !wbxmlTypes.has(head.contentType)) {
      await this.#send(statusReply(Status.InvalidContent, { command, version }))
      return undefined
    }
    const decoded = decodeWbxml(bytes, { version, bytes: settings.maxRequestBytes })
    if (!decoded.ok) {
      this.#deps.log.info({ device: head.deviceId, err: decoded.error }, 'a body that is not WBXML')
      await this.#send(statusReply(Status.InvalidWBXML, { command, version }))
      return undefined
    }
    if (command.root !== undefined && decoded.document.root.tag !== command.root) {
      await this.#send(statusReply(Status.InvalidXML, { command, version }))
      return undefined
    }
    return { bytes, document: decoded.document.root }
  }

  #hold(command: Command, head: RequestHead, answer: Extract<Answer, { kind: 'held' }>): void {
    const { version } = head
    const response = this.#response
    const finish = (woken: Exclude<Answer, { kind: 'held' }>): void => {
      this.#send(this.#reply(woken, command, version)).catch(() => response.destroy())
    }
    const end = this.#waiting.hold(this.#deviceKey(head), answer.held, finish)
    response.once('close', end)
    if (response.destroyed) end()
  }

  #deviceKey(head: RequestHead): string {
    return deviceKey(this.#principal.mailbox, head.deviceId)
  }

  #reply(answer: Exclude<Answer, { kind: 'held' }>, command: Command, version: EasVersion): Reply {
    return toReply(answer, {
      command,
      version,
      onDrop: (tag) => this.#deps.meter.count('activesync_dropped_elements_total', { tag }),
    })
  }

  #failure(error: unknown, command: Command, version: EasVersion, log: Context['log']): Reply {
    if (error instanceof StatusError) {
      log.info({ status: error.status, reason: error.message }, 'answered with a status')
      return statusReply(error.status, { command, version })
    }
    if (isDomainError(error)) {
      log.warn({ code: error.code, err: error }, 'the mailbox refused')
      return statusReply(domainStatus[error.code], { command, version })
    }
    log.error({ err: error }, 'the command failed')
    this.#deps.meter.count('activesync_errors_total', { command: command.name })
    return statusReply(Status.ServerError, { command, version })
  }

  /** Tells the onlooker of the request, once. */
  #show(more: string, document: Element | undefined): void {
    if (this.#onlooker !== undefined && this.#unseen !== '')
      lookAtRequest(this.#onlooker, this.#conversation, more + this.#unseen, document)
    this.#unseen = ''
  }

  #send(reply: Reply): Promise<void> {
    this.#show('', undefined)
    if (this.#onlooker !== undefined) lookAtReply(this.#onlooker, this.#conversation, reply)
    return send(this.#response, reply, this.#acceptGzip)
  }
}

const inVersions = (command: Command, version: EasVersion): boolean =>
  atLeast(version, command.first) && (command.last === undefined || atLeast(command.last, version))

function readHead(message: IncomingMessage, query: Query, version: EasVersion, userAgent: string): RequestHead {
  const { headers } = message
  const key = first(headers['x-ms-policykey']).trim()
  return {
    command: query.command,
    version,
    deviceId: query.deviceId,
    deviceType: query.deviceType,
    user: query.user,
    policyKey: query.policyKey ?? (/^\d{1,10}$/.test(key) ? Number(key) : undefined),
    parameters: query.parameters,
    acceptMultiPart: query.acceptMultiPart || first(headers['ms-asacceptmultipart']).trim().toUpperCase() === 'T',
    acceptGzip: /\bgzip\b/i.test(first(headers['accept-encoding'])),
    language: languageOf(query.locale, first(headers['accept-language'])),
    contentType: (first(headers['content-type']).split(';', 1)[0] ?? '').trim().toLowerCase(),
    userAgent,
    remoteAddress: message.socket.remoteAddress ?? '',
  }
}

/** French when asked for first; the low ten bits of a Windows locale are its language, 0x0c French, 0x09 English. */
function languageOf(locale: number | undefined, accept: string): 'en' | 'fr' | undefined {
  if (locale !== undefined && locale !== 0) {
    const language = locale & 0x3ff
    return language === 0x0c ? 'fr' : language === 0x09 ? 'en' : undefined
  }
  const match = /\b(en|fr)\b/i.exec(accept.slice(0, 100))?.[1]?.toLowerCase()
  return match === 'en' || match === 'fr' ? match : undefined
}
