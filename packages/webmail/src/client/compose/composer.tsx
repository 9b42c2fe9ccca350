/** A window of writing. The draft is saved as one types; what cannot be saved stays in the browser; sending waits on the server so that it can be undone. */
import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { Editor } from '../editor.ts'
import { JmapError, OfflineError } from '../jmap/client.ts'
import type { Address, Id } from '../jmap/types.ts'
import { fileSize, longDate, t, timeOnly } from '../text/text.ts'
import { ask, askText } from '../ui/dialog.tsx'
import { IconButton, Icon, type IconName } from '../ui/icon.tsx'
import { type MenuItem, openMenu } from '../ui/menu.tsx'
import { isAddress } from './address.ts'
import { laterTimes, localInput } from '../store/later.ts'
import { settings } from '../store/settings.ts'
import { templateMenu } from './templates.ts'
import { type Attached, type Beginning, closeWindow, compose } from './open.ts'
import { emailOf, envelopeOf, mentionsAttachment, signatureOf, textOfHtml, type Written } from './outgoing.ts'
import { Recipients } from './recipients.tsx'
import { forgetKept, keepDraft, keptOf } from './kept.ts'
import { unsend } from './unsend.ts'
import { upload, withUploaded } from './upload.ts'

const SAVE_MS = 1_500
/** Chosen when one begins to write: by it a mail is known again, however often it is sent. */
const newMessageId = (from: string): string => `${crypto.randomUUID()}@${from.slice(from.lastIndexOf('@') + 1)}`
type Saved = 'clean' | 'waiting' | 'saving' | 'saved' | 'kept' | 'failed'

