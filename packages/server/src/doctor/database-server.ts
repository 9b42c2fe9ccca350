import { type Phrase, verbatim } from '@postrider/domain'
import { inspectServer } from '@postrider/store/postgres'
import { type Finding, noAnswer } from './checks.ts'

/** The PostgreSQL server that has the mailboxes: whether it can be used, and whether it keeps what it acknowledges. */
export async function checkDatabaseServer(urls: readonly string[] | undefined): Promise<readonly Finding[]> {
  if (urls === undefined) return []
  const about: Phrase = { en: 'database server', fr: 'serveur de base de données' }
  const { version, error, unsafe } = await inspectServer(urls)
  if (version === undefined) return [{ about, result: 'fail', text: error === undefined ? noAnswer : verbatim(error) }]
  const findings = unsafe.map((name): Finding => {
    return {
      about,
      result: 'fail',
      text: {
        en: `${name} is off: acknowledged mail may be lost in a power cut`,
        fr: `${name} est désactivé : du courrier déjà accusé peut se perdre lors d’une coupure de courant`,
      },
    }
  })
  return [{ about, result: 'ok', text: verbatim(`PostgreSQL ${version}`) }, ...findings]
}
