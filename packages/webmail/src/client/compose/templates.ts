/** Templates while writing: put one in, keep what is written as one. */
import { app } from '../app.ts'
import type { Template } from '../jmap/types.ts'
import { t } from '../text/text.ts'
import { askText } from '../ui/dialog.tsx'
import { type MenuItem, openMenu } from '../ui/menu.tsx'

interface Writing {
  readonly subject: string
  readonly html: string
  readonly insert: (template: Template) => void
}

export async function templateMenu(at: Element, { subject, html, insert }: Writing): Promise<void> {
  let list: readonly Template[]
  try {
    ;({ list } = await app.client.call('Template/get', { ids: null }))
  } catch {
    return app.tell(t('failed'))
  }
  const items: MenuItem[] = list.map((one) => ({ label: one.name, icon: 'drafts', run: () => insert(one) }))
  items.push({
    label: t('saveTemplate'),
    icon: 'plus',
    apart: list.length > 0,
    run: () => {
      void askText(t('saveTemplate'), t('save'), { label: t('name'), value: subject }).then(async (name) => {
        if (name === undefined) return
        const { notCreated } = await app.client.call('Template/set', {
          create: { new: { name, subject, htmlBody: html } },
        })
        const problem = notCreated?.new
        app.tell(problem === undefined ? t('saved') : t('refused', { problem: problem.description ?? problem.type }))
      })
    },
  })
  openMenu(t('templates'), items, at)
}
