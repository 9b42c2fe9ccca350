/** One mail: who, to whom, when; its text; its attachments. Folded it is one line. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { editDraft, replyTo } from '../compose/open.ts'
import { pendingOf, unsend } from '../compose/unsend.ts'
import { OfflineError } from '../jmap/client.ts'
import type { Address, Email, EmailContent, Submission } from '../jmap/types.ts'
import { set, settings } from '../store/settings.ts'
import { fullAddress, longDate, nameOf, shortDate, t } from '../text/text.ts'
import { lazy, Suspense } from '../shell/lazy.tsx'
import { Avatar } from '../ui/avatar.tsx'
import { Icon } from '../ui/icon.tsx'
import { Attachments } from './attachments.tsx'
import type { Html } from './contents.ts'
import { Frame } from './frame.tsx'
import { isCalendar } from './preview-kind.ts'
import { textToHtml } from './sanitise.ts'

const Event = lazy(() => import('./event.tsx').then((one) => one.Event))
const Receipt = lazy(() => import('./receipt.tsx').then((one) => one.Receipt))
const Sealed = lazy(() => import('../smime/sealed.tsx').then((one) => one.Sealed))
const VerdictLine = lazy(() => import('../smime/verdict.tsx').then((one) => one.VerdictLine))
const Itinerary = lazy(() => import('./itinerary.tsx').then((one) => one.Itinerary))

interface Body {
  readonly content: EmailContent
  readonly html: Html | undefined
}

export function Message({
  email,
  initiallyOpen,
  single,
}: {
  readonly email: Email
  readonly initiallyOpen: boolean
  readonly single: boolean
}): JSX.Element {
  const [open, setOpen] = useState(initiallyOpen)
  const [details, setDetails] = useState(false)
  const [pictures, setPictures] = useState(picturesAllowed(email))
  const [body, setBody] = useState<Body | undefined>(() => app.contents.ready(email.id, pictures))
  const [problem, setProblem] = useState<'offline' | 'failed'>()
  const [again, setAgain] = useState(0)
  const from = email.from?.[0]
  useEffect(() => {
    if (!open) return
    let wanted = true
    Promise.all([app.contents.content(email.id), app.contents.html(email.id, pictures)]).then(
      ([content, html]) => {
        if (wanted) {
          setBody((now) => (now?.content === content && now.html === html ? now : { content, html }))
          setProblem(undefined)
        }
      },
      (error) => {
        if (wanted) setProblem(error instanceof OfflineError ? 'offline' : 'failed')
      },
    )
    return () => {
      wanted = false
    }
  }, [email.id, open, pictures, again])

  if (!open)
    return (
      <button type="button" class="message folded" onClick={() => setOpen(true)}>
        <Avatar address={from} />
        <span class="message-who" dir="auto">
          {from === undefined ? t('nobody') : nameOf(from)}
        </span>
        <span class="message-preview" dir="auto">
          {email.preview}
        </span>
        <time dateTime={email.receivedAt}>{shortDate(email.receivedAt)}</time>
      </button>
    )
  const to = [...(email.to ?? []), ...(body?.content.cc ?? [])]
  const draft = email.keywords.$draft === true
  const smime = body?.content.smime ?? undefined
  // What is opened here, not by the server.
  const sealed = smime !== undefined && smime.kind !== 'clear'
  return (
    <article
      class="message"
      aria-label={`${from === undefined ? t('nobody') : nameOf(from)}, ${longDate(email.receivedAt)}`}
    >
      <header class="message-head">
        <Avatar address={from} />
        <div class="message-lines">
          <div class="message-who" dir="auto">
            <strong>{from === undefined ? t('nobody') : nameOf(from)}</strong>
            {from !== undefined && nameOf(from) !== from.email && <span class="message-address"> {from.email}</span>}
          </div>
          <div class="message-to" dir="auto">
            {`${t('to')} ${people(to)}`}
            <button type="button" class="link-button" aria-expanded={details} onClick={() => setDetails(!details)}>
              {t(details ? 'hideDetails' : 'showDetails')}
            </button>
          </div>
        </div>
        <time dateTime={email.receivedAt} title={longDate(email.receivedAt)}>
          {shortDate(email.receivedAt)}
        </time>
      </header>
      <Held email={email} />
      {details && <Details email={email} content={body?.content} />}
      {body !== undefined && body.html !== undefined && body.html.pictures > 0 && !pictures && (
        <div class="consent">
          <Icon name="picture" />
          <span>{t('picturesBlocked', { n: body.html.pictures })}</span>
          <button type="button" class="button" onClick={() => setPictures(true)}>
            {t('showPictures')}
          </button>
          {from !== undefined && (
            <button
              type="button"
              class="link-button"
              onClick={() => {
                setPictures(true)
                const { picturesFrom } = settings.peek()
                set({ picturesFrom: [...new Set([...picturesFrom, from.email.toLowerCase()])].slice(-500) })
              }}
            >
              {t('picturesAlways', { name: nameOf(from) })}
            </button>
          )}
        </div>
      )}
      {(body?.content['header:Disposition-Notification-To:asAddresses'] ?? []).length > 0 && (
        <Suspense of={Receipt} email={email} />
      )}
      {body?.html?.reservations === true && <Suspense of={Itinerary} id={email.id} />}
      {body?.content.attachments
        .filter((one) => one.blobId !== null && isCalendar(one))
        .slice(0, 3)
        .map((one) => (
          <Suspense key={one.partId} of={Event} part={one} />
        ))}
      {smime?.kind === 'clear' && <Suspense of={VerdictLine} facts={smime} />}
      {problem !== undefined ? (
        <p class="message-problem" role="alert">
          {t('bodyFailed')}{' '}
          <button type="button" class="button" onClick={() => setAgain(again + 1)}>
            {t('retry')}
          </button>
        </p>
      ) : body === undefined ? (
        <div class="message-wait" aria-busy="true" />
      ) : sealed ? (
        <Suspense of={Sealed} email={email} content={body.content} />
      ) : (
        <Frame
          title={t('messageText')}
          html={body.html?.html ?? textOf(body.content)}
          plain={body.html === undefined}
        />
      )}
      {body !== undefined && !sealed && (
        <Attachments parts={body.content.attachments.filter((one) => smime === undefined || !isSeal(one.type))} />
      )}
      <footer class="message-acts">
        {draft ? (
          <button type="button" class="button primary" onClick={() => void editDraft(email.id)}>
            <Icon name="edit" /> {t('open')}
          </button>
        ) : (
          <>
            <button type="button" class="button" onClick={() => void replyTo('reply', email.id)}>
              <Icon name="reply" /> {t('reply')}
            </button>
            {to.length > 1 && (
              <button type="button" class="button" onClick={() => void replyTo('replyAll', email.id)}>
                <Icon name="replyAll" /> {t('replyAll')}
              </button>
            )}
            {app.sharedBy === undefined && (
              <button type="button" class="button" onClick={() => void replyTo('forward', email.id)}>
                <Icon name="forward" /> {t('forward')}
              </button>
            )}
          </>
        )}
        {!single && (
          <button type="button" class="link-button fold" onClick={() => setOpen(false)}>
            {t('close')}
          </button>
        )}
      </footer>
    </article>
  )
}

/** A signature is no file one saves: its line says what it says. */
const isSeal = (type: string): boolean => /^application\/(?:x-)?pkcs7-signature$/.test(type)

