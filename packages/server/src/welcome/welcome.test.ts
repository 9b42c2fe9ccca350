import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Site } from '@postrider/protocols/autodiscover'
import { prepareMessage } from '@postrider/wire/mime'
import { welcomeLetter } from './letter.ts'

const site: Site = {
  url: 'https://mail.example.com:8443',
  organization: 'Example & Sons',
  imap: [{ host: 'mail.example.com', port: 10_993, encryption: 'ssl' }],
  pop3: [],
  submission: [{ host: 'mail.example.com', port: 10_587, encryption: 'starttls' }],
  redirect: () => undefined,
}
const letter = (language: 'en' | 'fr'): string =>
  Buffer.from(
    welcomeLetter(
      { address: 'ada@example.com', displayName: 'Ada', language, from: 'administrator@example.com' },
      site,
      Date.UTC(2026, 10, 21),
    ),
  )
    .toString('utf8')
    .replace(/=\r\n/g, '')

test('R46: the welcome names the servers, ports and encryption of its reader, and nothing that is off', () => {
  const text = letter('en')
  for (const value of ['mail.example.com:8443', 'mail.example.com, port 10993, SSL/TLS', 'port 10587, STARTTLS'])
    assert.ok(text.includes(value), value)
  assert.ok(!text.includes('Incoming (POP)'))
  assert.ok(text.includes('Example &amp; Sons') && !/<h1[^>]*>[^<]*& /.test(text), 'names are text, not HTML')
  assert.equal(prepareMessage(Buffer.from(letter('en'))).summary.to[0]?.address, 'ada@example.com')
})

test('the welcome speaks French to French readers', () => {
  assert.match(letter('fr'), /Content-Language: fr/)
  assert.match(letter('fr'), /conseill/)
})
