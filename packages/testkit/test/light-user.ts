/** Somebody at the Light version: every page he sees is looked at for what all its pages must be. */
import assert from 'node:assert/strict'
import { type Form, type FormValues, type Page, PlainBrowser } from '../src/browser/index.ts'
import { ImapClient } from '../src/imap/index.ts'
import type { TestServer } from '../src/server/index.ts'

export const PASSWORD = 'correct horse battery'
const MAX_PAGE = 25_000

/** A signed-in browser without scripts. Every page it sees must be a page of the Light version. */
export async function lightUser(server: TestServer, name: string, browsers: PlainBrowser[]): Promise<PlainBrowser> {
  const one = new PlainBrowser(server.port('https'))
  browsers.push(one)
  const page = await one.signIn(`${name}@example.com`, PASSWORD, { light: '1' })
  assert.match(page.url, /^\/light\/folder\//)
  const send = one.send.bind(one)
  one.send = async (...args) => {
    const answer = await send(...args)
    if (answer.url.startsWith('/light/') && String(answer.headers['content-type']).includes('html')) check(answer)
    return answer
  }
  return one
}

function check(page: Page): void {
  assert.ok(
    page.bytes.length <= MAX_PAGE || page.url.includes('all=1') || page.url.includes('regional'),
    `${page.url}: ${page.bytes.length} bytes`,
  )
  assert.ok(
    !/<script|\son\w+=|style="/i.test(page.text.replace(/<textarea[\s\S]*?<\/textarea>/g, '')),
    `${page.url} has a script or an inline style`,
  )
  assert.match(page.text, /^<!DOCTYPE html>\n<html lang="(?:en|fr)">/)
  assert.equal(page.text.split('<h1').length, 2, `${page.url}: one h1`)
  for (const landmark of ['<main ', '<nav ', '<header>', '<footer>', 'class="skip"'])
    assert.ok(page.text.includes(landmark), landmark)
  const ids = [...page.text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)
  assert.equal(new Set(ids).size, ids.length, `${page.url}: an id is there twice`)
  for (const [tag] of page.text.matchAll(/<(?:input|select|textarea)\b[^>]*>/g)) {
    if (/type="hidden"/.test(tag)) continue
    const id = / id="([^"]+)"/.exec(tag)?.[1]
    const named =
      / aria-label="/.test(tag) ||
      (id !== undefined && page.text.includes(`for="${id}"`)) ||
      new RegExp(`<label[^>]*>${tag.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`).test(page.text)
    assert.ok(named, `${page.url}: no label for ${tag}`)
  }
  for (const [form] of page.text.matchAll(/<form\b[^>]*method="post"[\s\S]*?<\/form>/g))
    assert.match(form, /name="csrf"/)
  const policy = String(page.headers['content-security-policy'])
  assert.ok(
    policy.includes("default-src 'none'") && !policy.includes('unsafe') && !policy.includes('script-src'),
    policy,
  )
  if (page.text.includes('<textarea id="text"'))
    assert.equal(page.headers.refresh, undefined, 'nothing is taken from under the pen')
  else assert.match(String(page.headers.refresh), /^\d+; url=\/signin\?why=/)
}

export const action =
  (path: string) =>
  (form: Form): boolean =>
    form.action === path || form.action.startsWith(path)
export async function deliver(server: TestServer, name: string, message: string): Promise<void> {
  const imap = await ImapClient.login(server.port('imaps'), `${name}@example.com`, PASSWORD)
  const answer = await imap.append('INBOX', Buffer.from(message.replace(/\r?\n/g, '\r\n')))
  assert.equal(answer.status, 'OK', answer.text)
  imap.close()
}
export const mail = (subject: string, body = 'Hello.', headers = ''): string =>
  `From: "Zoë Müller" <zoe@elsewhere.example>\nTo: bob@example.com, "Eve" <eve@example.com>\nCc: ann@example.com\nSubject: ${subject}\nDate: Sat, 21 Nov 2026 10:00:00 +0000\nMessage-ID: <${subject.replace(/\W/g, '')}@elsewhere.example>\n${headers}\n${body}\n`
/** Links of a page by what they say. */
export const links = (page: Page): Map<string, string> =>
  new Map(
    [...page.text.matchAll(/<a\b[^>]*href="([^"]+)"[^>]*>([\s\S]*?)<\/a>/g)].map(([, to = '', text = '']) => [
      text
        .replace(/<[^>]*>/g, '')
        .replace(/\s+/g, ' ')
        .trim(),
      to.replaceAll('&amp;', '&'),
    ]),
  )
export async function follow(one: PlainBrowser, text: string | RegExp): Promise<Page> {
  const found = [...links(one.current)].find(([name]) => (typeof text === 'string' ? name === text : text.test(name)))
  assert.ok(found !== undefined, `no link ${text} on ${one.current.url}: ${[...links(one.current).keys()].join(' | ')}`)
  return one.open(found[1])
}
export const idOf = (page: Page, subject: string): string => {
  const row = page.text.split('<tr').find((one) => one.includes(subject)) ?? ''
  return /name="id" value="([^"]+)"/.exec(row)?.[1] ?? assert.fail(`no row ${subject} on ${page.url}`)
}
export async function inbox(one: PlainBrowser): Promise<Page> {
  return one.open('/light/')
}
export async function actOn(one: PlainBrowser, subject: string, act: string, more: FormValues = {}): Promise<Page> {
  const page = await inbox(one)
  return one.submit(action('/light/list'), { id: idOf(page, subject), ...more }, ['act', act])
}
