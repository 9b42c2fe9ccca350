/** Sweep: what is to become of all mail of one sender in this folder, now and later. What was done can be undone. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { markProperties } from '../../start.ts'
import { app, folderName } from '../app.ts'
import type { Email, Id } from '../jmap/types.ts'
import { marks } from '../store/acts.ts'
import { nameOf, t } from '../text/text.ts'
import { Sheet } from '../ui/dialog.tsx'
import { targets } from './acts.ts'

type Kind = 'all' | 'always' | 'latest' | 'old'
const OLD_DAYS = 10

/** Mails of the sender in the folder, the newest first. */
async function mailsFrom(address: string, mailbox: Id): Promise<Email[]> {
  const out: Email[] = []
  for (let position = 0; ; position += 500) {
    const query = app.client.call('Email/query', {
      filter: { inMailbox: mailbox, from: address },
      sort: [{ property: 'receivedAt', isAscending: false }],
      position,
      limit: 500,
    })
    const got = app.client.call('Email/get', { ids: query.ref('/ids'), properties: [...markProperties, 'from'] })
    const [{ ids }, { list }] = await Promise.all([query, got])
    app.store.putEmails(list, undefined)
    // The search looks for words; a sweep is for just this sender.
    out.push(
      ...list.filter((one) => one.from?.some((from) => from.email.toLowerCase() === address.toLowerCase()) === true),
    )
    if (ids.length < 500) return out
  }
}

export function Sweep(): JSX.Element | null {
  const [row] = useState(() => targets()[0])
  const [kind, setKind] = useState<Kind>('all')
  const [working, setWorking] = useState(false)
  const mailboxes = [...app.store.mailboxes.value.values()].filter((one) => one.myRights.mayAddItems)
  const trash = app.store.byRole.value.get('trash')
  const [to, setTo] = useState(trash?.id ?? '')
  const here = app.mailbox.value
  const sender = row === undefined ? undefined : app.store.email(row).peek()?.from?.[0]
  const close = (): void => {
    app.shown.value = undefined
  }
  if (here === undefined || sender === undefined) return null
  const run = async (): Promise<void> => {
    setWorking(true)
    try {
      const mails = await mailsFrom(sender.email, here.id)
      const limit = Date.now() - OLD_DAYS * 86_400_000
      const chosen = mails.filter((one, i) =>
        kind === 'latest' ? i > 0 : kind === 'old' ? Date.parse(one.receivedAt) < limit : true,
      )
      const { count, undo } = app.acts.change(
        chosen.map((one) => one.id),
        marks.move(here.id, to),
      )
      let rule: Id | undefined
      if (kind === 'always') {
        const answer = await app.client.call('Rule/set', {
          create: {
            new: {
              name: t('sweepRule', { name: nameOf(sender) }),
              conditions: { from: [sender.email] },
              actions: to === trash?.id ? { remove: 'trash' } : { moveTo: to },
            },
          },
        })
        rule = answer.created?.new?.id
      }
      close()
      app.selected.value = new Set()
      app.open(undefined, { replace: true })
      app.done('doneSwept', count, () => {
        undo()
        if (rule !== undefined) void app.client.call('Rule/set', { destroy: [rule] })
      })
    } catch {
      app.tell(t('failed'))
    } finally {
      setWorking(false)
    }
  }
  const kinds: readonly [Kind, string][] = [
    ['all', t('sweepAll')],
    ['always', t('sweepAlways')],
    ['latest', t('sweepLatest')],
    ['old', t('sweepOld', { n: OLD_DAYS })],
  ]
  return (
    <Sheet label={t('sweepFrom', { name: nameOf(sender) })} onClose={close}>
      <form
        class="sheet-body form"
        onSubmit={(event) => {
          event.preventDefault()
          void run()
        }}
      >
        <fieldset class="options">
          <legend class="visually-hidden">{t('sweep')}</legend>
          {kinds.map(([one, text]) => (
            <label key={one}>
              <input type="radio" name="sweep" checked={kind === one} onChange={() => setKind(one)} /> {text}
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span>{t('moveTo')}</span>
          <select value={to} onChange={(event) => setTo(event.currentTarget.value)}>
            {mailboxes
              .filter((one) => one.id !== here.id)
              .map((one) => (
                <option key={one.id} value={one.id}>
                  {folderName(one)}
                </option>
              ))}
          </select>
        </label>
        <button type="submit" class="button primary" disabled={working}>
          {t('sweep')}
        </button>
      </form>
    </Sheet>
  )
}
