import { createHash, randomBytes } from 'node:crypto'
import { type Clock, DirectoryError, type ProtocolName, protocolNames } from '@postrider/domain'
import { checkText } from './entry.ts'
import type { ShownAppPassword } from './news.ts'
import type { StoredAppPassword, Tables } from './tables.ts'

const MAX_APP_PASSWORDS = 100
/** Last use is kept to the hour: it must not cost a commit per login. */
const LAST_USED_GRAIN_MS = 3_600_000

/** App passwords compare without the hyphens and spaces that people type or leave out. */
export const appPasswordDigest = (typed: string): string =>
  createHash('sha256').update(typed.replace(/[\s-]/g, '').toLowerCase()).digest('hex')

/** 26 letters and digits: 130 random bits, in groups that can be read out. */
function newAppPassword(): string {
  const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'
  const letters = Array.from(randomBytes(26), (byte) => alphabet[byte & 31]).join('')
  return letters.replace(/(.{5})(?=.)/g, '$1-')
}

/** The app passwords of all accounts, by account id: every change first in the database, then here. */
export class AppPasswords {
  readonly #tables: Tables
  readonly #clock: Clock
  readonly #byAccount: Map<string, StoredAppPassword[]>

  constructor(tables: Tables, clock: Clock, stored: readonly StoredAppPassword[]) {
    this.#tables = tables
    this.#clock = clock
    this.#byAccount = Map.groupBy(stored, ({ account }) => account)
  }

  accounts(): Iterable<string> {
    return this.#byAccount.keys()
  }
  /** As lists show them: without digests. */
  shown(account: string): readonly ShownAppPassword[] {
    const list = this.#byAccount.get(account) ?? []
    return list.map(({ id, name, protocols, created, lastUsed }) => ({ id, name, protocols, created, lastUsed }))
  }
  find(account: string, id: string): StoredAppPassword | undefined {
    return this.#byAccount.get(account)?.find((app) => app.id === id)
  }
  byDigest(account: string, digest: string): StoredAppPassword | undefined {
    return this.#byAccount.get(account)?.find((app) => app.digest === digest)
  }

  /** Makes one and answers it: the only time it can be read. Throws `invalid`. */
  add(
    account: string,
    name: string,
    protocols: readonly ProtocolName[],
  ): { readonly id: string; readonly password: string } {
    checkText({ en: 'The name', fr: 'Le nom' }, name)
    if (name.trim() === '')
      throw new DirectoryError('invalid', {
        en: 'An app password needs a name, for example the device.',
        fr: 'Un mot de passe d’application demande un nom, par exemple celui de l’appareil.',
      })
    checkProtocols(protocols)
    const list = this.#byAccount.get(account) ?? []
    if (list.length >= MAX_APP_PASSWORDS)
      throw new DirectoryError('invalid', {
        en: `There are ${MAX_APP_PASSWORDS} app passwords already: remove one first.`,
        fr: `Il y a déjà ${MAX_APP_PASSWORDS} mots de passe d’application : retirez-en un d’abord.`,
      })
    const password = newAppPassword()
    const app: StoredAppPassword = {
      id: randomBytes(6).toString('hex'),
      account,
      name,
      protocols: [...new Set(protocols)],
      digest: appPasswordDigest(password),
      created: this.#clock.now(),
      lastUsed: undefined,
    }
    this.#tables.transaction(() => this.#tables.putAppPassword(app))
    list.push(app)
    this.#byAccount.set(account, list)
    return { id: app.id, password }
  }
  /** False when there is none with this id. */
  remove(account: string, id: string): boolean {
    const list = this.#byAccount.get(account) ?? []
    const at = list.findIndex((app) => app.id === id)
    if (at === -1) return false
    this.#tables.transaction(() => this.#tables.dropAppPassword(id))
    list.splice(at, 1)
    return true
  }
  /** Notes its use; false when that was noted within the hour. */
  used(account: string, id: string): boolean {
    const list = this.#byAccount.get(account) ?? []
    const at = list.findIndex((app) => app.id === id)
    const app = list[at]
    const now = this.#clock.now()
    if (app === undefined || now - (app.lastUsed ?? 0) < LAST_USED_GRAIN_MS) return false
    const used = { ...app, lastUsed: now }
    list[at] = used
    this.#tables.transaction(() => this.#tables.putAppPassword(used))
    return true
  }
  /** All that is stored of an account's, for another node. */
  stored(account: string): readonly StoredAppPassword[] {
    return this.#byAccount.get(account) ?? []
  }
  /** In a copy: what the node that holds the directory has. */
  replace(account: string, apps: readonly StoredAppPassword[]): void {
    this.#byAccount.set(account, [...apps])
  }
  /** The account is gone; the database has forgotten its passwords with it. */
  forget(account: string): void {
    this.#byAccount.delete(account)
  }
}

function checkProtocols(protocols: readonly ProtocolName[]): void {
  for (const protocol of protocols) {
    if (!protocolNames.includes(protocol))
      throw new DirectoryError('invalid', {
        en: `'${protocol}' is not a protocol. Possible: ${protocolNames.join(', ')}.`,
        fr: `« ${protocol} » n’est pas un protocole. Possibles : ${protocolNames.join(', ')}.`,
      })
    if (protocol === 'web' || protocol === 'admin')
      throw new DirectoryError('invalid', {
        en: 'App passwords are not for web and admin: those ask for the real password.',
        fr: 'Les mots de passe d’application ne valent pas pour web et admin, qui demandent le vrai mot de passe.',
      })
  }
  if (protocols.length === 0)
    throw new DirectoryError('invalid', {
      en: 'Name at least one protocol for the app password.',
      fr: 'Indiquez au moins un protocole pour le mot de passe d’application.',
    })
}
