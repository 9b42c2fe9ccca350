import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DirectoryError } from '@postrider/domain'
import type { DirectoryStore } from '@postrider/store/directory'
import { randomPassword } from './commands/user/add.ts'
import type { Loaded } from './config/load.ts'
import { WELCOME_DUE } from './welcome/index.ts'

/** The first mailbox and its password, as the ready file and the banner show them. */
export interface FirstMailbox {
  readonly address: string
  readonly password: string
}
interface Accounts {
  readonly administrator: FirstMailbox
  readonly mailbox: FirstMailbox
}

/** Readable by the owner of the data folder only; delete it once the passwords are written down elsewhere. */
export const FIRST_ACCOUNTS = 'first-accounts.json'

/**
 * What a new installation needs to be used at once: a domain, the Administrator and one mailbox. Each with a random password that is
 * kept in a file of the data folder (0600). Does nothing when it was done before.
 */
export async function prepareDirectory(
  directory: DirectoryStore,
  { config, dataFolder, sources }: Loaded,
): Promise<boolean> {
  if (sources.get('organization') !== 'default' && directory.organization !== config.organization)
    await directory.setSetting('organization', config.organization)
  if (directory.setting('firstStart') !== undefined) return false
  if (directory.domains().length === 0) await directory.addDomain(config.domain, 'Authoritative')
  const domain = directory.defaultDomain()
  const file = join(dataFolder, FIRST_ACCOUNTS)
  const accounts = readAccounts(file) ?? {
    administrator: { address: `administrator@${domain}`, password: randomPassword() },
    mailbox: { address: `user@${domain}`, password: randomPassword() },
  }
  // The file first: a password that is in the directory and nowhere else would be lost by a crash in between.
  writeFileSync(`${file}.new`, `${JSON.stringify(accounts, null, 2)}\n`, { mode: 0o600 })
  chmodSync(`${file}.new`, 0o600)
  renameSync(`${file}.new`, file)
  await add(directory, accounts.administrator, 'Administrator', config.language, true)
  await add(directory, accounts.mailbox, 'User', config.language, false)
  if (directory.setting('organization') === undefined) await directory.setSetting('organization', config.organization)
  await directory.setSetting(WELCOME_DUE, accounts.mailbox.address)
  await directory.setSetting('firstStart', new Date().toISOString())
  return true
}

async function add(
  directory: DirectoryStore,
  { address, password }: FirstMailbox,
  displayName: string,
  language: 'en' | 'fr',
  isAdministrator: boolean,
): Promise<void> {
  try {
    await directory.addMailbox({ address, password, displayName, language, isAdministrator })
  } catch (error) {
    // A start that was cut off had got as far as this.
    if (!(error instanceof DirectoryError && error.code === 'exists')) throw error
  }
}

function readAccounts(file: string): Accounts | undefined {
  if (!existsSync(file)) return undefined
  try {
    const value = JSON.parse(readFileSync(file, 'utf8')) as Partial<Accounts>
    return isAccount(value.administrator) && isAccount(value.mailbox) ? (value as Accounts) : undefined
  } catch {
    return undefined
  }
}
const isAccount = (value: unknown): value is FirstMailbox =>
  typeof value === 'object' &&
  value !== null &&
  'address' in value &&
  typeof value.address === 'string' &&
  'password' in value &&
  typeof value.password === 'string'

/** The first mailbox as it was made; undefined when the administrator deleted the file. */
export function firstMailbox(dataFolder: string): FirstMailbox | undefined {
  return readAccounts(join(dataFolder, FIRST_ACCOUNTS))?.mailbox
}
/** The Administrator's password as it was made. */
export function firstAdministrator(dataFolder: string): FirstMailbox | undefined {
  return readAccounts(join(dataFolder, FIRST_ACCOUNTS))?.administrator
}
