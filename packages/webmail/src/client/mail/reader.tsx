/** The reading pane: one mail, or a conversation as a column with the older ones folded to a line. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { back, hintOf, step } from '../commands.ts'
import { replyTo } from '../compose/open.ts'
import type { Email, Id } from '../jmap/types.ts'
import { rowItems } from '../list/row-menu.ts'
import { rowProperties } from '../../start.ts'
import { settings } from '../store/settings.ts'
import { longDate, t } from '../text/text.ts'
import { Categories } from '../ui/category.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'
import { openMenu } from '../ui/menu.tsx'
import { archive, isFlagged, readQuietly, setFlag, trash } from './acts.ts'
import { snoozeMenu, unsnooze } from './marking.ts'
import { Message } from './message.tsx'

export function Reader(): JSX.Element | null {
  const id = app.openEmail.value
  const selected = app.selected.value.size
  if (id === undefined && settings.value.pane === 'off') return null
  return (
    <section class="reader" aria-label={t('reading')} tabIndex={-1}>
      {selected > 1 ? (
        <Quiet
          text={t('manySelected', { n: app.wholeFolder.value ? (app.list.value?.total.value ?? selected) : selected })}
        />
      ) : id === undefined ? (
        <Quiet text={t('selectAMail')} />
      ) : (
        <Conversation key={id} id={id} />
      )}
    </section>
  )
}

const Quiet = ({ text }: { readonly text: string }): JSX.Element => (
  <div class="quiet">
    <Icon name="mail" />
    <p>{text}</p>
  </div>
)

function Conversation({ id }: { readonly id: Id }): JSX.Element {
  const email = app.store.email(id).value
  const collapse = app.list.value?.spec.collapseThreads === true
  const ids = email === undefined || !collapse ? [] : app.store.thread(email.threadId).value
  const [missing, setMissing] = useState(false)
  useEffect(() => {
    void loadConversation(id, collapse).then((found) => setMissing(!found))
  }, [id, collapse])
  if (email === undefined) return missing ? <Quiet text={t('loadFailed')} /> : <div class="coming" aria-busy="true" />
  const trashId = app.store.byRole.value.get('trash')?.id ?? ''
  const inTrash = email.mailboxIds[trashId] === true
  const all: Email[] = ids.length < 2 ? [email] : ids.flatMap((one) => app.store.email(one).value ?? [])
  // What was deleted of a conversation is not shown outside of the deleted items.
  const shown = (inTrash ? all : all.filter((one) => one.mailboxIds[trashId] !== true || one.id === id)).filter(
    (one) => one.keywords.$draft !== true || one.id === id || all.length > 1,
  )
  const emails = shown.length === 0 ? [email] : shown
  return (
    <>
      <Toolbar id={id} email={email} />
      <div class="conversation" key={id}>
        <h2 class="subject" dir="auto">
          {email.subject?.trim() || t('noSubject')}
        </h2>
        <Marked email={email} />
        <Column key={id} emails={emails} id={id} />
      </div>
    </>
  )
}

function Column({ emails, id }: { readonly emails: readonly Email[]; readonly id: Id }): JSX.Element {
  // What was unread when it was opened, and the one asked for, are open.
  const [opened] = useState(
    () =>
      new Set([
        id,
        emails.at(-1)?.id ?? id,
        ...emails.filter((one) => one.keywords.$seen !== true).map((one) => one.id),
      ]),
  )
  const [all, setAll] = useState(false)
  const FOLDED = 4
  const folded = all ? 0 : Math.max(0, emails.findIndex((one) => opened.has(one.id)) - 1)
  const hidden = folded >= FOLDED ? folded - 1 : 0
  useEffect(() => {
    const unread = emails.filter((one) => opened.has(one.id) && one.keywords.$seen !== true).map((one) => one.id)
    if (unread.length === 0) return
    const timer = setTimeout(() => readQuietly(unread), 400)
    return () => clearTimeout(timer)
  }, [id])
  return (
    <>
      {emails.map((one, i) =>
        i >= 1 && i <= hidden ? (
          i === 1 ? (
            <button key={one.id} type="button" class="older" onClick={() => setAll(true)}>
              {t('olderMessages', { n: hidden })}
            </button>
          ) : null
        ) : (
          <Message key={one.id} email={one} initiallyOpen={opened.has(one.id)} single={emails.length === 1} />
        ),
      )}
    </>
  )
}

/** The mails of the conversation, when they came by no list (permalink). */
async function loadConversation(id: Id, collapse: boolean): Promise<boolean> {
  const { store, client } = app
  try {
    if (store.email(id).peek() === undefined) {
      const { list } = await client.call('Email/get', { ids: [id], properties: rowProperties })
      store.putEmails(list, undefined)
    }
    const email = store.email(id).peek()
    if (email === undefined) return false
    const ids = store.thread(email.threadId).peek()
    if (collapse && (ids.length === 0 || ids.some((one) => store.email(one).peek() === undefined))) {
      const threads = client.call('Thread/get', { ids: [email.threadId] })
      const emails = client.call('Email/get', { ids: threads.ref('/list/*/emailIds'), properties: rowProperties })
      const [got, mails] = await Promise.all([threads, emails])
      store.putEmails(mails.list, undefined)
      store.putThreads(got.list)
    }
    return true
  } catch {
    return store.email(id).peek() !== undefined
  }
}

