/** Above the list: where one is and how much there is; with rows selected what can be done with them. */
import type { JSX } from 'preact'
import { PAGE } from '../../start.ts'
import { app, folderName, listFilters } from '../app.ts'
import { back, hintOf, selectAll } from '../commands.ts'
import { compose } from '../compose/open.ts'
import { archive, emptyFolder, isFlagged, isUnread, setFlag, setRead, trash } from '../mail/acts.ts'
import { set, settings } from '../store/settings.ts'
import { t, type TextKey } from '../text/text.ts'
import { Icon, IconButton } from '../ui/icon.tsx'
import { openMenu } from '../ui/menu.tsx'
import { rowItems } from './row-menu.ts'

const filterNames: Readonly<Record<keyof typeof listFilters, TextKey>> = {
  all: 'filterAll',
  unread: 'filterUnread',
  flagged: 'filterFlagged',
}

export function ListHead(): JSX.Element {
  const selected = app.selected.value
  return selected.size > 0 ? <SelectionHead /> : <PlaceHead />
}

function PlaceHead(): JSX.Element {
  const place = app.place.value
  const mailbox = app.mailbox.value
  const list = app.list.value
  const total = list?.total.value
  const filter = app.filter.value
  const title = place.kind === 'search' ? t('search') : mailbox === undefined ? '' : folderName(mailbox)
  const about =
    place.kind === 'search'
      ? total === undefined
        ? ''
        : t('results', { n: total })
      : mailbox !== undefined && mailbox.unreadEmails > 0
        ? t('unreadCount', { n: mailbox.unreadEmails })
        : total === undefined
          ? ''
          : t(list?.spec.collapseThreads === true ? 'countConversations' : 'countMessages', { n: total })
  const category = app.category.value
  const categories = app.store.categories.value
  return (
    <>
      <header class="list-head">
        <IconButton
          class="only-narrow"
          icon="menu"
          label={t('folders')}
          expanded={app.shown.value === 'drawer'}
          onClick={() => {
            app.shown.value = 'drawer'
          }}
        />
        <h1 dir="auto">{title}</h1>
        <span class="list-about">{about}</span>
        <span class="grow" />
        <IconButton
          class="only-narrow"
          icon="edit"
          label={t('newMail')}
          keyHint={hintOf('compose')}
          onClick={() => compose({})}
        />
        {(mailbox?.role === 'trash' || mailbox?.role === 'junk') && mailbox.totalEmails > 0 && (
          <IconButton icon="trash" label={t('emptyTrash')} onClick={() => void emptyFolder(mailbox)} />
        )}
        {place.kind === 'search' && <Scope text={place.text} within={place.within} />}
        {place.kind === 'folder' && (
          <IconButton
            icon="filter"
            label={`${t('filter')}${t('colon')}${category ?? t(filterNames[filter])}`}
            pressed={filter !== 'all' || category !== undefined}
            expanded={false}
            onClick={(event) =>
              openMenu(
                t('filter'),
                [
                  ...(Object.keys(listFilters) as (keyof typeof listFilters)[]).map((one) => ({
                    label: t(filterNames[one]),
                    checked: filter === one && category === undefined,
                    run: () => {
                      app.category.value = undefined
                      app.filter.value = one
                    },
                  })),
                  ...categories.map(({ name }, i) => ({
                    label: name,
                    checked: category === name,
                    apart: i === 0,
                    run: () => {
                      app.filter.value = 'all'
                      app.category.value = name
                    },
                  })),
                  {
                    label: t('conversations'),
                    checked: settings.peek().conversations,
                    apart: true,
                    run: () => set({ conversations: !settings.peek().conversations }),
                  },
                ],
                event,
              )
            }
          />
        )}
      </header>
      {place.kind === 'folder' &&
        mailbox?.role === 'inbox' &&
        settings.value.focused &&
        filter === 'all' &&
        category === undefined && <Tabs />}
    </>
  )
}

/** The two parts of a parted Inbox. */
function Tabs(): JSX.Element {
  const tab = app.tab.value
  return (
    <div class="tabs" role="group" aria-label={t('focusedInbox')}>
      {(['focused', 'other'] as const).map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={tab === one}
          onClick={() => {
            app.tab.value = one
            app.open(undefined, { replace: true })
          }}
        >
          {t(one)}
        </button>
      ))}
    </div>
  )
}

/** Everywhere, or only in the folder one came from. */
function Scope({ text, within }: { readonly text: string; readonly within: string | undefined }): JSX.Element | null {
  const folder = app.store.mailboxes.value.get(within ?? app.lastMailbox.value ?? '')
  if (folder === undefined) return null
  const go = (scope: string | undefined): void =>
    app.go({ kind: 'search', text, within: scope, email: undefined }, { replace: true })
  return (
    <div class="scope">
      <button type="button" aria-pressed={within === undefined} onClick={() => go(undefined)}>
        {t('everywhere')}
      </button>
      <button type="button" aria-pressed={within !== undefined} dir="auto" onClick={() => go(folder.id)}>
        {folderName(folder)}
      </button>
    </div>
  )
}

function SelectionHead(): JSX.Element {
  const rows = [...app.selected.value]
  const list = app.list.value
  const total = list?.total.value ?? 0
  const known = list?.known().length ?? 0
  const whole = app.wholeFolder.value
  const unread = rows.some(isUnread)
  const flagged = rows.every(isFlagged)
  const may = app.may.value
  return (
    <>
      <header class="list-head selection">
        <IconButton icon="close" label={t('selectNone')} keyHint={hintOf('back')} onClick={back} />
        <span class="list-count" aria-live="polite">
          {t('selected', { n: whole ? total : rows.length })}
        </span>
        <span class="grow" />
        {may.remove && app.store.byRole.value.has('archive') && (
          <IconButton
            icon="archive"
            label={t('toArchive')}
            keyHint={hintOf('archive')}
            onClick={() => void archive(rows)}
          />
        )}
        {may.remove && (
          <IconButton icon="trash" label={t('toTrash')} keyHint={hintOf('trash')} onClick={() => void trash(rows)} />
        )}
        {may.remove && (
          <IconButton
            icon="move"
            label={t('moveTo')}
            keyHint={hintOf('move')}
            onClick={() => {
              app.shown.value = 'move'
            }}
          />
        )}
        {may.mark && (
          <IconButton
            icon={unread ? 'read' : 'unread'}
            label={t(unread ? 'markRead' : 'markUnread')}
            onClick={() => void setRead(rows, unread)}
          />
        )}
        {may.mark && (
          <IconButton
            class="can-wait"
            icon="flag"
            filled={flagged}
            label={t(flagged ? 'unflag' : 'flag')}
            onClick={() => setFlag(rows, !flagged)}
          />
        )}
        <IconButton
          icon="more"
          label={t('more')}
          expanded={false}
          onClick={(event) => openMenu(t('actions'), rowItems(rows[0] ?? ''), event)}
        />
      </header>
      <div class="list-all">
        {rows.length < known && (
          <button type="button" class="link-button" onClick={selectAll}>
            {t('selectAll')}
          </button>
        )}
        {/* Rows that arrive meanwhile take the offer not away again. */}
        {rows.length >= Math.min(known, PAGE) && rows.length < total && !whole && app.sharedBy === undefined && (
          <button
            type="button"
            class="link-button"
            onClick={() => {
              app.wholeFolder.value = true
            }}
          >
            <Icon name="check" /> {t('selectWhole', { n: total })}
          </button>
        )}
      </div>
    </>
  )
}
