/**
 * Thunderbird without a screen, driven through its Marionette port: scripts run inside the program with all its rights, so a test can add an
 * account, fetch, mark, move and send as the program itself does it.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { freePorts, start, temporaryFolder, until } from '../process/index.ts'

type Reply = readonly [kind: 1, id: number, error: { error: string; message: string } | null, result: unknown]

/** The Marionette protocol: `length:[0, id, command, parameters]` and `length:[1, id, error, result]`. */
class Marionette {
  readonly #socket: Socket
  #buffer: Buffer = Buffer.alloc(0)
  #id = 0
  #greeted = false
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk])
      this.#read()
    })
    socket.on('close', () => {
      for (const one of this.#waiting.values()) one.reject(new Error('Thunderbird closed the connection'))
    })
  }

  #read(): void {
    for (;;) {
      const colon = this.#buffer.indexOf(':')
      if (colon < 0) return
      const length = Number(this.#buffer.toString('latin1', 0, colon))
      if (this.#buffer.length < colon + 1 + length) return
      const text = this.#buffer.toString('utf8', colon + 1, colon + 1 + length)
      this.#buffer = this.#buffer.subarray(colon + 1 + length)
      if (!this.#greeted) {
        this.#greeted = true
        continue
      }
      const [, id, error, result] = JSON.parse(text) as Reply
      const waiting = this.#waiting.get(id)
      this.#waiting.delete(id)
      if (error === null) waiting?.resolve(result)
      else waiting?.reject(new Error(`${error.error}: ${error.message}`))
    }
  }

  send(command: string, parameters: Record<string, unknown>): Promise<unknown> {
    const id = ++this.#id
    const text = JSON.stringify([0, id, command, parameters])
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#waiting.set(id, { resolve, reject })
    this.#socket.write(`${Buffer.byteLength(text)}:${text}`)
    return promise
  }

  close(): void {
    this.#socket.destroy()
  }
}

const SCRIPT_MS = 60_000
/** What every script finds: the mail services, and a pause. */
const prelude = `
const { MailServices } = ChromeUtils.importESModule('resource:///modules/MailServices.sys.mjs')
const sleep = (ms) => new Promise((resolve) => { const t = Cc['@mozilla.org/timer;1'].createInstance(Ci.nsITimer); sleep.timers.add(t); t.initWithCallback(() => { sleep.timers.delete(t); resolve() }, ms, 0) })
sleep.timers = new Set()
const until = async (what, ask) => { for (let i = 0; i < 400; i++) { const a = await ask(); if (a) return a; await sleep(50) } throw new Error('not in time: ' + what) }
`

export class Thunderbird {
  readonly #child: ChildProcess
  readonly #marionette: Marionette
  readonly #dispose: () => void
  private constructor(child: ChildProcess, marionette: Marionette, dispose: () => void) {
    this.#child = child
    this.#marionette = marionette
    this.#dispose = dispose
  }

  static async start(): Promise<Thunderbird> {
    const folder = temporaryFolder('thunderbird')
    const port = await freePorts(1)
    const profile = join(folder.path, 'profile')
    mkdirSync(profile)
    const preferences: Record<string, string | number | boolean> = {
      'marionette.port': port,
      'app.update.enabled': false,
      'datareporting.policy.dataSubmissionEnabled': false,
      'mail.provider.enabled': false,
      'mail.shell.checkDefaultClient': false,
      'mail.startup.enabledMailCheckOnce': true,
      'mail.biff.show_alert': false,
      'mailnews.start_page.enabled': false,
      'network.captive-portal-service.enabled': false,
      'network.connectivity-service.enabled': false,
      'security.OCSP.enabled': 0,
    }
    writeFileSync(
      join(profile, 'user.js'),
      Object.entries(preferences)
        .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
        .join(''),
    )
    const child = start(
      'thunderbird',
      ['--headless', '--no-remote', '--marionette', '--remote-allow-system-access', '--profile', profile],
      {
        env: { HOME: folder.path, MOZ_HEADLESS: '1', MOZ_CRASHREPORTER_DISABLE: '1' },
      },
    )
    child.stdout?.resume()
    child.stderr?.resume()
    const socket = await until(
      'Thunderbird opens its port',
      () => {
        const { promise, resolve } = Promise.withResolvers<Socket | undefined>()
        const one = connect({ port, host: '127.0.0.1' }, () => resolve(one))
        one.once('error', () => resolve(undefined))
        return promise
      },
      60_000,
    )
    const marionette = new Marionette(socket)
    await marionette.send('WebDriver:NewSession', {})
    await marionette.send('Marionette:SetContext', { value: 'chrome' })
    await marionette.send('WebDriver:SetTimeouts', { script: SCRIPT_MS })
    return new Thunderbird(child, marionette, () => folder[Symbol.dispose]())
  }

  /** Runs the body of an async function inside Thunderbird (`args` is what is passed; MailServices, sleep, until are there); answers its plain result. */
  async script(body: string, ...args: readonly unknown[]): Promise<unknown> {
    const script = `const [args, done] = arguments; (async () => { ${prelude} ${body} })().then((value) => done({ value }), (error) => done({ error: String(error) + '\\n' + error.stack }))`
    const answer = (await this.#marionette.send('WebDriver:ExecuteAsyncScript', { script, args: [args] })) as {
      value: { value?: unknown; error?: string } | null
    }
    if (answer.value === null) {
      // Marionette gives up on a script when a dialog opens.
      const dialog = (await this.#marionette.send('WebDriver:GetAlertText', {})) as { value: string }
      throw new Error(`Thunderbird asks: ${dialog.value}`)
    }
    if (answer.value.error !== undefined) throw new Error(answer.value.error)
    return answer.value.value
  }

  /** Takes the certificate of a loopback port as good, as a user does who confirms it. */
  async trust(port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().raw.toString('base64'))
      socket.destroy()
    })
    socket.once('error', reject)
    await this.script(
      `const [port, base64] = args
       const certificate = Cc['@mozilla.org/security/x509certdb;1'].getService(Ci.nsIX509CertDB).constructX509FromBase64(base64)
       Cc['@mozilla.org/security/certoverride;1'].getService(Ci.nsICertOverrideService).rememberValidityOverride('127.0.0.1', port, {}, certificate, false)`,
      port,
      await promise,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#marionette.close()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#child.once('exit', () => resolve())
    this.#child.kill('SIGKILL')
    await promise
    this.#dispose()
  }
}
