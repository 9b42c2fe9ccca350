import { el } from '@postrider/wire/wbxml'
import { Phone, type PhoneSettings } from '../../src/activesync/index.ts'
import { hasSogo } from '../../src/peers/index.ts'
import type { RawImap } from '../harness/raw-imap.ts'
import { inTurns, type Scenario } from '../harness/scenario.ts'
import { DOMAIN, multiAppend, PASSWORD } from '../harness/stage.ts'

const USER = 'box19'
const INBOX = 2
const WINDOW = 100
/** The peer takes its time. */
const MOST_RUNS = 3

/** An HTML mail of about 10 KB with a plain alternative. */
function htmlMail(i: number): Buffer {
  const words = 'The quick brown fox jumps over the lazy dog, again and again. '
  const html = `<p style="color:#333">${words.repeat(3)}</p>\r\n`.repeat(30)
  return Buffer.from(
    `From: Someone <writer${i % 50}@outside.example>\r\nTo: <${USER}@${DOMAIN}>\r\nSubject: letter ${i}\r\n` +
      `Date: ${new Date(1_760_000_000_000 + i * 60_000).toUTCString().replace('GMT', '+0000')}\r\n` +
      `Message-ID: <html${i}@outside.example>\r\nMIME-Version: 1.0\r\n` +
      `Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n` +
      `${`${words}\r\n`.repeat(20)}\r\n--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>${html}</body></html>\r\n--b--\r\n`,
  )
}

async function appendMails(imap: RawImap, from: number, count: number): Promise<void> {
  for (let i = from; i < from + count; i += 50) {
    const [head, rest] = multiAppend(Array.from({ length: Math.min(50, from + count - i) }, (_, k) => htmlMail(i + k)))
    await imap.command(`APPEND INBOX ${head}`, rest)
  }
}

/** HTML bodies of any size, of all mails whatever their age. */
const options = el(
  'AirSync:Options',
  el('AirSync:FilterType', 0),
  el('AirSyncBase:BodyPreference', el('AirSyncBase:Type', 2), el('AirSyncBase:TruncationSize', 500_000)),
)

export const activesync: Scenario = {
  name: 'activesync',
  title: 'ActiveSync: first Sync of 1,000 HTML mails, and what is new',
  method:
    'A new phone (14.1, HTML bodies, windows of 100) syncs an inbox of 1,000 mails of 10 KB; then one mail is added by IMAP and the phone syncs again. Peer: SOGo 5.8 with its three workers and memcached over PostgreSQL and the Dovecot with mdbox; SOGo by plain HTTP, ours by TLS.',
  seconds: 400,
  async measure(stage, done) {
    const mails = stage.size(1_000, 60)
    const ours = await stage.ours
    const mdbox = await stage.mdbox
    const [own, theirs] = (await stage.subjects).slice(0, 2)
    if (own === undefined || theirs === undefined) throw new Error('no subjects')
    const boxes = { ours: await own.login(USER), SOGo: await theirs.login(USER) }
    for (const imap of Object.values(boxes)) {
      // Other rows may have delivered there.
      await imap.command('SELECT INBOX')
      await imap.command('UID STORE 1:* +FLAGS.SILENT (\\Deleted)')
      await imap.command('CLOSE')
      await appendMails(imap, 0, mails)
      // Dovecot counts changes from the first one on, and SOGo's keys are that count.
      await imap.command('SELECT INBOX (CONDSTORE)')
      await imap.command('STORE 1 +FLAGS (\\Seen)')
      await imap.command('UNSELECT')
    }
    const settings: Record<string, Omit<PhoneSettings, 'deviceId'>> = {
      ours: { port: ours.port('https'), tls: true, user: `${USER}@${DOMAIN}`, password: PASSWORD, version: '14.1' },
    }
    if (hasSogo()) {
      const { port, path } = await stage.sogo(mdbox, [USER])
      settings.SOGo = { port, path, user: USER, password: PASSWORD, version: '14.1' }
    }
    let devices = 0
    let added = mails
    const news = new Map<string, number[]>()
    const first = async (name: string): Promise<number> => {
      const phone = new Phone({
        ...(settings[name] as PhoneSettings),
        deviceId: `BENCH${++devices}`,
        deviceType: 'Phone',
      })
      if (name === 'ours') await phone.provision()
      await phone.folderSync()
      const inbox = phone.folderOfType(INBOX)
      const began = performance.now()
      await phone.syncAll(inbox, { windowSize: WINDOW, options })
      const took = performance.now() - began
      const held = phone.mirror.collections.get(inbox)?.size ?? 0
      if (held < mails || held > mails + stage.runs) throw new Error(`${name}: ${held} mails, not about ${mails}`)
      await appendMails(boxes[name as keyof typeof boxes], added++, 1)
      const again = performance.now()
      await phone.sync(inbox, { windowSize: WINDOW, options })
      news.set(name, [...(news.get(name) ?? []), performance.now() - again])
      if ((phone.mirror.collections.get(inbox)?.size ?? 0) <= held) throw new Error(`${name}: nothing new came`)
      return took
    }
    const names = Object.keys(settings)
    const taken = await inTurns(
      Math.min(stage.runs, MOST_RUNS),
      Object.fromEntries(names.map((name) => [name, () => first(name)])),
    )
    for (const imap of Object.values(boxes)) imap.close()
    const peersOf = (of: (name: string) => readonly number[]) =>
      Object.fromEntries(names.filter((name) => name !== 'ours').map((name) => [name, of(name)]))
    const lines = [
      { what: 'first Sync', of: (name: string) => taken[name] ?? [], times: 1 / 10 },
      { what: 'Sync of one new mail', of: (name: string) => news.get(name) ?? [], times: 1 / 5 },
    ]
    for (const { what, of, times } of lines) {
      done({ what, unit: 'ms', better: 'less', ours: of('ours'), peers: peersOf(of), goals: [{ times }] })
    }
  },
}
