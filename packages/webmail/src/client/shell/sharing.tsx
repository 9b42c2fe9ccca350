/** Who else sees a folder: people of the directory, each with what they may do; RFC 9670. */
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { app, folderName } from '../app.ts'
import { OfflineError } from '../jmap/client.ts'
import type { Id, Mailbox, Principal, Rights } from '../jmap/types.ts'
import { t, type TextKey } from '../text/text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Sheet } from '../ui/dialog.tsx'
import { folderToShare } from './folders.tsx'

const WAIT_MS = 150
const MOST = 8
type Given = Partial<Rights>
const read: Given = { mayReadItems: true }
const edit: Given = { ...read, mayAddItems: true, mayRemoveItems: true, maySetSeen: true, maySetKeywords: true }
const own: Given = { ...edit, mayCreateChild: true, mayRename: true, mayDelete: true, mayShare: true }
const levels = { read, edit, own } as const
type Level = keyof typeof levels
const names: Readonly<Record<Level, TextKey>> = { read: 'shareRead', edit: 'shareEdit', own: 'shareOwn' }
const same = (a: Given, b: Given): boolean =>
  Object.keys(own).every((name) => (a[name as keyof Given] === true) === (b[name as keyof Given] === true))
/** Undefined: something between, given by another program. */
const levelOf = (given: Given): Level | undefined =>
  (Object.keys(levels) as Level[]).find((one) => same(levels[one], given))

const close = (): void => {
  folderToShare.value = undefined
  app.shown.value = undefined
}
const failed = (error: unknown): void => app.tell(t(error instanceof OfflineError ? 'offlineBar' : 'failed'))

export function Sharing(): JSX.Element | null {
  const [mailbox] = useState(() => folderToShare.peek())
  return mailbox === undefined ? null : <Shares mailbox={mailbox} />
}

function Shares({ mailbox }: { readonly mailbox: Mailbox }): JSX.Element {
  const [given, setGiven] = useState<Readonly<Record<Id, Given>>>()
  const [people, setPeople] = useState<ReadonlyMap<Id, Principal>>(new Map())
  const readAgain = async (): Promise<void> => {
    const { list } = await app.client.call('Mailbox/get', { ids: [mailbox.id], properties: ['shareWith'] })
    const now = list[0]?.shareWith ?? {}
    const found = await app.client.call('Principal/get', { ids: Object.keys(now) })
    setPeople(new Map(found.list.map((one) => [one.id, one])))
    setGiven(now)
  }
  useEffect(() => void readAgain().catch(failed), [])
  const change = async (id: Id, rights: Given | null): Promise<void> => {
    const { notUpdated } = await app.client.call('Mailbox/set', {
      update: { [mailbox.id]: { [`shareWith/${id}`]: rights } },
    })
    const problem = notUpdated?.[mailbox.id]
    if (problem !== undefined) app.tell(t('refused', { problem: problem.description ?? problem.type }))
    else app.said.value = t('saved')
    await readAgain()
  }
  const ids = Object.keys(given ?? {})
  return (
    <Sheet label={t('shareNamed', { name: folderName(mailbox) })} onClose={close}>
      <div class="sheet-body people">
        <Finder taken={new Set(ids)} onPick={(id) => void change(id, read).catch(failed)} />
        <p class="hint" role="status">
          {given === undefined ? '' : t(ids.length === 0 ? 'shareNobody' : 'shareWho')}
        </p>
        <ul class="lines">
          {ids.map((id) => {
            const { name = '', email = '' } = people.get(id) ?? {}
            const level = levelOf(given?.[id] ?? {})
            return (
              <li class="person" key={id}>
                <Avatar address={{ name, email }} />
                <span class="line-text">
                  <span dir="auto">{name || email}</span>
                </span>
                <select
                  aria-label={t('shareMay', { name: name || email })}
                  value={level ?? ''}
                  onChange={(event) => {
                    const { value } = event.currentTarget
                    void change(id, value === 'none' ? null : levels[value as Level]).catch(failed)
                  }}
                >
                  {level === undefined && <option value="">{t('shareOther')}</option>}
                  {(Object.keys(levels) as Level[]).map((one) => (
                    <option key={one} value={one}>
                      {t(names[one])}
                    </option>
                  ))}
                  <option value="none">{t('shareEnd')}</option>
                </select>
              </li>
            )
          })}
        </ul>
      </div>
    </Sheet>
  )
}

/** Looks through the directory as one types. */
function Finder({
  taken,
  onPick,
}: {
  readonly taken: ReadonlySet<Id>
  readonly onPick: (id: Id) => void
}): JSX.Element {
  const [text, setText] = useState('')
  const [found, setFound] = useState<readonly Principal[]>([])
  const turn = useRef(0)
  useEffect(() => {
    const mine = ++turn.current
    if (text.trim() === '') return setFound([])
    const timer = setTimeout(() => {
      const query = app.client.call('Principal/query', { filter: { text: text.trim() }, limit: MOST })
      app.client.call('Principal/get', { ids: query.ref('/ids') }).then(({ list }) => {
        if (mine === turn.current) setFound(list)
      }, failed)
    }, WAIT_MS)
    return () => clearTimeout(timer)
  }, [text])
  return (
    <>
      <label class="field">
        <span>{t('shareAdd')}</span>
        <input
          type="search"
          autofocus
          autocomplete="off"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <ul class="lines">
        {found
          .filter(({ id, email }) => !taken.has(id) && email !== app.signedInAs)
          .map(({ id, name, email }) => (
            <li class="person" key={id}>
              <Avatar address={{ name, email }} />
              <span class="line-text">
                <span dir="auto">{name}</span> <small>{email}</small>
              </span>
              <button
                type="button"
                class="button"
                aria-label={t('shareWith', { name: name || email })}
                onClick={() => {
                  setText('')
                  onPick(id)
                }}
              >
                {t('share')}
              </button>
            </li>
          ))}
      </ul>
    </>
  )
}
