/** Times to send at: a menu. */
import { laterTimes, localInput } from '../store/later.ts'
import { t, timeOnly } from '../text/text.ts'
import { askText } from '../ui/dialog.tsx'
import { type MenuItem, openMenu } from '../ui/menu.tsx'

export const sendLaterMenu = (at: MouseEvent | Element, send: (until: Date) => void): void =>
  openMenu(t('sendLater'), laterItems(send), at)

function laterItems(send: (until: Date) => void): MenuItem[] {
  const items: MenuItem[] = laterTimes().map(({ name, date }) => ({
    label: t(name),
    icon: 'clock',
    keyHint: timeOnly(date),
    run: () => send(date),
  }))
  items.push({
    label: t('pickTime'),
    icon: 'edit',
    run: () =>
      void askText(t('sendLater'), t('schedule'), {
        label: t('pickTime'),
        value: localInput(laterTimes().find((one) => one.name === 'tomorrowMorning')?.date ?? new Date()),
        type: 'datetime-local',
      }).then((value) => {
        const date = new Date(value ?? '')
        if (!Number.isNaN(date.getTime()) && date > new Date()) send(date)
      }),
  })
  return items
}
