/** A mail that is opened here: what was encrypted, and what lies inside of its signature. Each text has a frame of its own; nothing comes from elsewhere. */
import { sanitizeHtml } from '@postrider/wire/html'
import { SmimeError, type Verdict } from '@postrider/wire/smime'
import type { JSX } from 'preact'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { Email, EmailContent, SmimeFacts } from '../jmap/types.ts'
import { Frame } from '../mail/frame.tsx'
import { textToHtml } from '../mail/sanitise.ts'
import { fileSize, t, type TextKey } from '../text/text.ts'
import { Icon } from '../ui/icon.tsx'
import { type Entity, type Shown, shownOf, textOfEntity } from './entity.ts'
import { ownKeys } from './keys.ts'
import { type OpenedMail, openMail } from './opening.ts'
import { VerdictLine } from './verdict.tsx'

const problemTexts: Readonly<Record<string, TextKey>> = {
  notForMe: 'sealedNotForMe',
  changed: 'sealedChanged',
  unsupported: 'faultUnsupported',
  tooLarge: 'faultTooLarge',
}

export function Sealed({ email, content }: { readonly email: Email; readonly content: EmailContent }): JSX.Element {
  const [opened, setOpened] = useState<OpenedMail>()
  const [problem, setProblem] = useState<string>()
  const keys = ownKeys.value?.length ?? 0
  useEffect(() => {
    let wanted = true
    setProblem(undefined)
    setOpened(undefined)
    openMail(email, content).then(
      (found) => {
        if (wanted) setOpened(found)
      },
      (error: unknown) => {
        if (wanted) setProblem(error instanceof SmimeError ? error.problem : 'offline')
      },
    )
    return () => {
      wanted = false
    }
  }, [content.blobId, keys])
  if (problem !== undefined) {
    const none = problem === 'notForMe' && keys === 0
    return (
      <div class="consent smime" role="alert">
        <Icon name="lock" />
        <span>
          {none
            ? t('sealedNoKey')
            : t(problemTexts[problem] ?? (problem === 'offline' ? 'bodyFailed' : 'signedUnreadable'), {
                name: t('somebody'),
              })}
        </span>
        {none && (
          <button type="button" class="button" onClick={() => app.go({ kind: 'settings', page: 'keys' })}>
            {t('importKey')}
          </button>
        )}
      </div>
    )
  }
  if (opened === undefined) return <div class="message-wait" aria-busy="true" />
  return <OpenedView opened={opened} />
}

const iso = (ms: number | undefined): string | null =>
  ms === undefined || !Number.isFinite(new Date(ms).getTime()) ? null : new Date(ms).toISOString()
/** The verdict in the words the server has for it. */
const factsOf = ({ status, faults, signer, signedAt }: Verdict): SmimeFacts => ({
  kind: 'encrypted',
  status,
  faults,
  signedAt: iso(signedAt),
  signer: signer === undefined ? null : { ...signer, notBefore: iso(signer.notBefore), notAfter: iso(signer.notAfter) },
  encryptTo: null,
})

function OpenedView({ opened }: { readonly opened: OpenedMail }): JSX.Element {
  const { entity, encrypted, authenticated, verdict } = opened
  const shown = useMemo(() => shownOf(entity), [entity])
  const addresses = useAddresses(shown)
  return (
    <>
      {encrypted && (
        <div class="consent smime" role="status">
          <Icon name="lock" />
          <span>{`${t('sealedOpened')}${authenticated || verdict?.status === 'valid' ? '' : ` ${t('sealedUnproven')}`}`}</span>
        </div>
      )}
      {verdict !== undefined ? (
        <VerdictLine facts={factsOf(verdict)} />
      ) : (
        encrypted && <p class="hint">{t('notSigned')}</p>
      )}
      {addresses !== undefined &&
        (shown.bodies.length === 0 ? (
          <p class="no-text">{t('noText')}</p>
        ) : (
          shown.bodies.map((one, i) => (
            <Frame
              key={i}
              title={t('messageText')}
              html={one.type === 'text/html' ? safe(one, addresses) : textToHtml(textOfEntity(one))}
              plain={one.type !== 'text/html'}
            />
          ))
        ))}
      {addresses !== undefined && shown.files.length > 0 && <Files files={shown.files} addresses={addresses} />}
    </>
  )
}

/** The first wall, the same as the server's; no picture from elsewhere is ever asked for (what was decrypted could be told by asking). */
const safe = (one: Entity, addresses: ReadonlyMap<Entity, string>): string => {
  const byCid = new Map([...addresses].map(([part, url]) => [part.cid, url]))
  return sanitizeHtml(textOfEntity(one), { cid: (id) => byCid.get(id) }).html
}

/** Addresses of what lies in memory, given back when the mail is left. */
function useAddresses({ files, pictures }: Shown): ReadonlyMap<Entity, string> | undefined {
  const [addresses, setAddresses] = useState<ReadonlyMap<Entity, string>>()
  useEffect(() => {
    const made = new Map<Entity, string>()
    for (const one of pictures.values()) made.set(one, URL.createObjectURL(new Blob([one.body], { type: one.type })))
    for (const one of files)
      made.set(one, URL.createObjectURL(new Blob([one.body], { type: 'application/octet-stream' })))
    setAddresses(made)
    return () => {
      for (const url of made.values()) URL.revokeObjectURL(url)
    }
  }, [files, pictures])
  return addresses
}

function Files({
  files,
  addresses,
}: {
  readonly files: readonly Entity[]
  readonly addresses: ReadonlyMap<Entity, string>
}): JSX.Element {
  return (
    <section class="attachments" aria-label={t('attachments', { n: files.length })}>
      <ul>
        {files.map((one, i) => {
          const name = (one.name ?? one.type.replace('/', '.')).replace(
            /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069/\\]/g,
            '',
          )
          return (
            <li key={i}>
              <a class="attachment" href={addresses.get(one)} download={name} title={t('downloadNamed', { name })}>
                <Icon name="attach" />
                <span class="attachment-name" dir="auto">
                  {name}
                </span>
                <span class="attachment-size">{fileSize(one.body.length)}</span>
              </a>
            </li>
          )
        })}
      </ul>
    </section>
  )
}

/** What an answer quotes: the text that is shown, as HTML. */
export async function quotedOf(email: Email, content: EmailContent): Promise<string> {
  const { entity } = await openMail(email, content)
  return shownOf(entity)
    .bodies.map((one) =>
      one.type === 'text/html'
        ? sanitizeHtml(textOfEntity(one), { pictures: false }).html
        : textToHtml(textOfEntity(one)),
    )
    .join('<hr>')
}
