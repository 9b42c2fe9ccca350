/** A field of recipients: addresses as chips, completed from those one wrote with. */
import { signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useId, useRef, useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { Address } from '../jmap/types.ts'
import { fits } from '../shell/chooser.tsx'
import { fullAddress, nameOf, t } from '../text/text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Icon } from '../ui/icon.tsx'
import { isAddress, readAddresses } from './address.ts'

interface Known {
  readonly address: Address
  readonly times: number
}
const correspondents = signal<ReadonlyMap<string, Known>>(new Map())
let asked = false

/** Whom one wrote to and heard from: the last sent mails count three times. */
async function readCorrespondents(): Promise<void> {
  const found = new Map<string, Known>()
  const count = (all: readonly Address[] | null, times: number): void => {
    for (const address of all ?? []) {
      if (!isAddress(address.email)) continue
      const key = address.email.toLowerCase()
      const before = found.get(key)
      found.set(key, {
        address: before?.address.name != null ? before.address : address,
        times: (before?.times ?? 0) + times,
      })
    }
  }
  for (const email of app.store.loaded()) count(email.from, 1)
  correspondents.value = new Map(found)
  if (asked) return
  asked = true
  const sent = app.store.byRole.peek().get('sent')
  if (sent === undefined) return
  try {
    const query = app.client.call('Email/query', {
      filter: { inMailbox: sent.id },
      sort: [{ property: 'receivedAt', isAscending: false }],
      limit: 200,
    })
    const { list } = await app.client.call('Email/get', { ids: query.ref('/ids'), properties: ['to', 'cc'] })
    for (const one of list) {
      count(one.to, 3)
      count(one.cc, 3)
    }
    correspondents.value = found
  } catch {
    asked = false
  }
}

interface Props {
  readonly label: string
  readonly value: readonly Address[]
  readonly onChange: (value: readonly Address[]) => void
  readonly focus?: boolean
}

export function Recipients({ label, value, onChange, focus = false }: Props): JSX.Element {
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const [focused, setFocused] = useState(false)
  const id = useId()
  const input = useRef<HTMLInputElement>(null)
  const taken = new Set(value.map((one) => one.email.toLowerCase()))
  const offers =
    focused && text.trim() !== ''
      ? [...correspondents.value.values()]
          .filter(({ address }) => !taken.has(address.email.toLowerCase()))
          .map((known) => ({
            known,
            rank: Math.max(fits(text, nameOf(known.address)), fits(text, known.address.email)),
          }))
          .filter(({ rank }) => rank > 1)
          .sort((a, b) => b.rank - a.rank || b.known.times - a.known.times)
          .slice(0, 6)
          .map(({ known }) => known.address)
      : []
  const add = (more: readonly Address[]): void => {
    const fresh = more.filter((one) => !taken.has(one.email.toLowerCase()))
    if (fresh.length > 0) onChange([...value, ...fresh])
    setText('')
    setAt(0)
  }
  const take = (): void => {
    if (text.trim() !== '') add(readAddresses(text))
  }
  return (
    <div class="recipients">
      <label for={id}>{label}</label>
      <div class="chips">
        {value.map((one) => (
          <span key={one.email} class={`chip ${isAddress(one.email) ? '' : 'bad'}`} title={fullAddress(one)}>
            <span dir="auto">{nameOf(one)}</span>
            <button
              type="button"
              aria-label={t('removeNamed', { name: nameOf(one) })}
              onClick={() => onChange(value.filter((other) => other !== one))}
            >
              <Icon name="close" />
            </button>
          </span>
        ))}
        <input
          ref={input}
          id={id}
          type="text"
          inputMode="email"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          role="combobox"
          aria-autocomplete="list"
          aria-expanded={offers.length > 0}
          aria-controls={`${id}-list`}
          aria-activedescendant={offers.length > 0 ? `${id}-${at}` : undefined}
          value={text}
          autofocus={focus}
          onFocus={() => {
            setFocused(true)
            void readCorrespondents()
          }}
          onBlur={() => {
            take()
            setFocused(false)
          }}
          onPaste={(event) => {
            const pasted = event.clipboardData?.getData('text/plain') ?? ''
            if (!/[,;\n<]/.test(pasted)) return
            event.preventDefault()
            add(readAddresses(pasted))
          }}
          onInput={(event) => {
            const now = event.currentTarget.value
            setAt(0)
            if (/[,;]$/.test(now)) add(readAddresses(now))
            else setText(now)
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown' && offers.length > 0) setAt((at + 1) % offers.length)
            else if (event.key === 'ArrowUp' && offers.length > 0) setAt((at + offers.length - 1) % offers.length)
            else if ((event.key === 'Enter' || event.key === 'Tab') && offers[at] !== undefined) add([offers[at]])
            else if (event.key === 'Enter' && text.trim() !== '') take()
            else if (event.key === 'Backspace' && text === '' && value.length > 0) onChange(value.slice(0, -1))
            else if (event.key === 'Escape' && offers.length > 0) setText('')
            else return
            event.preventDefault()
            event.stopPropagation()
          }}
        />
        <div
          id={`${id}-list`}
          class="offers"
          role="listbox"
          aria-label={t('addRecipients')}
          hidden={offers.length === 0}
        >
          {offers.map((one, i) => (
            <div
              key={one.email}
              id={`${id}-${i}`}
              role="option"
              tabIndex={-1}
              aria-selected={i === at}
              class="offer"
              onPointerDown={(event) => {
                event.preventDefault()
                add([one])
              }}
            >
              <Avatar address={one} />
              <span>
                <span dir="auto">{nameOf(one)}</span>
                {nameOf(one) !== one.email && <small>{one.email}</small>}
              </span>
            </div>
          ))}
        </div>
      </div>
    </div>
  )
}
