import { type Phrase, verbatim } from '@postrider/domain'
import { inspectServer, type PostgresPlace } from '@postrider/store/postgres'
import { S3, type S3Options } from '@postrider/store/s3'
import { type Finding, noAnswer } from './checks.ts'

/** The PostgreSQL server that has the mailboxes: whether it can be used, whether it keeps what it acknowledges; the bucket with its originals. */
export async function checkDatabaseServer(server: PostgresPlace | undefined): Promise<readonly Finding[]> {
  if (server === undefined) return []
  const about: Phrase = { en: 'database server', fr: 'serveur de base de données' }
  const { version, error, unsafe } = await inspectServer(server.urls)
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
  if (server.objects !== undefined) findings.push(await checkBucket(server.objects.bucket))
  return [{ about, result: 'ok', text: verbatim(`PostgreSQL ${version}`) }, ...findings]
}

/** How long to try, ms. */
const PATIENCE_MS = 5_000

async function checkBucket(bucket: S3Options): Promise<Finding> {
  const about: Phrase = { en: 'object store', fr: 'stockage d’objets' }
  const s3 = new S3({ ...bucket, deadlineMs: PATIENCE_MS })
  try {
    for await (const _ of s3.list('')) break
    return { about, result: 'ok', text: verbatim(`${bucket.endpoint}/${bucket.bucket}/${bucket.prefix}`) }
  } catch (error) {
    return { about, result: 'fail', text: verbatim(error instanceof Error ? error.message : String(error)) }
  } finally {
    s3.close()
  }
}
