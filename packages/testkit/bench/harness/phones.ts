import { Agent } from 'node:https'
import { Phone } from '../../src/activesync/index.ts'
import type { TestServer } from '../../src/server/index.ts'
import { each } from './scenario.ts'
import { DOMAIN, PASSWORD } from './stage.ts'

const INBOX = 2
const PARALLEL = 16
/** The longest heartbeat a phone asks for, s. */
const HEARTBEAT = 1_680

/** Phones that are set up and have synced; phone `i` belongs to the mailbox `i` modulo their number. */
export async function makePhones(server: TestServer, mailboxes: readonly string[], count: number): Promise<Phone[]> {
  const phones: Phone[] = []
  const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL, rejectUnauthorized: false })
  await each(count, PARALLEL, async (i) => {
    const phone = new Phone({
      port: server.port('https'),
      tls: true,
      agent,
      user: `${mailboxes[i % mailboxes.length]}@${DOMAIN}`,
      password: PASSWORD,
      version: '16.1',
      deviceId: `BENCH${i}`,
      deviceType: 'TestPhone',
    })
    await phone.provision()
    await phone.folderSync()
    await inbox(phone)
    phones[i] = phone
  })
  return phones
}

/** Brings a phone's inbox up to date. */
export async function inbox(phone: Phone): Promise<void> {
  await phone.syncAll(phone.folderOfType(INBOX), { windowSize: 100 })
}

/** Holds a Ping; resolves when it rings for new mail, rejects when it ends otherwise. Ended by `signal` it resolves to false. */
export async function held(phone: Phone, signal: AbortSignal): Promise<boolean> {
  try {
    const { status } = await phone.ping(HEARTBEAT, [phone.folderOfType(INBOX)], signal)
    if (status !== 2) throw new Error(`Ping: status ${status}`)
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}
