/** Questions and sheets on the `dialog` element: the browser keeps the focus in and gives it back. */
import { type Signal, signal } from '@preact/signals'
import type { ComponentChildren, JSX } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { t } from '../text/text.ts'
import { IconButton } from './icon.tsx'

interface SheetProps {
  readonly label: string
  readonly onClose: () => void
  readonly class?: string
  readonly children: ComponentChildren
  /** Without a title line. */
  readonly bare?: boolean
}

export function Sheet({ label, onClose, class: name = '', children, bare = false }: SheetProps): JSX.Element {
  const ref = useRef<HTMLDialogElement>(null)
  const title = useId()
  // Before anything is painted or typed: the browser puts the focus where `autofocus` says.
  useLayoutEffect(() => {
    const dialog = ref.current
    dialog?.showModal()
    return () => dialog?.close()
  }, [])
  return (
    <dialog
      ref={ref}
      class={`sheet ${name}`}
      aria-label={bare ? label : undefined}
      aria-labelledby={bare ? undefined : title}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => {
        if (event.target === ref.current) onClose()
      }}
    >
      {!bare && (
        <header class="sheet-head">
          <h2 id={title}>{label}</h2>
          <IconButton icon="close" label={t('close')} onClick={onClose} />
        </header>
      )}
      {children}
    </dialog>
  )
}

interface Question {
  readonly text: string
  readonly yes: string
  readonly input?:
    | { readonly label: string; readonly value: string; readonly type?: 'url' | 'datetime-local' }
    | undefined
  readonly answer: (value: string | undefined) => void
}
const question: Signal<Question | undefined> = signal(undefined)

/** Asks yes or no. */
export const ask = (text: string, yes: string): Promise<boolean> =>
  new Promise((resolve) => {
    question.value = { text, yes, answer: (value) => resolve(value !== undefined) }
  })
/** Asks for a text; undefined when the user does not want to. */
export const askText = (
  text: string,
  yes: string,
  input: { readonly label: string; readonly value: string; readonly type?: 'url' | 'datetime-local' },
): Promise<string | undefined> =>
  new Promise((resolve) => {
    question.value = { text, yes, input, answer: resolve }
  })

export function Questions(): JSX.Element | null {
  const now = question.value
  return now === undefined ? null : <Asking key={now.text} {...now} />
}

function Asking({ text, yes, input, answer }: Question): JSX.Element {
  const [value, setValue] = useState(input?.value ?? '')
  const close = (result: string | undefined): void => {
    question.value = undefined
    answer(result)
  }
  return (
    <Sheet label={text} bare class="question" onClose={() => close(undefined)}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault()
          close(value)
        }}
      >
        <p>{text}</p>
        {input !== undefined && (
          <label class="field">
            <span>{input.label}</span>
            <AnswerField type={input.type ?? 'text'} value={value} onInput={setValue} />
          </label>
        )}
        <div class="question-acts">
          <button type="button" class="button" onClick={() => close(undefined)}>
            {t('cancel')}
          </button>
          <button type="submit" class="button primary">
            {yes}
          </button>
        </div>
      </form>
    </Sheet>
  )
}

/** The types of inputs are told apart by the types of their props; each is written out. */
function AnswerField({
  type,
  value,
  onInput,
}: {
  readonly type: 'text' | 'url' | 'datetime-local'
  readonly value: string
  readonly onInput: (value: string) => void
}): JSX.Element {
  const take = (event: { readonly currentTarget: HTMLInputElement }): void => onInput(event.currentTarget.value)
  if (type === 'url') return <input autofocus type="url" value={value} required onInput={take} />
  if (type === 'datetime-local') return <input autofocus type="datetime-local" value={value} required onInput={take} />
  return <input autofocus type="text" value={value} required dir="auto" onInput={take} />
}
