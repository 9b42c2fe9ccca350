/** Which categories mails have: a list to tick, and a field for a new one. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { app } from '../app.ts'
import { t } from '../text/text.ts'
import { COLOURS, Spot } from '../ui/category.tsx'
import { Sheet } from '../ui/dialog.tsx'
import { targets } from './acts.ts'
import { categorise } from './marking.ts'

export function Categorise(): JSX.Element {
  const [rows] = useState(() => targets())
  const [name, setName] = useState('')
  const all = app.store.categories.value
  const emails = rows.flatMap((row) => app.store.email(row).value ?? [])
  const listed = new Set(all.map((one) => one.name))
  // Names a phone or another program gave that are in no list.
  const others = [...new Set(emails.flatMap((one) => Object.keys(one.categories ?? {})))].filter(
    (one) => !listed.has(one),
  )
  const add = async (): Promise<void> => {
    const wanted = name.trim()
    if (wanted === '') return
    const known = all.find((one) => one.name.toLowerCase() === wanted.toLowerCase())
    if (known === undefined) {
      const { notCreated } = await app.client.call('Category/set', {
        create: { new: { name: wanted, color: all.length % COLOURS } },
      })
      const problem = notCreated?.new
      if (problem !== undefined) return app.tell(t('refused', { problem: problem.description ?? problem.type }))
      const { list } = await app.client.call('Category/get', { ids: null })
      app.store.categories.value = list
    }
    setName('')
    await categorise(rows, known?.name ?? wanted, true)
  }
  return (
    <Sheet
      label={t('categories')}
      onClose={() => {
        app.shown.value = undefined
      }}
    >
      <div class="sheet-body">
        <ul class="ticks">
          {[...all.map(({ name: one, color }) => ({ one, color })), ...others.map((one) => ({ one, color: -1 }))].map(
            ({ one, color }) => {
              const has = emails.filter((email) => email.categories?.[one] === true).length
              return (
                <li key={one}>
                  <label>
                    <input
                      type="checkbox"
                      checked={has > 0 && has === emails.length}
                      indeterminate={has > 0 && has < emails.length}
                      onChange={(event) => void categorise(rows, one, event.currentTarget.checked)}
                    />
                    <Spot color={color} />
                    <span dir="auto">{one}</span>
                  </label>
                </li>
              )
            },
          )}
        </ul>
        <form
          class="inline-form"
          onSubmit={(event) => {
            event.preventDefault()
            void add().catch(() => app.tell(t('failed')))
          }}
        >
          <label class="field">
            <span>{t('newCategory')}</span>
            <input
              type="text"
              value={name}
              dir="auto"
              maxLength={255}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          </label>
          <button type="submit" class="button">
            {t('create')}
          </button>
        </form>
      </div>
    </Sheet>
  )
}