export function Composer({ start }: { readonly start: Beginning }): JSX.Element {
  const [to, setTo] = useState(start.to)
  const [cc, setCc] = useState(start.cc)
  const [bcc, setBcc] = useState(start.bcc)
  const [more, setMore] = useState<ReadonlySet<'cc' | 'bcc'>>(
    new Set([...(start.cc.length > 0 ? (['cc'] as const) : []), ...(start.bcc.length > 0 ? (['bcc'] as const) : [])]),
  )
  const [subject, setSubject] = useState(start.subject)
  const [attached, setAttached] = useState(start.attached)
  const [loading, setLoading] = useState<
    readonly { readonly key: string; readonly name: string; readonly part: number }[]
  >([])
  const [identityId, setIdentityId] = useState(app.store.identities.peek()[0]?.id)
  const [size, setSize] = useState<'normal' | 'full' | 'small'>('normal')
  const [saved, setSaved] = useState<Saved>('clean')
  const [savedAt, setSavedAt] = useState<Date>()
  const [sending, setSending] = useState(false)
  const [path, setPath] = useState('')
  const [dropping, setDropping] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const editor = useRef<Editor>(undefined)
  const files = useRef<HTMLInputElement>(null)
  const draftId = useRef<Id | undefined>(start.draftId)
  const work = useRef<Promise<unknown>>(Promise.resolve())
  const messageId = useRef(start.messageId ?? newMessageId(app.signedInAs))
  const title = useId()
  const identities = app.store.identities.value
  const identity = identities.find((one) => one.id === identityId) ?? identities[0]

  const written = (): Written => ({
    identity,
    from: { name: identity?.name || null, email: identity?.email ?? app.signedInAs },
    to,
    cc,
    bcc,
    subject,
    html: editor.current?.getHTML() ?? '',
    attached,
    inReplyTo: start.inReplyTo,
    references: start.references,
  })
  const latest = useRef(written)
  latest.current = written

  useEffect(() => {
    const root = box.current
    if (root === null) return
    const made = new Editor(root)
    editor.current = made
    const body =
      start.body ??
      `<div><br></div>${signatureOf(identity)}${start.quoted === '' ? '' : `<div><br></div>${start.quoted}`}`
    made.setHTML(body)
    made.moveCursorToStart()
    made.addEventListener('input', () => changed())
    made.addEventListener('pathChange', (event: Event) =>
      setPath((event as CustomEvent<{ path: string }>).detail?.path ?? ''),
    )
    made.addEventListener('willPaste', () => changed())
    if (start.focus === 'text') made.focus()
    root.ownerDocument.defaultView?.addEventListener('postrider-leave', keepNow)
    return () => {
      root.ownerDocument.defaultView?.removeEventListener('postrider-leave', keepNow)
      made.destroy()
    }
  }, [])

  const keepNow = (): void => keepDraft(start, latest.current(), draftId.current)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const changed = (): void => {
    setSaved('waiting')
    clearTimeout(timer.current)
    timer.current = setTimeout(() => void save(), SAVE_MS)
  }
  const first = useRef(true)
  useEffect(() => {
    if (first.current) first.current = false
    else changed()
  }, [to, cc, bcc, subject, attached, identityId])

  /** One after the other: a draft is replaced by its next form. */
  const save = (): Promise<boolean> => {
    clearTimeout(timer.current)
    const now = work.current.then(async () => {
      const drafts = app.store.byRole.peek().get('drafts')
      if (drafts === undefined) return false
      setSaved('saving')
      try {
        const before = draftId.current
        const files = await withUploaded(latest.current().attached)
        const answer = await app.client.call('Email/set', {
          create: {
            draft: { ...emailOf({ ...latest.current(), attached: files }, drafts.id), messageId: [messageId.current] },
          },
          ...(before === undefined ? {} : { destroy: [before] }),
        })
        const made = answer.created?.draft
        if (made === undefined)
          throw new JmapError(
            answer.notCreated?.draft?.type ?? 'serverFail',
            answer.notCreated?.draft?.description ?? '',
          )
        draftId.current = made.id
        forgetKept(start.key)
        setSaved('saved')
        setSavedAt(new Date())
        return true
      } catch (error) {
        keepNow()
        setSaved(error instanceof OfflineError ? 'kept' : 'failed')
        if (error instanceof OfflineError) timer.current = setTimeout(() => void save(), 15_000)
        return false
      }
    })
    work.current = now.catch(() => undefined)
    return now
  }

  const addFiles = (list: Iterable<File>, inline = false): void => {
    for (const file of list) {
      const key = `u${crypto.randomUUID()}`
      const wanted = inline && /^image\/(?:png|jpeg|gif|webp)$/.test(file.type)
      setLoading((all) => [...all, { key, name: file.name, part: 0 }])
      upload(file, (part) => setLoading((all) => all.map((one) => (one.key === key ? { ...one, part } : one))))
        .then(
          ({ blobId }) => {
            // What waits on the device has no address yet: it goes along as a file.
            const picture = wanted && !blobId.startsWith('local-')
            const cid = picture ? `${key}@postrider` : undefined
            const made: Attached = {
              key,
              name: file.name,
              type: file.type || 'application/octet-stream',
              size: file.size,
              blobId,
              cid,
            }
            setAttached((all) => [...all, made])
            if (picture)
              editor.current?.insertImage(app.client.downloadUrl(blobId, file.name, file.type), {
                alt: file.name,
                style: 'max-width:100%',
              })
          },
          () => app.tell(t('uploadFailed', { name: file.name })),
        )
        .finally(() => setLoading((all) => all.filter((one) => one.key !== key)))
    }
  }

  const close = (): void => {
    clearTimeout(timer.current)
    if (saved === 'waiting' || saved === 'failed' || saved === 'kept') void save().then(() => closeWindow(start.key))
    else closeWindow(start.key)
  }
  const discard = async (): Promise<void> => {
    clearTimeout(timer.current)
    await work.current
    forgetKept(start.key)
    closeWindow(start.key)
    const id = draftId.current
    const before = latest.current()
    if (id !== undefined) app.acts.destroy([id])
    app.done('discarded', 1, () => {
      compose({
        ...start,
        draftId: undefined,
        to: before.to,
        cc: before.cc,
        bcc: before.bcc,
        subject: before.subject,
        body: before.html,
        attached: before.attached,
      })
    })
  }

  /** The server is away: the mail waits on this device. False where nothing may be kept. */
  const later = async (all: readonly Address[], until: Date | undefined): Promise<boolean> => {
    const device = app.device.peek()
    const roles = app.store.byRole.peek()
    const drafts = roles.get('drafts')
    const sent = roles.get(until === undefined ? 'sent' : 'scheduled') ?? roles.get('sent')
    if (device === undefined || identity === undefined || drafts === undefined || sent === undefined) return false
    const now = latest.current()
    const id = crypto.randomUUID()
    await device.outbox.put({
      id,
      at: Date.now(),
      messageId: messageId.current,
      email: emailOf(now, drafts.id),
      identityId: identity.id,
      envelope: envelopeOf(identity.email, all, until === undefined ? { seconds: 0 } : { until }),
      moved: { [`mailboxIds/${drafts.id}`]: null, [`mailboxIds/${sent.id}`]: true, 'keywords/$draft': null },
      ...(start.answers === undefined ? {} : { answers: start.answers }),
      beginning: { ...keptOf(start, now, undefined), messageId: messageId.current },
    })
    forgetKept(start.key)
    closeWindow(start.key)
    app.tell(t('outboxWaits'), { label: t('undo'), run: () => void device.edit(id) })
    return true
  }

  const send = async (until?: Date): Promise<void> => {
    const all = [...to, ...cc, ...bcc]
    if (all.length === 0) return app.tell(t('noRecipients'))
    const bad = all.find((one) => !isAddress(one.email))
    if (bad !== undefined) return app.tell(t('badAddress', { address: bad.email }))
    if (loading.length > 0) return
    if (subject.trim() === '' && !(await ask(t('sendNoSubject'), t('sendAnyway')))) return
    const own = textOfHtml((editor.current?.getHTML() ?? '').replace(/<blockquote[\s\S]*/i, ''))
    if (
      attached.every((one) => one.cid !== undefined) &&
      mentionsAttachment(`${subject} ${own}`) &&
      start.subject === '' &&
      !(await ask(t('forgottenAttachment'), t('sendAnyway')))
    )
      return
    setSending(true)
    if (!(await save()) || draftId.current === undefined) {
      if (!app.reached.peek() && (await later(all, until))) return
      setSending(false)
      app.tell(t('sendFailed', { problem: t('offlineBar') }))
      return
    }
    const emailId = draftId.current
    const { undoSeconds } = settings.peek()
    const drafts = app.store.byRole.peek().get('drafts')
    const sent =
      app.store.byRole.peek().get(until === undefined ? 'sent' : 'scheduled') ?? app.store.byRole.peek().get('sent')
    if (drafts === undefined || sent === undefined || identity === undefined) {
      setSending(false)
      return app.tell(t('failed'))
    }
    try {
      const answer = await app.client.call('EmailSubmission/set', {
        create: {
          send: {
            identityId: identity.id,
            emailId,
            envelope: envelopeOf(identity.email, all, until === undefined ? { seconds: undoSeconds } : { until }),
          },
        },
        onSuccessUpdateEmail: {
          '#send': { [`mailboxIds/${drafts.id}`]: null, [`mailboxIds/${sent.id}`]: true, 'keywords/$draft': null },
        },
      })
      const made = answer.created?.send
      if (made === undefined) {
        const problem = answer.notCreated?.send
        throw new JmapError(problem?.description ?? problem?.type ?? 'serverFail')
      }
      if (start.answers !== undefined) {
        const { id, keyword } = start.answers
        app.acts.change([id], ({ mailboxIds, keywords }) => ({
          mailboxIds,
          keywords: { ...keywords, [keyword]: true },
        }))
      }
      closeWindow(start.key)
      const takeBack = { label: t('undo'), run: () => void unsend(made.id, emailId) }
      if (until !== undefined) app.tell(t('scheduledFor', { time: longDate(until.toISOString()) }), takeBack)
      else if (undoSeconds > 0) app.tell(t('sentIn', { n: undoSeconds }), takeBack)
      else app.tell(t('sentDone'))
    } catch (error) {
      if (error instanceof OfflineError && (await later(all, until))) return
      setSending(false)
      app.tell(
        t('sendFailed', {
          problem: error instanceof OfflineError ? t('offlineBar') : error instanceof Error ? error.message : '',
        }),
      )
    }
  }

  const button = (
    icon: IconName,
    label: string,
    on: boolean,
    run: (now: Editor) => unknown,
    key?: string,
  ): JSX.Element => (
    <IconButton
      icon={icon}
      label={label}
      keyHint={key}
      pressed={on}
      onClick={() => {
        const now = editor.current
        if (now !== undefined) run(now)
        now?.focus()
      }}
    />
  )
  const has = (tag: string): boolean => new RegExp(`(?:^|>)${tag}(?:[>.#[]|$)`).test(path)
  const state =
    saved === 'saved' && savedAt !== undefined
      ? t('draftSaved', { time: timeOnly(savedAt) })
      : saved === 'saving'
        ? t('draftSaving')
        : saved === 'kept'
          ? t('draftKept')
          : saved === 'failed'
            ? t('draftNotSaved')
            : ''
  const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true
  return (
    <section
      class={`composer ${size} ${dropping ? 'dropping' : ''}`}
      role="dialog"
      aria-labelledby={title}
      onKeyDown={(event) => {
        event.stopPropagation()
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault()
          void send()
        } else if (event.key === 'Escape' && !event.defaultPrevented) close()
      }}
      onDragOver={(event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        setDropping(true)
      }}
      onDragLeave={(event) => {
        if (event.target === event.currentTarget) setDropping(false)
      }}
      onDrop={(event) => {
        if (!hasFiles(event)) return
        event.preventDefault()
        setDropping(false)
        addFiles(
          event.dataTransfer?.files ?? [],
          event.target instanceof Node && box.current?.contains(event.target) === true,
        )
      }}
    >
      <header class="composer-head">
        <h2 id={title} dir="auto">
          {subject.trim() || t('newMail')}
        </h2>
        <span class="composer-state" role="status">
          {state}
        </span>
        <IconButton
          class="wide-only"
          icon="minimise"
          label={t(size === 'small' ? 'restore' : 'minimise')}
          onClick={() => setSize(size === 'small' ? 'normal' : 'small')}
        />
        <IconButton
          class="wide-only"
          icon={size === 'full' ? 'restore' : 'maximise'}
          label={t(size === 'full' ? 'restore' : 'maximise')}
          onClick={() => setSize(size === 'full' ? 'normal' : 'full')}
        />
        <IconButton icon="close" label={t('close')} keyHint="Esc" onClick={close} />
      </header>
      <div class="composer-body" hidden={size === 'small'}>
        {identities.length > 1 && (
          <label class="compose-line">
            <span>{t('from')}</span>
            <select value={identity?.id} onChange={(event) => setIdentityId(event.currentTarget.value)}>
              {identities.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name === '' ? one.email : `${one.name} <${one.email}>`}
                </option>
              ))}
            </select>
          </label>
        )}
        <div class="compose-line">
          <Recipients label={t('to')} value={to} onChange={setTo} focus={start.focus === 'to'} />
          {(['cc', 'bcc'] as const)
            .filter((one) => !more.has(one))
            .map((one) => (
              <button key={one} type="button" class="link-button" onClick={() => setMore(new Set([...more, one]))}>
                {t(one)}
              </button>
            ))}
        </div>
        {more.has('cc') && (
          <div class="compose-line">
            <Recipients label={t('cc')} value={cc} onChange={setCc} focus={start.cc.length === 0} />
          </div>
        )}
        {more.has('bcc') && (
          <div class="compose-line">
            <Recipients label={t('bcc')} value={bcc} onChange={setBcc} focus={start.bcc.length === 0} />
          </div>
        )}
        <label class="compose-line">
          <span>{t('subject')}</span>
          <input
            type="text"
            value={subject}
            dir="auto"
            maxLength={900}
            onInput={(event) => setSubject(event.currentTarget.value)}
          />
        </label>
        <div
          ref={box}
          class="editor"
          contentEditable
          role="textbox"
          aria-multiline="true"
          aria-label={t('composeText')}
          dir="auto"
          tabIndex={0}
          onPaste={(event) => {
            const pictures = [...(event.clipboardData?.files ?? [])].filter((one) => one.type.startsWith('image/'))
            if (pictures.length === 0 || event.clipboardData?.types.includes('text/html') === true) return
            event.preventDefault()
            event.stopImmediatePropagation()
            addFiles(pictures, true)
          }}
        />
        {(attached.some((one) => one.cid === undefined) || loading.length > 0) && (
          <ul class="compose-files">
            {attached
              .filter((one) => one.cid === undefined)
              .map((one) => (
                <li key={one.key} class="chip">
                  <Icon name="attach" />
                  <span dir="auto">{one.name}</span>
                  <small>{fileSize(one.size)}</small>
                  <button
                    type="button"
                    aria-label={t('removeNamed', { name: one.name })}
                    onClick={() => setAttached(attached.filter((other) => other !== one))}
                  >
                    <Icon name="close" />
                  </button>
                </li>
              ))}
            {loading.map((one) => (
              <li key={one.key} class="chip">
                <span dir="auto">{t('uploading', { name: one.name, n: Math.round(one.part * 100) })}</span>
                <progress max={1} value={one.part} aria-label={one.name} />
              </li>
            ))}
          </ul>
        )}
        <footer class="composer-foot">
          <div class="send-group">
            <button
              type="button"
              class="button primary"
              disabled={sending || loading.length > 0}
              title={`${t('send')} (Ctrl+Enter)`}
              onClick={() => void send()}
            >
              <Icon name="sent" /> {t(sending ? 'sending' : 'send')}
            </button>
            <IconButton
              class="send-later"
              icon="down"
              label={t('sendLater')}
              expanded={false}
              onClick={(event) =>
                openMenu(
                  t('sendLater'),
                  laterItems((until) => void send(until)),
                  event,
                )
              }
            />
          </div>
          <div class="format" role="toolbar" aria-label={t('actions')}>
            {button(
              'bold',
              t('bold'),
              has('B'),
              (now) => (now.hasFormat('B') ? now.removeBold() : now.bold()),
              'Ctrl+B',
            )}
            {button(
              'italic',
              t('italic'),
              has('I'),
              (now) => (now.hasFormat('I') ? now.removeItalic() : now.italic()),
              'Ctrl+I',
            )}
            {button(
              'underline',
              t('underline'),
              has('U'),
              (now) => (now.hasFormat('U') ? now.removeUnderline() : now.underline()),
              'Ctrl+U',
            )}
            {button('list', t('list'), has('UL'), (now) => (has('UL') ? now.removeList() : now.makeUnorderedList()))}
            {button('numbered', t('numbered'), has('OL'), (now) =>
              has('OL') ? now.removeList() : now.makeOrderedList(),
            )}
            {button('quote', t('quote'), has('BLOCKQUOTE'), (now) =>
              has('BLOCKQUOTE') ? now.decreaseQuoteLevel() : now.increaseQuoteLevel(),
            )}
            <IconButton icon="link" label={t('link')} pressed={has('A')} onClick={() => void link(editor.current)} />
            {button('clear', t('clearFormat'), false, (now) => now.removeAllFormatting())}
          </div>
          <IconButton
            icon="attach"
            label={t('attach')}
            onClick={() => {
              if (files.current !== null) {
                files.current.removeAttribute('accept')
                files.current.click()
              }
            }}
          />
          <IconButton
            icon="picture"
            label={t('insertPicture')}
            onClick={() => {
              if (files.current !== null) {
                files.current.accept = 'image/png,image/jpeg,image/gif,image/webp'
                files.current.click()
              }
            }}
          />
          <IconButton
            icon="drafts"
            label={t('templates')}
            expanded={false}
            onClick={(event) =>
              void templateMenu(event.currentTarget as Element, {
                subject,
                html: editor.current?.getHTML() ?? '',
                insert: (template) => {
                  const now = editor.current
                  if (now === undefined) return
                  if (subject.trim() === '') setSubject(template.subject)
                  now.insertHTML(template.htmlBody)
                  now.focus()
                },
              })
            }
          />
          <span class="grow" />
          <IconButton icon="trash" label={t('discard')} onClick={() => void discard()} />
          <input
            ref={files}
            type="file"
            multiple
            hidden
            aria-label={t('attach')}
            onChange={(event) => {
              const input = event.currentTarget
              addFiles(input.files ?? [], input.accept !== '')
              input.value = ''
            }}
          />
        </footer>
      </div>
      <div class="drop-hint" aria-hidden="true">
        {t('dropFiles')}
      </div>
    </section>
  )
}

async function link(editor: Editor | undefined): Promise<void> {
  if (editor === undefined) return
  const range = editor.getSelection().cloneRange()
  const url = await askText(t('link'), t('link'), { label: t('linkAddress'), value: 'https://', type: 'url' })
  editor.focus()
  editor.setSelection(range)
  if (url !== undefined && /^(?:https?:\/\/\S|mailto:\S)/i.test(url)) editor.makeLink(url)
}

function laterItems(send: (until: Date) => void): MenuItem[] {
  const items: MenuItem[] = laterTimes().map(({ name, date }) => ({
    label: t(name),
    icon: 'clock',
    keyHint: timeOnly(date),
    run: () => send(date),
  }))
  items.push({
    label: t('pickTime'),
    icon: 'edit',
    run: () =>
      void askText(t('sendLater'), t('schedule'), {
        label: t('pickTime'),
        value: localInput(laterTimes().find((one) => one.name === 'tomorrowMorning')?.date ?? new Date()),
        type: 'datetime-local',
      }).then((value) => {
        const date = new Date(value ?? '')
        if (!Number.isNaN(date.getTime()) && date > new Date()) send(date)
      }),
  })
  return items
}