/** Categories, when it is to be done, when it comes back. */
function Marked({ email }: { readonly email: Email }): JSX.Element | null {
  const names = Object.keys(email.categories ?? {})
  const { followUp, snoozed } = email
  const due = email.keywords.$flagged === true ? followUp?.due : undefined
  if (names.length === 0 && due == null && followUp?.completed == null && snoozed == null) return null
  return (
    <p class="marked">
      <Categories names={names} />
      {due != null && (
        <span class="marked-one">
          <Icon name="flag" filled /> {t('dueOn', { time: longDate(due) })}
        </span>
      )}
      {followUp?.completed != null && (
        <span class="marked-one">
          <Icon name="check" /> {t('completedOn', { time: longDate(followUp.completed) })}
        </span>
      )}
      {snoozed != null && (
        <span class="marked-one">
          <Icon name="clock" /> {t('snoozedUntil', { time: longDate(snoozed.until) })}
          <button type="button" class="link-button" onClick={() => void unsnooze([email.id])}>
            {t('unsnooze')}
          </button>
        </span>
      )}
    </p>
  )
}

function Toolbar({ id, email }: { readonly id: Id; readonly email: Email }): JSX.Element {
  const list = app.list.value
  void list?.version.value
  const at = list?.indexOf(id) ?? -1
  const total = list?.total.value ?? 0
  const flagged = isFlagged(id)
  const may = app.may.value
  void email
  return (
    <div class="toolbar" role="toolbar" aria-label={t('actions')}>
      <IconButton class="back-button" icon="back" label={t('back')} keyHint={hintOf('back')} onClick={back} />
      <IconButton icon="reply" label={t('reply')} keyHint={hintOf('reply')} onClick={() => void replyTo('reply', id)} />
      <IconButton
        class="wide-only"
        icon="replyAll"
        label={t('replyAll')}
        keyHint={hintOf('replyAll')}
        onClick={() => void replyTo('replyAll', id)}
      />
      {app.sharedBy === undefined && (
        <IconButton
          class="wide-only"
          icon="forward"
          label={t('forward')}
          keyHint={hintOf('forward')}
          onClick={() => void replyTo('forward', id)}
        />
      )}
      <span class="line" />
      {may.remove && app.store.byRole.value.has('archive') && app.mailbox.value?.role !== 'archive' && (
        <IconButton
          icon="archive"
          label={t('toArchive')}
          keyHint={hintOf('archive')}
          onClick={() => void archive([id])}
        />
      )}
      {may.remove && (
        <IconButton icon="trash" label={t('toTrash')} keyHint={hintOf('trash')} onClick={() => void trash([id])} />
      )}
      {may.mark && (
        <IconButton
          icon="flag"
          filled={flagged}
          label={t(flagged ? 'unflag' : 'flag')}
          keyHint={hintOf('flag')}
          onClick={() => setFlag([id], !flagged)}
        />
      )}
      {app.sharedBy === undefined && (
        <IconButton
          icon="clock"
          label={t('snooze')}
          keyHint={hintOf('snooze')}
          onClick={(event) => snoozeMenu([id], event.currentTarget as Element)}
        />
      )}
      <IconButton
        icon="more"
        label={t('more')}
        expanded={false}
        onClick={(event) =>
          openMenu(
            t('actions'),
            [
              ...rowItems(id).filter(({ icon }) => icon !== 'reply' && icon !== 'replyAll' && icon !== 'forward'),
              { label: t('print'), icon: 'print', keyHint: hintOf('print'), apart: true, run: () => print() },
              { label: t('showSource'), icon: 'download', run: () => void downloadSource(id) },
            ],
            event,
          )
        }
      />
      <span class="grow" />
      {at >= 0 && (
        <>
          <IconButton
            class="turn"
            icon="back"
            label={t('previous')}
            keyHint={hintOf('previous')}
            disabled={at === 0}
            onClick={() => step(-1)}
          />
          <IconButton
            class="turn"
            icon="forwardTo"
            label={t('next')}
            keyHint={hintOf('next')}
            disabled={at >= total - 1}
            onClick={() => step(1)}
          />
        </>
      )}
    </div>
  )
}

async function downloadSource(id: Id): Promise<void> {
  const { blobId } = await app.contents.content(id)
  download(
    app.client.downloadUrl(
      blobId,
      `${(app.store.email(id).peek()?.subject ?? 'message').slice(0, 60)}.eml`,
      'message/rfc822',
    ),
  )
}
export function download(url: string): void {
  const link = document.createElement('a')
  link.href = url
  link.download = ''
  link.click()
}
