/**
 * What traces show of a session nobody logged in to: mail from other servers. Whom it concerns is known at RCPT only, and one session may
 * bring mail for many. Each traced user sees how the session began, then the transactions that named an address of theirs, of these no
 * other recipient and no contents.
 */
import type { Directory, Onlooker, TraceLine, Traces } from '@postrider/domain'
import {
  encodeReply,
  formatMailbox,
  type MailParameters,
  type SmtpCommand,
  type SmtpMailbox,
  type SmtpReply,
} from '@postrider/wire/smtp'

/** Lines kept until it is known whom they concern: of what belongs to no transaction, and of the one under way. */
const MAX_KEPT = 50

/** Lines of one kind, and who hears them. */
class Scene {
  readonly #lines: TraceLine[] = []
  readonly #onlookers = new Map<string, Onlooker>()

  say(line: TraceLine): void {
    if (this.#lines.length < MAX_KEPT) this.#lines.push(line)
    for (const onlooker of this.#onlookers.values()) onlooker(line)
  }
  /** Hears what was said before, once, and all that follows. */
  join(address: string, onlooker: Onlooker): void {
    if (this.#onlookers.has(address)) return
    this.#onlookers.set(address, onlooker)
    for (const line of this.#lines) onlooker(line)
  }
}

export class LookingOn {
  readonly #traces: Traces
  readonly #directory: Directory
  readonly #conversation: string
  /** What belongs to no transaction. */
  readonly #session = new Scene()
  #transaction: Scene | undefined
  /** Between a RCPT and its reply: whom both concern, and nobody else. */
  #recipient: readonly Onlooker[] | undefined
  /** The message has ended: with its reply the transaction has, too. */
  #ending = false

  /** `conversation`: the connection's id, as traces of other sessions have it. */
  constructor(traces: Traces, directory: Directory, conversation: string, remoteAddress: string) {
    this.#traces = traces
    this.#directory = directory
    this.#conversation = conversation
    this.#say('client', `(comes from ${remoteAddress})`)
  }

  command(command: SmtpCommand): void {
    if (command.verb === 'RCPT') {
      this.#transaction ??= new Scene()
      this.#recipient = this.#concerned(command.to, this.#transaction)
    } else if (command.verb === 'MAIL') this.#transaction = new Scene()
    else if (command.verb !== 'DATA' && command.verb !== 'BDAT' && command.verb !== 'NOOP')
      this.#transaction = undefined
    this.#say('client', lineOf(command))
  }
  /** The message, or a chunk of it, has arrived. */
  message(octets: number, last: boolean): void {
    this.#say('client', `(message: ${octets} octets)`)
    this.#ending = last
  }
  /** A line that is no command: its first word. */
  refused(word: string): void {
    this.#say('client', `${word} (not understood)`)
  }
  reply(reply: SmtpReply): void {
    for (const line of encodeReply(reply).trimEnd().split('\r\n')) this.#say('server', line)
    this.#recipient = undefined
    if (this.#ending) this.#transaction = undefined
    this.#ending = false
  }
  closed(): void {
    this.#say('client', '(the connection is closed)')
  }

  /** Who is traced of those whose address this is, and those whom its mail reaches: aliases, groups, forwarding. */
  #concerned({ localPart, domain }: SmtpMailbox, transaction: Scene): readonly Onlooker[] {
    const place = domain === '' ? this.#directory.domains().find((one) => one.isDefault)?.name : domain
    const named = formatMailbox(localPart, place ?? '')
    const addresses = new Set(this.#directory.expand([named]).mailboxes.map(({ address }) => address))
    const resolution = this.#directory.resolve(named)
    if (resolution.kind === 'mailbox') addresses.add(resolution.entry.address)
    const found: Onlooker[] = []
    for (const address of addresses) {
      const onlooker = this.#traces.of(address)
      if (onlooker === undefined) continue
      this.#session.join(address, onlooker)
      transaction.join(address, onlooker)
      found.push(onlooker)
    }
    return found
  }

  #say(from: TraceLine['from'], text: string): void {
    const line: TraceLine = { protocol: 'smtp', conversation: this.#conversation, from, text }
    if (this.#recipient === undefined) (this.#transaction ?? this.#session).say(line)
    else for (const onlooker of this.#recipient) onlooker(line)
  }
}

const sizeOf = ({ size }: MailParameters): string => (size === undefined ? '' : ` SIZE=${size}`)

/** The command as it would be written; arguments of VRFY name others, those of AUTH are secrets. */
function lineOf(command: SmtpCommand): string {
  switch (command.verb) {
    case 'EHLO':
    case 'HELO':
      return `${command.verb} ${command.domain}`
    case 'MAIL':
      return `MAIL FROM:<${command.from?.address ?? ''}>${sizeOf(command.parameters)}`
    case 'RCPT':
      return `RCPT TO:<${command.to.address}>`
    case 'BDAT':
      return `BDAT ${command.size}${command.last ? ' LAST' : ''}`
    default:
      return command.verb
  }
}
