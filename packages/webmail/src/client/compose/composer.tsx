/** A window of writing: its frame, its text, its buttons. What is saved: drafting.ts; what is sent: sending.ts. */
import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { Editor } from '../editor.ts'
import { t } from '../text/text.ts'
import { ask } from '../ui/dialog.tsx'
import { lazy, Suspense } from '../shell/lazy.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'
import { useDraft } from './drafting.ts'
import { FileList as AttachedFiles, useFiles } from './files.tsx'
import { FormatBar } from './format-bar.tsx'
import { type Addressed, Heading } from './heading.tsx'
import { forgetKept } from './kept.ts'
import { type Beginning, closeWindow, compose, type Protect } from './open.ts'
import { signatureOf, type Written } from './outgoing.ts'
import { sendLaterMenu } from './send-later.ts'
import { ready, send } from './sending.ts'
import { templateMenu } from './templates.ts'

const Switches = lazy(() => import('../smime/switches.tsx').then((one) => one.Switches))
type Size = 'normal' | 'full' | 'small'
const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') === true

export function Composer({ start }: { readonly start: Beginning }): JSX.Element {
  const [addressed, setAddressed] = useState<Addressed>({ to: start.to, cc: start.cc, bcc: start.bcc })
  const [subject, setSubject] = useState(start.subject)
  const [identityId, setIdentityId] = useState(app.store.identities.peek()[0]?.id)
  const [receipt, setReceipt] = useState(start.receipt)
  const [size, setSize] = useState<Size>('normal')
  const [sending, setSending] = useState(false)
  const [protect, setProtect] = useState<Protect>(start.protect ?? { sign: false, encrypt: false })
  const [path, setPath] = useState('')
  const [dropping, setDropping] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const editor = useRef<Editor>(undefined)
  const files = useFiles(start.attached, () => editor.current)
  const title = useId()
  const identities = app.store.identities.value
  const identity = identities.find((one) => one.id === identityId) ?? identities[0]

  const written = (): Written => ({
    identity,
    from: { name: identity?.name || null, email: identity?.email ?? app.signedInAs },
    ...addressed,
    subject,
    html: editor.current?.getHTML() ?? '',
    attached: files.attached,
    inReplyTo: start.inReplyTo,
    references: start.references,
    receipt,
  })
  const latest = useRef(written)
  latest.current = written
  const draft = useDraft(
    start,
    () => latest.current(),
    [addressed, subject, files.attached, identityId, receipt],
    start.secret === true || protect.encrypt,
  )
  const now = useRef(draft)
  now.current = draft

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
    const changed = (): void => now.current.changed()
    made.addEventListener('input', changed)
    made.addEventListener('willPaste', changed)
    made.addEventListener('pathChange', (event: Event) =>
      setPath((event as CustomEvent<{ path: string }>).detail?.path ?? ''),
    )
    if (start.focus === 'text') made.focus()
    const keep = (): void => now.current.keep()
    addEventListener('postrider-leave', keep)
    return () => {
      removeEventListener('postrider-leave', keep)
      made.destroy()
    }
  }, [])

  const close = (): void => {
    void draft.stop()
    if (draft.secret) {
      void ask(t('leaveSecret'), t('discard')).then((yes) => {
        if (yes) void discard()
      })
      return
    }
    if (draft.unsaved) void draft.save().then(() => closeWindow(start.key))
    else closeWindow(start.key)
  }
  const discard = async (): Promise<void> => {
    await draft.stop()
    forgetKept(start.key)
    closeWindow(start.key)
    const id = draft.id()
    const { html: body, to, cc, bcc, subject, attached, receipt } = latest.current()
    if (id !== undefined) app.acts.destroy([id])
    app.done('discarded', 1, () =>
      compose({ ...start, draftId: undefined, to, cc, bcc, subject, body, attached, receipt, protect }),
    )
  }
  const sendNow = async (until?: Date): Promise<void> => {
    if (files.loading.length > 0 || !(await ready({ start, written: latest.current(), protect }))) return
    setSending(true)
    if (!(await send({ start, draft: now.current, written: latest.current(), until, protect }))) setSending(false)
  }

  return (
    <section
      class={`composer ${size} ${dropping ? 'dropping' : ''}`}
      role="dialog"
      aria-labelledby={title}
      onKeyDown={(event) => {
        event.stopPropagation()
        if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault()
          void sendNow()
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
        files.add(
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
          {draft.state}
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
        <Heading
          start={start}
          identities={identities}
          identity={identity}
          addressed={addressed}
          subject={subject}
          onIdentity={setIdentityId}
          onAddressed={(kind, list) => setAddressed((all) => ({ ...all, [kind]: list }))}
          onSubject={setSubject}
        />
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
            files.add(pictures, true)
          }}
        />
        <AttachedFiles files={files} />
        <Suspense
          of={Switches}
          from={identity?.email ?? app.signedInAs}
          recipients={[...addressed.to, ...addressed.cc, ...addressed.bcc]}
          value={protect}
          onChange={(value) => {
            setProtect(value)
            if (value.encrypt) void draft.remove()
          }}
        />
        <footer class="composer-foot">
          <div class="send-group">
            <button
              type="button"
              class="button primary"
              disabled={sending || files.loading.length > 0}
              title={`${t('send')} (Ctrl+Enter)`}
              onClick={() => void sendNow()}
            >
              <Icon name="sent" /> {t(sending ? 'sending' : 'send')}
            </button>
            <IconButton
              class="send-later"
              icon="down"
              label={t('sendLater')}
              expanded={false}
              onClick={(event) => sendLaterMenu(event, (until) => void sendNow(until))}
            />
          </div>
          <FormatBar editor={() => editor.current} path={path} />
          <FileButtons onFiles={files.add} />
          <IconButton
            icon="drafts"
            label={t('templates')}
            expanded={false}
            onClick={(event) =>
              void templateMenu(event.currentTarget as Element, {
                subject,
                html: editor.current?.getHTML() ?? '',
                insert: (template) => {
                  const to = editor.current
                  if (to === undefined) return
                  if (subject.trim() === '') setSubject(template.subject)
                  to.insertHTML(template.htmlBody)
                  to.focus()
                },
              })
            }
          />
          <IconButton icon="receipt" label={t('receiptAsk')} pressed={receipt} onClick={() => setReceipt(!receipt)} />
          <span class="grow" />
          <IconButton icon="trash" label={t('discard')} onClick={() => void discard()} />
        </footer>
      </div>
      <div class="drop-hint" aria-hidden="true">
        {t('dropFiles')}
      </div>
    </section>
  )
}

/** Chosen from the disk: to be attached, or pictures for the text. */
function FileButtons({ onFiles }: { readonly onFiles: (files: FileList, inline: boolean) => void }): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const choose = (accept: string): void => {
    if (input.current === null) return
    input.current.accept = accept
    input.current.click()
  }
  return (
    <>
      <IconButton icon="attach" label={t('attach')} onClick={() => choose('')} />
      <IconButton
        icon="picture"
        label={t('insertPicture')}
        onClick={() => choose('image/png,image/jpeg,image/gif,image/webp')}
      />
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={t('attach')}
        onChange={(event) => {
          const { files, accept } = event.currentTarget
          if (files !== null) onFiles(files, accept !== '')
          event.currentTarget.value = ''
        }}
      />
    </>
  )
}
