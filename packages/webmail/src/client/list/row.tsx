/** One row: a mail, or the conversation it is the newest of. */
import type { JSX } from 'preact'
import { useMemo, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { hintOf } from '../commands.ts'
import type { Address, Email, Id } from '../jmap/types.ts'
import { archive, mailsOf, setFlag, setRead, trash } from '../mail/acts.ts'
import type { ListQuery } from '../store/query.ts'
import { settings } from '../store/settings.ts'
import { firstNameOf, longDate, nameOf, shortDate, t } from '../text/text.ts'
import { snoozeMenu } from '../mail/marking.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Categories } from '../ui/category.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'
import { rowMenu } from './row-menu.ts'
import { onSelect } from './selecting.ts'
import { pieces, snippetOf } from './snippets.ts'
import { swipe } from './swipe.ts'

interface RowProps {
  readonly list: ListQuery
  readonly index: number
  readonly id: Id | undefined
  readonly height: number
  readonly isCursor: boolean
}

/** Who a row is about: senders of a conversation in their order, or whom one's own mail went to. */
function people(email: Email, all: readonly Email[], outgoing: boolean): string {
  if (outgoing) {
    const to = email.to ?? []
    return to.length === 0 ? t('nobody') : to.map(to.length > 1 ? firstNameOf : nameOf).join(', ')
  }
  const seen = new Map<string, Address>()
  for (const one of all) for (const from of one.from ?? []) seen.set(from.email.toLowerCase(), from)
  const senders = [...seen.values()]
  if (senders.length === 0) return t('nobody')
  if (senders.length === 1) return nameOf(senders[0] as Address)
  const me = app.signedInAs.toLowerCase()
  return senders.map((one) => (one.email.toLowerCase() === me ? t('toMe') : firstNameOf(one))).join(', ')
}

const Marked = ({ html }: { readonly html: string }): JSX.Element => (
  <>{pieces(html).map((piece, i) => (i % 2 === 1 ? <mark key={`${i}${piece}`}>{piece}</mark> : piece))}</>
)

/** Without a finger nothing listens for one: every row of the first frame counts. */
const touches = navigator.maxTouchPoints > 0

export function Row({ list, index, id, height, isCursor }: RowProps): JSX.Element {
  const [hovered, setHovered] = useState(false)
  // One for the row's life: what the finger has begun goes on when the row is drawn anew.
  const swiped = useMemo(() => (id === undefined || !touches ? undefined : swipe(id)), [id])
  const email = id === undefined ? undefined : app.store.email(id).value
  const style = { transform: `translateY(${index * height}px)` }
  if (id === undefined || email === undefined)
    return (
      <div
        class="row waiting"
        role="row"
        id={`row-${index}`}
        aria-rowindex={index + 1}
        tabIndex={isCursor ? 0 : -1}
        style={style}
      >
        <div role="gridcell" class="row-main" aria-busy="true">
          <i />
          <i />
        </div>
      </div>
    )
  const { collapseThreads } = list.spec
  const threadIds = collapseThreads ? app.store.thread(email.threadId).value : []
  const thread = threadIds.length < 2 ? [email] : threadIds.flatMap((one) => app.store.email(one).value ?? [])
  const unread = thread.some((one) => one.keywords.$seen !== true && one.keywords.$draft !== true)
  const flagged = thread.some((one) => one.keywords.$flagged === true)
  const attachment = thread.some((one) => one.hasAttachment)
  const role = app.mailbox.value?.role
  const outgoing = role === 'sent' || role === 'drafts' || role === 'scheduled'
  const who = people(email, thread, outgoing)
  const subject = email.subject?.trim() || t('noSubject')
  const place = app.place.value
  const snippet = place.kind === 'search' && /\p{L}{2}/u.test(place.text) ? snippetOf(list, id).value : undefined
  const selected = app.selected.value.has(id)
  const isOpen = app.openEmail.value === id
  const categories = Object.keys(email.categories ?? {})
  const due = flagged ? email.followUp?.due : undefined
  const late = due != null && new Date(due) < new Date()
  // Snoozed mail says when it comes back.
  const until = email.snoozed?.until
  const when = until === undefined ? longDate(email.receivedAt) : t('snoozedUntil', { time: longDate(until) })
  const name = [
    unread ? t('unread') : '',
    who,
    subject,
    threadIds.length > 1 ? t('countMessages', { n: threadIds.length }) : '',
    when,
    attachment ? t('attachment') : '',
    flagged ? (due == null ? t('flagged') : t('dueOn', { time: longDate(due) })) : '',
    ...categories,
  ]
    .filter((one) => one !== '')
    .join(', ')
  const found = snippet?.preview?.includes('<mark>') === true
  const state = `${found ? 'found' : ''} ${unread ? 'unread' : ''} ${selected ? 'selected' : ''} ${isOpen ? 'open' : ''} ${app.selected.value.size > 0 ? 'selecting' : ''}`
  return (
    <div
      class={`row ${state}`}
      role="row"
      id={`row-${index}`}
      aria-rowindex={index + 1}
      aria-selected={selected || isOpen}
      aria-label={name}
      tabIndex={isCursor ? 0 : -1}
      style={style}
      data-id={id}
      data-index={index}
      draggable
      onClick={(event) => onSelect(event, index, id)}
      // Screen readers put the focus where they read: keys mean that row.
      onFocus={() => {
        app.cursor.value = index
      }}
      onContextMenu={(event) => rowMenu(event, id)}
      onPointerLeave={() => setHovered(false)}
      onPointerEnter={(event) => {
        if (event.pointerType !== 'mouse') return
        setHovered(true)
        app.contents.prefetch([id], settings.peek().pictures === 'always')
      }}
      onDragStart={(event) => {
        const rows = app.selected.peek().has(id) ? [...app.selected.peek()] : [id]
        event.dataTransfer?.setData('application/x-postrider-rows', JSON.stringify(rows))
        event.dataTransfer?.setData('text/plain', subject)
        if (event.dataTransfer !== null) event.dataTransfer.effectAllowed = 'move'
      }}
      {...swiped}
    >
      <div role="gridcell" class="row-main">
        <span class="row-gutter">
          <span class="dot" aria-hidden="true" />
          <input
            type="checkbox"
            class="row-check"
            tabIndex={-1}
            checked={selected}
            aria-label={t('select')}
            onClick={(event) => {
              event.stopPropagation()
              onSelect(event, index, id, true)
            }}
          />
        </span>
        <Avatar address={(outgoing ? email.to : email.from)?.[0]} />
        <span class="row-who" dir="auto">
          {who}
          {threadIds.length > 1 && <span class="row-count">{threadIds.length}</span>}
        </span>
        <span class="row-marks">
          <Categories names={categories} short />
          {attachment && <Icon name="attach" />}
          {flagged && (
            <span
              class={`is-flag ${late ? 'late' : ''}`}
              title={due == null ? undefined : t('dueOn', { time: longDate(due) })}
            >
              <Icon name="flag" filled />
            </span>
          )}
        </span>
        <time class="row-time" dateTime={until ?? email.receivedAt}>
          {until !== undefined && <Icon name="clock" />}
          {shortDate(until ?? email.receivedAt)}
        </time>
        <span class="row-subject" dir="auto">
          {snippet?.subject == null ? subject : <Marked html={snippet.subject} />}
        </span>
        <span class="row-preview" dir="auto">
          {snippet?.preview == null ? email.preview : <Marked html={snippet.preview} />}
        </span>
      </div>
      {hovered && <RowActs id={id} unread={unread} flagged={flagged} />}
    </div>
  )
}

/** Made only for the row the pointer is on: a list scrolls as fast as its rows are light. */
function RowActs({
  id,
  unread,
  flagged,
}: {
  readonly id: Id
  readonly unread: boolean
  readonly flagged: boolean
}): JSX.Element {
  const may = app.may.value
  return (
    <div role="gridcell" class="row-acts">
      {may.remove && app.store.byRole.value.has('archive') && app.mailbox.value?.role !== 'archive' && (
        <IconButton
          icon="archive"
          label={t('toArchive')}
          keyHint={hintOf('archive')}
          tabIndex={-1}
          onClick={stop(() => void archive([id]))}
        />
      )}
      {may.remove && (
        <IconButton
          icon="trash"
          label={t('toTrash')}
          keyHint={hintOf('trash')}
          tabIndex={-1}
          onClick={stop(() => void trash([id]))}
        />
      )}
      {may.mark && (
        <IconButton
          icon="flag"
          filled={flagged}
          label={t(flagged ? 'unflag' : 'flag')}
          keyHint={hintOf('flag')}
          tabIndex={-1}
          onClick={stop(() => setFlag(flagged ? mailsOf(id, true) : [id], !flagged))}
        />
      )}
      {may.mark && (
        <IconButton
          icon={unread ? 'read' : 'unread'}
          label={t(unread ? 'markRead' : 'markUnread')}
          keyHint={hintOf(unread ? 'read' : 'unread')}
          tabIndex={-1}
          onClick={stop(() => void setRead([id], unread))}
        />
      )}
      {app.sharedBy === undefined && (
        <IconButton
          class="roomy-act"
          icon="clock"
          label={t('snooze')}
          keyHint={hintOf('snooze')}
          tabIndex={-1}
          onClick={(event) => {
            event.stopPropagation()
            snoozeMenu([id], event.currentTarget as Element)
          }}
        />
      )}
    </div>
  )
}

const stop = (run: () => void) => (event: MouseEvent) => {
  event.stopPropagation()
  run()
}
