/** Sweep: what is to become of all mail of one sender in this folder, now and later. What was done can be undone. */
import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { app, folderName } from '../app.ts'
import type { Address, Id } from '../jmap/types.ts'
import { utc } from '../store/later.ts'
import { nameOf, t } from '../text/text.ts'
import { Sheet } from '../ui/dialog.tsx'
import { targets } from './acts.ts'
import { bulk, bulkFailed, bulkPatches } from './whole.ts'

type Kind = 'all' | 'always' | 'latest' | 'latestAlways' | 'old' | 'oldAlways'
const OLD_DAYS = 10
const DAY_MS = 86_400_000

/** What the server is to do from now on; answers what was made for it. */
async function follow(
  kind: Kind,
  sender: Address,
  mailboxId: Id,
  moveTo: Id | undefined,
): Promise<{ readonly type: 'Rule/set' | 'Sweep/set'; readonly id: Id } | undefined> {
  if (kind === 'always') {
    const answer = await app.client.call('Rule/set', {
      create: {
        new: {
          name: t('sweepRule', { name: nameOf(sender) }),
          conditions: { from: [sender.email] },
          actions: moveTo === undefined ? { remove: 'trash' } : { moveTo },
        },
      },
    })
    const id = answer.created?.new?.id
    return id === undefined ? undefined : { type: 'Rule/set', id }
  }
  if (kind !== 'latestAlways' && kind !== 'oldAlways') return undefined
  const keep = kind === 'oldAlways' ? { keep: 'days', n: OLD_DAYS } : { keep: 'newest', n: 1 }
  const answer = await app.client.call('Sweep/set', {
    create: { new: { fromAddress: sender.email, mailboxId, moveTo: moveTo ?? null, ...keep } },
  })
  const id = answer.created?.new?.id
  return id === undefined ? undefined : { type: 'Sweep/set', id }
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
      const trashed = to === trash?.id
      const { count, undo } = await bulk(
        {
          filter: {
            inMailbox: here.id,
            ...(kind === 'old' || kind === 'oldAlways'
              ? { before: utc(new Date(Date.now() - OLD_DAYS * DAY_MS)) }
              : {}),
          },
          fromAddress: sender.email,
          keepNewest: kind === 'latest' || kind === 'latestAlways' ? 1 : 0,
          update: bulkPatches.move(here.id, to),
        },
        here.totalEmails,
      )
      const made = await follow(kind, sender, here.id, trashed ? undefined : to)
      close()
      app.selected.value = new Set()
      app.open(undefined, { replace: true })
      app.done('doneSwept', count, () => {
        // What repeats ends first, else it would do again what is being undone.
        const ended = made === undefined ? Promise.resolve() : app.client.call(made.type, { destroy: [made.id] })
        ended.then(undo).then(undefined, bulkFailed)
      })
    } catch (error) {
      bulkFailed(error)
    } finally {
      setWorking(false)
    }
  }
  const kinds: readonly [Kind, string][] = [
    ['all', t('sweepAll')],
    ['always', t('sweepAlways')],
    ['latest', t('sweepLatest')],
    ['latestAlways', t('sweepLatestAlways')],
    ['old', t('sweepOld', { n: OLD_DAYS })],
    ['oldAlways', t('sweepOldAlways', { n: OLD_DAYS })],
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
          {t('sweepDo')}
        </button>
      </form>
    </Sheet>
  )
}
