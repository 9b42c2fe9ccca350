/** Acts of our own capability: snoozing, categories, follow-up, Focused and Other, blocking. Each says what it did and can be undone. */
import { app } from '../app.ts'
import type { Id } from '../jmap/types.ts'
import { marks } from '../store/acts.ts'
import { dueTimes, laterTimes, localInput, utc } from '../store/later.ts'
import { longDate, nameOf, t, type TextKey, timeOnly } from '../text/text.ts'
import { askText } from '../ui/dialog.tsx'
import { type MenuItem, openMenu } from '../ui/menu.tsx'
import { change, mailsOf } from './acts.ts'
import { bulkPatches } from './whole.ts'

const idOf = (role: string): Id | undefined => app.store.byRole.peek().get(role)?.id

export async function snooze(rows: readonly Id[], until: Date): Promise<void> {
  const iso = utc(until)
  await change(rows, 'doneSnoozed', marks.snooze(iso, idOf('snoozed'), idOf('inbox')), {
    leaves: true,
    values: { time: longDate(iso) },
    whole: { snoozed: { until: iso } },
  })
}
/** Back before its time. */
export const unsnooze = (rows: readonly Id[]): Promise<void> =>
  change(rows, 'doneUnsnoozed', marks.snooze(null, idOf('snoozed'), idOf('inbox')), {
    leaves: true,
    whole: { snoozed: null },
  })

/** When a mail is to come back. */
export function snoozeItems(rows: readonly Id[]): MenuItem[] {
  const items: MenuItem[] = laterTimes().map(({ name, date }) => ({
    label: t(name),
    icon: 'clock',
    keyHint: timeOnly(date),
    run: () => void snooze(rows, date),
  }))
  items.push({
    label: t('pickTime'),
    icon: 'edit',
    run: () => {
      const tomorrow = laterTimes().find((one) => one.name === 'tomorrowMorning')?.date ?? new Date()
      void askText(t('snooze'), t('snooze'), {
        label: t('pickTime'),
        value: localInput(tomorrow),
        type: 'datetime-local',
      }).then((value) => {
        const date = new Date(value ?? '')
        if (!Number.isNaN(date.getTime()) && date > new Date()) void snooze(rows, date)
      })
    },
  })
  if (app.mailbox.peek()?.role === 'snoozed' || rows.some((one) => app.store.email(one).peek()?.snoozed != null))
    items.push({ label: t('unsnooze'), icon: 'undo', apart: true, run: () => void unsnooze(rows) })
  return items
}
export const snoozeMenu = (rows: readonly Id[], at: MouseEvent | Element): void =>
  openMenu(t('snooze'), snoozeItems(rows), at)

/** The row of a mail on the screen, or what has the focus: where a menu opened by key stands. */
export const anchorOf = (row: Id | undefined): Element =>
  document.querySelector(`.row[data-id="${CSS.escape(row ?? '')}"]`) ?? document.activeElement ?? document.body

/** The dates of a flag. */
export function followUpItems(rows: readonly Id[]): MenuItem[] {
  const mark = (key: TextKey, followUp: Parameters<typeof marks.followUp>[0], on: readonly Id[] = rows): void =>
    void change(on, key, marks.followUp(followUp), { whole: { followUp } })
  const due = (date: Date | null): void => {
    const iso = date === null ? null : utc(date)
    mark('doneFollowUp', { start: iso, due: iso, reminder: null, completed: null })
  }
  return [
    ...dueTimes().map(
      ({ name, date }): MenuItem => ({
        label: t(name),
        icon: 'flag',
        keyHint: new Intl.DateTimeFormat(undefined, { weekday: 'short' }).format(date),
        run: () => due(date),
      }),
    ),
    {
      label: t('complete'),
      icon: 'check',
      apart: true,
      run: () => mark('doneComplete', { start: null, due: null, reminder: null, completed: utc(new Date()) }),
    },
    {
      label: t('unflag'),
      icon: 'close',
      run: () =>
        mark(
          'doneUnflagged',
          null,
          rows.flatMap((one) => mailsOf(one, true)),
        ),
    },
  ]
}

export const categorise = (rows: readonly Id[], name: string, on: boolean): Promise<void> =>
  change(rows, on ? 'doneCategorised' : 'doneUncategorised', marks.categorise(name, on), {
    values: { name },
    whole: bulkPatches.category(name, on),
  })

/** Blocks the sender of a mail and puts the mail into Junk; undone together. */
export const block = (row: Id): Promise<void> => listSender(row, 'blocked', 'junk', 'doneBlocked')
/** Trusts the sender of a mail and puts the mail into the Inbox; undone together. */
export const trust = (row: Id): Promise<void> => listSender(row, 'safe', 'inbox', 'doneTrusted')

async function listSender(row: Id, on: SenderList, role: string, key: TextKey): Promise<void> {
  const [from] = app.store.email(row).peek()?.from ?? []
  const to = idOf(role)
  if (from === undefined || to === undefined) return
  const before = await changeSenders(from.email, on)
  // One mail's sender, whatever else is selected.
  app.wholeFolder.value = false
  await change([row], key, marks.move(undefined, to), {
    leaves: true,
    values: { name: nameOf(from) },
    also: () => void changeSenders(from.email, before).catch(() => app.tell(t('failed'))),
  })
}
type SenderList = 'blocked' | 'safe'
/** Puts a sender on one of the lists, or on none; answers where it was. */
async function changeSenders(address: string, on: SenderList | undefined): Promise<SenderList | undefined> {
  const { list } = await app.client.call('SenderLists/get', { ids: null })
  const lists = list[0] ?? { blocked: [], safe: [] }
  const sender = address.toLowerCase()
  const without = (name: SenderList): string[] => lists[name].filter((one) => one !== sender)
  const blocked = [...without('blocked'), ...(on === 'blocked' ? [sender] : [])]
  const safe = [...without('safe'), ...(on === 'safe' ? [sender] : [])]
  await app.client.call('SenderLists/set', { update: { singleton: { blocked, safe } } })
  return (['blocked', 'safe'] as const).find((name) => lists[name].includes(sender))
}

export const setInference = (rows: readonly Id[], to: 'focused' | 'other'): Promise<void> =>
  change(rows, to === 'focused' ? 'doneFocused' : 'doneOther', marks.inference(to), {
    leaves: app.category.peek() === undefined,
  })

const reasons = {
  sender: 'whySender',
  list: 'whyList',
  program: 'whyProgram',
  toMe: 'whyToMe',
  notToMe: 'whyNotToMe',
  colleague: 'whyColleague',
  answer: 'whyAnswer',
  learned: 'whyLearned',
  moved: 'whyMoved',
} as const satisfies Readonly<Record<string, TextKey>>

/** Says why a mail is in Focused or in Other. */
export async function explain(row: Id): Promise<void> {
  try {
    const { list } = await app.client.call('Focus/explain', { ids: [row] })
    const [found] = list
    const said = (found?.reasons ?? []).flatMap((one) =>
      one in reasons ? [t(reasons[one as keyof typeof reasons])] : [],
    )
    app.tell(`${t(found?.inference === 'other' ? 'other' : 'focused')}${t('colon')}${said.join(' ') || t('whyUsual')}`)
  } catch {
    app.tell(t('failed'))
  }
}
