/** The lines above the text: who writes, to whom, about what. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { Address, Identity } from '../jmap/types.ts'
import { lazy, Suspense } from '../shell/lazy.tsx'
import { t } from '../text/text.ts'
import { IconButton } from '../ui/icon.tsx'
import type { Beginning } from './open.ts'
import { Recipients } from './recipients.tsx'
import { SubjectField } from './subject.tsx'

export type Kind = 'to' | 'cc' | 'bcc'
export type Addressed = Readonly<Record<Kind, readonly Address[]>>

const People = lazy(() => import('../shell/people.tsx').then((one) => one.People))

export function Heading({
  start,
  identities,
  identity,
  addressed,
  subject,
  onIdentity,
  onAddressed,
  onSubject,
}: {
  readonly start: Beginning
  readonly identities: readonly Identity[]
  readonly identity: Identity | undefined
  readonly addressed: Addressed
  readonly subject: string
  readonly onIdentity: (id: string) => void
  readonly onAddressed: (kind: Kind, list: readonly Address[]) => void
  readonly onSubject: (subject: string) => void
}): JSX.Element {
  const [more, setMore] = useState<ReadonlySet<Kind>>(
    new Set((['cc', 'bcc'] as const).filter((one) => start[one].length > 0)),
  )
  const [looking, setLooking] = useState(false)
  const taken = new Set(
    (['to', 'cc', 'bcc'] as const).flatMap((one) => addressed[one].map(({ email }) => email.toLowerCase())),
  )
  return (
    <>
      {looking && (
        <Suspense
          of={People}
          taken={taken}
          onClose={() => setLooking(false)}
          onPick={(kind: Kind, person: Address) => {
            if (kind !== 'to') setMore(new Set([...more, kind]))
            onAddressed(kind, [...addressed[kind], person])
          }}
        />
      )}
      {identities.length > 1 && (
        <label class="compose-line">
          <span>{t('from')}</span>
          <select value={identity?.id} onChange={(event) => onIdentity(event.currentTarget.value)}>
            {identities.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name === '' ? one.email : `${one.name} <${one.email}>`}
              </option>
            ))}
          </select>
        </label>
      )}
      <div class="compose-line">
        <Recipients
          label={t('to')}
          value={addressed.to}
          onChange={(list) => onAddressed('to', list)}
          focus={start.focus === 'to'}
        />
        <IconButton icon="people" label={t('peopleAdd')} onClick={() => setLooking(true)} />
        {(['cc', 'bcc'] as const)
          .filter((one) => !more.has(one))
          .map((one) => (
            <button key={one} type="button" class="link-button" onClick={() => setMore(new Set([...more, one]))}>
              {t(one)}
            </button>
          ))}
      </div>
      {(['cc', 'bcc'] as const)
        .filter((one) => more.has(one))
        .map((one) => (
          <div key={one} class="compose-line">
            <Recipients
              label={t(one)}
              value={addressed[one]}
              onChange={(list) => onAddressed(one, list)}
              focus={start[one].length === 0}
            />
          </div>
        ))}
      <SubjectField class="compose-line" value={subject} onInput={onSubject} />
    </>
  )
}
