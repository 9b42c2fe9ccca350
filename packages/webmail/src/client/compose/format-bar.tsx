/** The buttons above a text one writes: what the selection is, and what it can become. */
import type { JSX } from 'preact'
import type { Editor } from '../editor.ts'
import { t } from '../text/text.ts'
import { askText } from '../ui/dialog.tsx'
import { IconButton, type IconName } from '../ui/icon.tsx'

export function FormatBar({
  editor,
  path,
}: {
  readonly editor: () => Editor | undefined
  /** Where the selection is, as Squire tells it. */
  readonly path: string
}): JSX.Element {
  const has = (tag: string): boolean => new RegExp(`(?:^|>)${tag}(?:[>.#[]|$)`).test(path)
  const button = (
    icon: IconName,
    label: string,
    on: boolean,
    run: (now: Editor) => unknown,
    key?: string,
  ): JSX.Element => (
    <IconButton
      icon={icon}
      label={label}
      keyHint={key}
      pressed={on}
      onClick={() => {
        const now = editor()
        if (now !== undefined) run(now)
        now?.focus()
      }}
    />
  )
  return (
    <div class="format" role="toolbar" aria-label={t('actions')}>
      {button('bold', t('bold'), has('B'), (now) => (now.hasFormat('B') ? now.removeBold() : now.bold()), 'Ctrl+B')}
      {button(
        'italic',
        t('italic'),
        has('I'),
        (now) => (now.hasFormat('I') ? now.removeItalic() : now.italic()),
        'Ctrl+I',
      )}
      {button(
        'underline',
        t('underline'),
        has('U'),
        (now) => (now.hasFormat('U') ? now.removeUnderline() : now.underline()),
        'Ctrl+U',
      )}
      {button('list', t('list'), has('UL'), (now) => (has('UL') ? now.removeList() : now.makeUnorderedList()))}
      {button('numbered', t('numbered'), has('OL'), (now) => (has('OL') ? now.removeList() : now.makeOrderedList()))}
      {button('quote', t('quote'), has('BLOCKQUOTE'), (now) =>
        has('BLOCKQUOTE') ? now.decreaseQuoteLevel() : now.increaseQuoteLevel(),
      )}
      <IconButton icon="link" label={t('link')} pressed={has('A')} onClick={() => void link(editor())} />
      {button('clear', t('clearFormat'), false, (now) => now.removeAllFormatting())}
    </div>
  )
}

async function link(editor: Editor | undefined): Promise<void> {
  if (editor === undefined) return
  const range = editor.getSelection().cloneRange()
  const url = await askText(t('link'), t('link'), { label: t('linkAddress'), value: 'https://', type: 'url' })
  editor.focus()
  editor.setSelection(range)
  if (url !== undefined && /^(?:https?:\/\/\S|mailto:\S)/i.test(url)) editor.makeLink(url)
}
