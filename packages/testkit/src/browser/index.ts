/**
 * A browser without a screen and without scripts: HTTPS, cookies, redirects, forms. In: URLs and what a user types; out: pages as text. It
 * keeps cookies as RFC 6265bis says for one host, sends Sec-Fetch-Site as browsers do, and fills forms from the page it was given, so a page
 * whose form lacks its token fails here as it would for a user.
 */
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, request } from 'node:https'

export interface Page {
  readonly url: string
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
}

export interface FormFile {
  readonly name: string
  readonly type: string
  readonly bytes: Uint8Array
}
export type FormValues = Readonly<Record<string, string | readonly string[] | FormFile>>

const MAX_REDIRECTS = 5

export class PlainBrowser {
  readonly origin: string
  readonly cookies = new Map<string, string>()
  readonly #agent = new Agent({ keepAlive: true, rejectUnauthorized: false })
  /** Sent with every request. */
  headers: Record<string, string> = {}
  /** A browser that runs scripts does not see what is inside of `<noscript>`. */
  scripts = false
  page: Page | undefined

  constructor(port: number) {
    this.origin = `https://127.0.0.1:${port}`
  }

  close(): void {
    this.#agent.destroy()
  }

  /** One request without following anything. */
  send(
    method: string,
    path: string,
    { headers = {}, body }: { headers?: Record<string, string>; body?: string | Uint8Array } = {},
  ): Promise<Page> {
    const url = new URL(path, this.origin)
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    return new Promise((resolve, reject) => {
      const sent = request(
        url,
        {
          method,
          agent: this.#agent,
          headers: {
            'Accept-Language': 'en',
            'Sec-Fetch-Site': 'same-origin',
            ...(cookie === '' ? {} : { Cookie: cookie }),
            ...this.headers,
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', reject)
          response.on('end', () => {
            for (const line of response.headers['set-cookie'] ?? []) this.#keep(line)
            const bytes = Buffer.concat(chunks)
            const { statusCode: status = 0 } = response
            resolve({
              url: url.pathname + url.search,
              status,
              headers: response.headers,
              bytes,
              text: bytes.toString(),
            })
          })
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((one) => one.trim())
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)]
    if (attributes.some((one) => /^max-age=0$/i.test(one))) this.cookies.delete(name)
    else this.cookies.set(name, value)
  }

  /** Opens a page as a user does, following redirects. */
  async open(path: string): Promise<Page> {
    return this.#follow(await this.send('GET', path))
  }

  async #follow(first: Page): Promise<Page> {
    let page = first
    for (
      let n = 0;
      n < MAX_REDIRECTS && page.status >= 300 && page.status < 400 && page.headers.location !== undefined;
      n++
    ) {
      const at = new URL(page.headers.location, new URL(page.url, this.origin))
      page = await this.send('GET', at.pathname + at.search)
    }
    this.page = page
    return page
  }

  /** The forms of the page, by what their tag and their fields say. */
  forms(page: Page = this.current): Form[] {
    const text = this.scripts ? page.text.replace(/<noscript>[\s\S]*?<\/noscript>/g, '') : page.text
    return [...text.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(
      ([, tag = '', inner = '']) => new Form(tag, inner),
    )
  }

  get current(): Page {
    if (this.page === undefined) throw new Error('no page is open')
    return this.page
  }

  /** Submits the first form that `matches`, with its own values and those given; `button`: name and value of the one pressed. */
  async submit(
    matches: (form: Form) => boolean,
    values: FormValues = {},
    button?: readonly [name: string, value: string],
  ): Promise<Page> {
    const form = this.forms().find(matches)
    if (form === undefined)
      throw new Error(`no such form on ${this.current.url}:\n${this.current.text.slice(0, 4_000)}`)
    const fields = new Map<string, string | readonly string[] | FormFile>(form.values())
    for (const [name, value] of Object.entries(values)) fields.set(name, value)
    if (button !== undefined) fields.set(button[0], button[1])
    const target = form.action === '' ? this.current.url : form.action
    if (form.method === 'get') {
      const query = new URLSearchParams()
      for (const [name, value] of fields) for (const one of listed(value)) query.append(name, one)
      return this.open(`${target.split('?')[0]}?${query}`)
    }
    const multipart = form.tag.includes('multipart/form-data')
    const { type, body } = multipart ? encodeMultipart(fields) : encodePlain(fields)
    return this.#follow(await this.send('POST', target, { headers: { 'Content-Type': type, Origin: 'null' }, body }))
  }

  /** Signs in by the form. */
  async signIn(login: string, password: string, more: FormValues = {}): Promise<Page> {
    await this.open('/signin')
    return this.submit((form) => form.action === '/signin' && form.method === 'post', { login, password, ...more })
  }
}

const listed = (value: string | readonly string[] | FormFile): string[] =>
  typeof value === 'string' ? [value] : Array.isArray(value) ? [...(value as readonly string[])] : []

const plain = (text: string): string =>
  text
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
const attribute = (tag: string, name: string): string | undefined => {
  const match = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)
  return match?.[1] === undefined ? undefined : plain(match[1])
}

export class Form {
  readonly tag: string
  readonly inner: string
  constructor(tag: string, inner: string) {
    this.tag = tag
    this.inner = inner
  }
  get action(): string {
    return attribute(this.tag, 'action') ?? ''
  }
  get method(): string {
    return (attribute(this.tag, 'method') ?? 'get').toLowerCase()
  }
  /** What a browser would send when nothing was typed and no button pressed. */
  values(): [string, string | readonly string[]][] {
    const out = new Map<string, string[]>()
    const add = (name: string | undefined, value: string): void => {
      if (name !== undefined) out.set(name, [...(out.get(name) ?? []), value])
    }
    for (const [tag] of this.inner.matchAll(/<input\b[^>]*>/g)) {
      const type = attribute(tag, 'type') ?? 'text'
      const checked = / checked(?=[\s>])/.test(tag)
      if (['submit', 'file', 'image', 'button'].includes(type) || (['checkbox', 'radio'].includes(type) && !checked))
        continue
      add(attribute(tag, 'name'), attribute(tag, 'value') ?? (type === 'checkbox' ? 'on' : ''))
    }
    for (const [, tag = '', text = ''] of this.inner.matchAll(/<textarea\b([^>]*)>\n?([\s\S]*?)<\/textarea>/g))
      add(attribute(tag, 'name'), plain(text))
    for (const [, tag = '', options = ''] of this.inner.matchAll(/<select\b([^>]*)>([\s\S]*?)<\/select>/g)) {
      const all = [...options.matchAll(/<option\b([^>]*)>/g)].map(([, one = '']) => one)
      const chosen = all.find((one) => / selected(?=\s|$)/.test(one)) ?? all[0]
      if (chosen !== undefined) add(attribute(tag, 'name'), attribute(chosen, 'value') ?? '')
    }
    return [...out].map(([name, all]) => [name, all.length === 1 ? (all[0] ?? '') : all])
  }
}

function encodePlain(fields: ReadonlyMap<string, string | readonly string[] | FormFile>): {
  type: string
  body: string
} {
  const body = new URLSearchParams()
  for (const [name, value] of fields) for (const one of listed(value)) body.append(name, one)
  return { type: 'application/x-www-form-urlencoded', body: body.toString() }
}

function encodeMultipart(fields: ReadonlyMap<string, string | readonly string[] | FormFile>): {
  type: string
  body: Buffer
} {
  const boundary = '----plainbrowser7MA4YWxkTrZu0gW'
  const parts: Buffer[] = []
  for (const [name, value] of fields) {
    const texts = listed(value)
    for (const one of texts)
      parts.push(Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${one}\r\n`))
    if (texts.length === 0 && typeof value === 'object' && 'bytes' in value)
      parts.push(
        Buffer.from(
          `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${value.name}"\r\nContent-Type: ${value.type}\r\n\r\n`,
        ),
        Buffer.from(value.bytes),
        Buffer.from('\r\n'),
      )
  }
  parts.push(Buffer.from(`--${boundary}--\r\n`))
  return { type: `multipart/form-data; boundary=${boundary}`, body: Buffer.concat(parts) }
}