/** Whether pictures from elsewhere are shown without asking: always, or for this sender. */
export const picturesAllowed = ({ from }: Pick<Email, 'from'>): boolean => {
  const { pictures, picturesFrom } = settings.peek()
  return pictures === 'always' || (from?.some((one) => picturesFrom.includes(one.email.toLowerCase())) ?? false)
}

/** A mail of one's own that waits for its time: when it goes, and a way back. */
function Held({ email }: { readonly email: Email }): JSX.Element | null {
  const [held, setHeld] = useState<Submission>()
  const sent = app.store.byRole.value.get('sent')?.id ?? ''
  const own = email.mailboxIds[sent] === true
  useEffect(() => {
    if (own) pendingOf(email.id).then(setHeld, () => {})
    else setHeld(undefined)
  }, [email.id, own])
  if (held === undefined) return null
  return (
    <div class="consent">
      <Icon name="clock" />
      <span>{t('scheduledFor', { time: longDate(held.sendAt) })}</span>
      <button type="button" class="button" onClick={() => void unsend(held.id, email.id)}>
        {t('cancelSending')}
      </button>
    </div>
  )
}

/** The text parts, as HTML of ours. */
export function textOf(content: EmailContent): string {
  const texts = content.textBody.flatMap((part) => {
    const value = content.bodyValues[part.partId ?? '']?.value
    if (value === undefined) return []
    return part.type === 'text/html' ? [plainText(value)] : [value]
  })
  const text = texts.join('\n')
  return text.trim() === '' ? `<p class="no-text">${t('noText')}</p>` : textToHtml(text)
}
/** What an HTML part says, without its markup: for when the server gave no sanitised HTML. */
export const plainText = (html: string): string =>
  html
    .replace(/<(style|script|head|title)\b[\s\S]*?<\/\1\s*>/gi, '')
    .replace(/<br\s*\/?>|<\/(?:p|div|tr|li|h\d)>/gi, '\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&nbsp;/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&')
    .replace(/\n\s*\n\s*\n+/g, '\n\n')

function people(all: readonly Address[]): string {
  const me = app.signedInAs.toLowerCase()
  const names = all.map((one) => (one.email.toLowerCase() === me ? t('toMe') : nameOf(one)))
  if (names.length === 0) return t('nobody')
  return names.length <= 3 ? names.join(', ') : t('and', { names: names.slice(0, 2).join(', '), n: names.length - 2 })
}

function Details({
  email,
  content,
}: {
  readonly email: Email
  readonly content: EmailContent | undefined
}): JSX.Element {
  const lines: readonly [string, readonly Address[] | null | undefined][] = [
    [t('from'), email.from],
    [t('to'), email.to],
    [t('cc'), content?.cc],
    [t('bcc'), content?.bcc],
  ]
  return (
    <dl class="details">
      {lines.map(([label, all]) =>
        all === null || all === undefined || all.length === 0 ? null : (
          <div key={label}>
            <dt>{label}</dt>
            <dd dir="auto">{all.map(fullAddress).join(', ')}</dd>
          </div>
        ),
      )}
      <div>
        <dt>{t('date')}</dt>
        <dd>{longDate(content?.sentAt ?? email.receivedAt)}</dd>
      </div>
    </dl>
  )
}
