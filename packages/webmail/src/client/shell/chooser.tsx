/** A field and the choices that fit what is typed: `role=combobox` with a listbox. */
import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { Icon, type IconName } from '../ui/icon.tsx'
import { t } from '../text/text.ts'

export interface Choice {
  readonly label: string
  readonly icon?: IconName | undefined
  readonly level?: number
  readonly keyHint?: string | undefined
  readonly run: () => void
}

/** Letters in order, beginnings of words first. */
export function fits(text: string, label: string): number {
  const wanted = fold(text)
  const has = fold(label)
  if (wanted === '') return 1
  const at = has.indexOf(wanted)
  if (at === 0) return 4
  if (at > 0) return /\s/.test(has[at - 1] ?? '') ? 3 : 2
  let from = 0
  for (const c of wanted) {
    from = has.indexOf(c, from) + 1
    if (from === 0) return 0
  }
  return 1
}
const fold = (text: string): string => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim()

export function Chooser({
  label,
  choices,
  onClose,
}: {
  readonly label: string
  readonly choices: readonly Choice[]
  readonly onClose: () => void
}): JSX.Element {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const found =
    text.trim() === ''
      ? choices
      : choices
          .map((choice) => ({ choice, rank: fits(text, choice.label) }))
          .filter(({ rank }) => rank > 0)
          .sort((a, b) => b.rank - a.rank)
          .map(({ choice }) => choice)
  useEffect(() => list.current?.querySelector('[aria-selected=true]')?.scrollIntoView({ block: 'nearest' }), [at])
  const pick = (choice: Choice | undefined): void => {
    if (choice === undefined) return
    onClose()
    choice.run()
  }
  return (
    <div class="chooser">
      <input
        type="text"
        role="combobox"
        aria-label={label}
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={found.length > 0 ? `${id}-${at}` : undefined}
        aria-autocomplete="list"
        placeholder={label}
        value={text}
        autofocus
        onInput={(event) => {
          setText(event.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={(event) => {
          if (event.key === 'ArrowDown') setAt(Math.min(found.length - 1, at + 1))
          else if (event.key === 'ArrowUp') setAt(Math.max(0, at - 1))
          else if (event.key === 'Enter') pick(found[at])
          else return
          event.preventDefault()
        }}
      />
      <div ref={list} id={id} class="choices" role="listbox" aria-label={label}>
        {found.map((choice, i) => (
          <div
            key={`${choice.label}${i}`}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            class="choice"
            aria-selected={i === at}
            style={{ '--level': text === '' ? (choice.level ?? 0) : 0 }}
            onPointerMove={() => setAt(i)}
            onClick={() => pick(choice)}
          >
            <span class="menu-icon">{choice.icon !== undefined && <Icon name={choice.icon} />}</span>
            <span class="menu-label" dir="auto">
              {choice.label}
            </span>
            {choice.keyHint !== undefined && <kbd>{choice.keyHint}</kbd>}
          </div>
        ))}
      </div>
      {found.length === 0 && (
        <p class="choices-none" role="status">
          {t('emptySearch')}
        </p>
      )}
    </div>
  )
}
