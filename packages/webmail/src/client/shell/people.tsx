/** The organisation's directory: looked through as one types; write to somebody, or add him to what is being written. */
import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { Kind } from '../compose/heading.tsx'
import { compose } from '../compose/open.ts'
import { OfflineError } from '../jmap/client.ts'
import type { Address, Person } from '../jmap/types.ts'
import { t, type TextKey } from '../text/text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Sheet } from '../ui/dialog.tsx'

const WAIT_MS = 150
const MOST = 30
const addressOf = ({ name, email }: Person): Address => ({ name: name === '' ? null : name, email })
const kinds: Readonly<Record<Person['kind'], TextKey | undefined>> = {
  person: undefined,
  shared: 'personShared',
  room: 'personRoom',
  equipment: 'personEquipment',
  group: 'personGroup',
}
const facts = [
  ['personTitle', 'title'],
  ['personDepartment', 'department'],
  ['personCompany', 'company'],
  ['personOffice', 'office'],
  ['personPhone', 'phone'],
  ['personMobile', 'mobile'],
] as const

interface Props {
  readonly onClose: () => void
  /** While one writes: where somebody is added, and who is there already. */
  readonly onPick?: (kind: Kind, person: Address) => void
  readonly taken?: ReadonlySet<string>
}

export function People({ onClose, onPick, taken }: Props): JSX.Element {
  const [text, setText] = useState('')
  const [found, setFound] = useState<{ readonly list: readonly Person[]; readonly total: number }>()
  const [problem, setProblem] = useState('')
  const turn = useRef(0)
  useEffect(() => {
    const mine = ++turn.current
    const timer = setTimeout(
      () => {
        app.client.call('Person/find', { text, limit: MOST }).then(
          (answer) => {
            if (mine !== turn.current) return
            setFound(answer)
            setProblem('')
          },
          (error: unknown) => {
            if (mine === turn.current) setProblem(t(error instanceof OfflineError ? 'offlineBar' : 'failed'))
          },
        )
      },
      found === undefined ? 0 : WAIT_MS,
    )
    return () => clearTimeout(timer)
  }, [text])
  return (
    <Sheet label={t('people')} onClose={onClose}>
      <div class="sheet-body people">
        <label class="field">
          <span>{t('peopleSearch')}</span>
          <input
            type="search"
            autofocus
            autocomplete="off"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        {problem !== '' && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <p class="hint" role="status">
          {found === undefined
            ? ''
            : found.total > found.list.length
              ? t('peopleMore', { n: found.list.length, total: found.total })
              : t('peopleFound', { n: found.total })}
        </p>
        <ul class="lines">
          {found?.list.map((one) => (
            <PersonLine key={one.email} person={one} onClose={onClose} onPick={onPick} taken={taken} />
          ))}
        </ul>
      </div>
    </Sheet>
  )
}

function PersonLine({
  person,
  onClose,
  onPick,
  taken,
}: Omit<Props, 'onPick' | 'taken'> & {
  readonly person: Person
  readonly onPick: Props['onPick'] | undefined
  readonly taken: Props['taken'] | undefined
}): JSX.Element {
  const [open, setOpen] = useState(false)
  const details = useId()
  const kind = kinds[person.kind]
  const under = [kind === undefined ? '' : t(kind), person.title, person.department, person.email]
  const name = person.name === '' ? person.email : person.name
  return (
    <li class="person">
      <Avatar address={addressOf(person)} />
      <button
        type="button"
        class="line-text person-name"
        aria-expanded={open}
        aria-controls={details}
        onClick={() => setOpen(!open)}
      >
        <strong dir="auto">{name}</strong>
        <small dir="auto">{under.filter(Boolean).join(' · ')}</small>
      </button>
      {onPick === undefined ? (
        <button
          type="button"
          class="button"
          aria-label={t('writeToNamed', { name })}
          onClick={() => {
            onClose()
            compose({ to: [addressOf(person)], focus: 'text' })
          }}
        >
          {t('writeTo')}
        </button>
      ) : taken?.has(person.email.toLowerCase()) === true ? (
        <span class="hint">{t('added')}</span>
      ) : (
        <span class="person-adds">
          {(['to', 'cc', 'bcc'] as const).map((one) => (
            <button
              key={one}
              type="button"
              class="button"
              aria-label={t('addNamed', { name, field: t(one) })}
              onClick={() => onPick(one, addressOf(person))}
            >
              {t(one)}
            </button>
          ))}
        </span>
      )}
      <dl id={details} class="person-facts" hidden={!open}>
        <dt>{t('personAddress')}</dt>
        <dd>{person.email}</dd>
        {facts.map(([label, key]) => {
          const value = person[key] ?? ''
          return (
            value !== '' && (
              <>
                <dt>{t(label)}</dt>
                <dd dir="auto">{value}</dd>
              </>
            )
          )
        })}
        {person.members !== undefined && (
          <>
            <dt>{t('personMembers', { n: person.memberCount ?? 0 })}</dt>
            <dd>{person.members.join(', ')}</dd>
          </>
        )}
        {onPick === undefined && (
          <dd>
            <button
              type="button"
              class="link-button"
              onClick={() => {
                onClose()
                app.go({ kind: 'search', text: `from:${person.email}`, within: undefined, email: undefined })
              }}
            >
              {t('mailsOf')}
            </button>
          </dd>
        )}
      </dl>
    </li>
  )
}
