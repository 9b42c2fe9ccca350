/** Lists the user keeps: categories, blocked and safe senders. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { SetAnswer } from '../jmap/methods.ts'
import type { SenderLists } from '../jmap/types.ts'
import { t } from '../text/text.ts'
import { COLOURS, Spot } from '../ui/category.tsx'
import { ask } from '../ui/dialog.tsx'
import { IconButton } from '../ui/icon.tsx'
import { openMenu } from '../ui/menu.tsx'

/** Tells what the server refused; true when it refused nothing. */
function told(answer: SetAnswer): boolean {
  const [problem] = Object.values({ ...answer.notCreated, ...answer.notUpdated, ...answer.notDestroyed })
  if (problem === undefined) return true
  app.tell(
    problem.type === 'alreadyExists'
      ? t('alreadyThere')
      : t('refused', { problem: problem.description ?? problem.type }),
  )
  return false
}

export function CategoryList(): JSX.Element {
  const [name, setName] = useState('')
  const change = async (args: Parameters<typeof app.client.call<'Category/set'>>[1]): Promise<boolean> => {
    const done = told(await app.client.call('Category/set', args))
    const { list } = await app.client.call('Category/get', { ids: null })
    app.store.categories.value = list
    return done
  }
  const guarded = (args: Parameters<typeof change>[0], after: () => void = () => {}): void =>
    void change(args).then(
      (done) => {
        if (done) after()
      },
      () => app.tell(t('failed')),
    )
  const all = app.store.categories.value
  return (
    <>
      <ul class="lines">
        {all.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              class="spot-button"
              aria-label={t('colourOf', { name: one.name })}
              onClick={(event) =>
                openMenu(
                  t('colourOf', { name: one.name }),
                  Array.from({ length: COLOURS }, (_, color) => ({
                    label: t('colourN', { n: color + 1 }),
                    checked: one.color === color,
                    run: () => guarded({ update: { [one.id]: { color } } }),
                  })),
                  event.currentTarget,
                )
              }
            >
              <Spot color={one.color} />
            </button>
            <span class="line-text" dir="auto">
              {one.name}
            </span>
            <IconButton
              icon="trash"
              label={t('removeNamed', { name: one.name })}
              onClick={() => {
                void ask(t('sureRemove', { name: one.name }), t('remove')).then((yes) => {
                  if (yes) guarded({ destroy: [one.id] })
                })
              }}
            />
          </li>
        ))}
      </ul>
      <form
        class="inline-form"
        onSubmit={(event) => {
          event.preventDefault()
          guarded({ create: { new: { name, color: all.length % COLOURS } } }, () => setName(''))
        }}
      >
        <label class="field">
          <span>{t('newCategory')}</span>
          <input
            type="text"
            value={name}
            dir="auto"
            required
            maxLength={255}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button">
          {t('create')}
        </button>
      </form>
    </>
  )
}

export function Senders(): JSX.Element {
  const [lists, setLists] = useState<SenderLists>()
  useEffect(() => {
    app.client.call('SenderLists/get', { ids: null }).then(
      ({ list }) => setLists(list[0]),
      () => app.tell(t('failed')),
    )
  }, [])
  if (lists === undefined) return <div class="coming" aria-busy="true" />
  const save = (next: SenderLists): PromiseLike<boolean> =>
    app.client.call('SenderLists/set', { update: { singleton: { blocked: next.blocked, safe: next.safe } } }).then(
      (answer) => {
        const problem = answer.notUpdated?.singleton
        if (problem !== undefined) {
          app.tell(t('badSender'))
          return false
        }
        const kept = answer.updated?.singleton as Partial<SenderLists> | null | undefined
        setLists({ ...next, ...kept })
        return true
      },
      () => {
        app.tell(t('failed'))
        return false
      },
    )
  return (
    <>
      {(['blocked', 'safe'] as const).map((one) => (
        <SenderList
          key={one}
          title={t(one === 'blocked' ? 'blockedSenders' : 'safeSenders')}
          hint={t(one === 'blocked' ? 'blockedHint' : 'safeHint')}
          value={lists[one]}
          onChange={(value) => save({ ...lists, [one]: value })}
        />
      ))}
    </>
  )
}

function SenderList({
  title,
  hint,
  value,
  onChange,
}: {
  readonly title: string
  readonly hint: string
  readonly value: readonly string[]
  readonly onChange: (value: readonly string[]) => PromiseLike<boolean>
}): JSX.Element {
  const [text, setText] = useState('')
  return (
    <section class="part wide" aria-label={title}>
      <h3>{title}</h3>
      <p class="hint">{hint}</p>
      <form
        class="inline-form"
        onSubmit={(event) => {
          event.preventDefault()
          void onChange([...value, text.trim()]).then((done) => {
            if (done) setText('')
          })
        }}
      >
        <label class="field">
          <span>{t('addressOrDomain')}</span>
          <input type="text" value={text} required onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <button type="submit" class="button">
          {t('add')}
        </button>
      </form>
      <ul class="lines">
        {value.map((one) => (
          <li key={one}>
            <span class="line-text">{one}</span>
            <IconButton
              icon="close"
              label={t('removeNamed', { name: one })}
              onClick={() => void onChange(value.filter((other) => other !== one))}
            />
          </li>
        ))}
      </ul>
    </section>
  )
}
