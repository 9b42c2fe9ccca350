/** The search field: results while one types; Escape empties it; what was asked before is offered. */
import type { JSX } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { focusList } from '../commands.ts'
import { t } from '../text/text.ts'
import { Icon, IconButton } from '../ui/icon.tsx'

/** Between two keys of a fast writer: each answer that can still be looked at is asked for. */
const WAIT_MS = 40
const RECENT = 'postrider.searches'
const readRecent = (): string[] => {
  try {
    return JSON.parse(localStorage.getItem(RECENT) ?? '[]') as string[]
  } catch {
    return []
  }
}

export function SearchField(): JSX.Element {
  const place = app.place.value
  const asked = place.kind === 'search' ? place.text : ''
  const within = place.kind === 'search' ? place.within : undefined
  const [text, setText] = useState(asked)
  const [focused, setFocused] = useState(false)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const id = useId()
  // Going elsewhere empties the field; going back fills it. What was asked from here is behind what is being typed meanwhile.
  const sent = useRef(asked)
  useEffect(() => {
    if (asked !== sent.current) setText(asked)
    sent.current = asked
  }, [asked])

  const search = (value: string, scope: string | undefined = within): void => {
    const before = app.place.peek()
    sent.current = value.trim() === '' ? '' : value
    if (value.trim() === '') {
      if (before.kind === 'search') app.goFolder(scope === undefined ? 'inbox' : scope)
    } else
      app.go({ kind: 'search', text: value, within: scope, email: undefined }, { replace: before.kind === 'search' })
  }
  const keep = (value: string): void => {
    const word = value.trim()
    if (word !== '')
      localStorage.setItem(RECENT, JSON.stringify([word, ...readRecent().filter((one) => one !== word)].slice(0, 6)))
  }
  return (
    <form
      class="search"
      role="search"
      onSubmit={(event) => {
        event.preventDefault()
        clearTimeout(timer.current)
        search(text)
        keep(text)
        focusList()
      }}
    >
      <Icon name="search" />
      <input
        id="search"
        type="search"
        autocomplete="off"
        enterkeyhint="search"
        aria-label={t('searchMail')}
        aria-describedby={`${id}-help`}
        placeholder={t('searchMail')}
        value={text}
        dir="auto"
        onFocus={() => setFocused(true)}
        onBlur={() => {
          setTimeout(() => setFocused(false), 150)
          if (app.place.peek().kind === 'search') keep(text)
        }}
        onInput={(event) => {
          const { value } = event.currentTarget
          setText(value)
          clearTimeout(timer.current)
          timer.current = setTimeout(() => search(value), WAIT_MS)
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            event.preventDefault()
            event.stopPropagation()
            clearTimeout(timer.current)
            if (text === '') event.currentTarget.blur()
            setText('')
            search('')
          } else if (event.key === 'ArrowDown') {
            event.preventDefault()
            focusList()
          }
        }}
      />
      {text !== '' && (
        <IconButton
          icon="close"
          label={t('clearSearch')}
          onClick={() => {
            setText('')
            search('')
          }}
        />
      )}
      <span id={`${id}-help`} class="visually-hidden">
        {t('searchHelp')}
      </span>
      {focused && text === '' && (
        <div class="search-drop">
          {readRecent().map((one) => (
            <button
              key={one}
              type="button"
              class="menu-item"
              onPointerDown={(event) => {
                event.preventDefault()
                setText(one)
                search(one)
              }}
            >
              <span class="menu-icon">
                <Icon name="clock" />
              </span>
              <span class="menu-label">{one}</span>
            </button>
          ))}
          <p class="search-help" aria-hidden="true">
            {t('searchHelp')}
          </p>
        </div>
      )}
    </form>
  )
}
