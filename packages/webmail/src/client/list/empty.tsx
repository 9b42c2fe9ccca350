/** What an empty list says: one line, one quiet glyph, one thing to do next. */
import type { JSX } from 'preact'
import { app } from '../app.ts'
import { t } from '../text/text.ts'
import { Icon, type IconName } from '../ui/icon.tsx'

export function Empty(): JSX.Element {
  const place = app.place.value
  const role = app.mailbox.value?.role
  const filtered = app.filter.value !== 'all' || app.category.value !== undefined
  const [icon, text]: [IconName, string] =
    place.kind === 'search'
      ? ['search', t('emptySearch')]
      : role === 'inbox' && !filtered
        ? ['check', t('emptyInbox')]
        : ['folder', t('emptyFolder')]
  const next: [string, () => void] | undefined =
    place.kind === 'search'
      ? [t('clearSearch'), () => app.goFolder('inbox')]
      : filtered
        ? [
            t('filterAll'),
            () => {
              app.filter.value = 'all'
              app.category.value = undefined
            },
          ]
        : role === 'inbox'
          ? app.store.byRole.value.has('archive')
            ? [t('goToArchive'), () => app.goFolder('archive')]
            : undefined
          : [t('goToInbox'), () => app.goFolder('inbox')]
  return (
    <div class="list-rows empty" role="status">
      <Icon name={icon} />
      <p>{text}</p>
      {next !== undefined && (
        <button type="button" class="link-button" onClick={next[1]}>
          {next[0]}
        </button>
      )}
    </div>
  )
}
