import { htmlToText, textToHtml } from '@postrider/wire/mime'
import { html, type Html, raw } from '../html.ts'
import { categoriesOf, type Category } from './more.ts'
import { csrfField } from './page.ts'
import type { Visit } from './visit.ts'

/** Lists the user keeps: categories and templates. */

const COLOURS = 25
const MAX_SHOWN = 60

export interface SetAnswer {
  readonly notCreated?: Readonly<Record<string, { type: string; description?: string }>> | null
  readonly notUpdated?: Readonly<Record<string, { type: string; description?: string }>> | null
  readonly notDestroyed?: Readonly<Record<string, { type: string; description?: string }>> | null
}
/** Why a Foo/set did not do what was asked. */
export function refusal({ notCreated, notUpdated, notDestroyed }: SetAnswer): string | undefined {
  const [failed] = [notCreated, notUpdated, notDestroyed].flatMap((one) => Object.values(one ?? {}))
  return failed === undefined ? undefined : (failed.description ?? failed.type)
}

export async function categoriesPage(visit: Visit, error?: string): Promise<void> {
  const { say, session } = visit
  const form = (inner: Html): Html =>
    html`<form method="post" action="/light/options/categories" class="bar">${csrfField(session)}${inner}</form>`
  const colours = (chosen: number, id: string): Html =>
    html`<label for="${id}">${say('colour')}</label><select id="${id}" name="color">${Array.from({ length: COLOURS }, (_, n) => html`<option value="${n}"${n === chosen && raw(' selected')}>${n + 1}</option>`)}</select>`
  const row = ({ id, name, color }: Category): Html =>
    html`<tr><th scope="row"><a href="/light/search?q=${encodeURIComponent(`category:"${name}"`)}">${name}</a></th><td>${form(html`<input type="hidden" name="id" value="${id}">${colours(color, `c-${id}`)}<button name="act" value="colour">${say('save')}</button><button name="act" value="remove">${say('removeNamed', { name })}</button>`)}</td></tr>`
  const categories = await categoriesOf(visit)
  const body = html`<table>${categories.slice(0, MAX_SHOWN / 3).map(row)}</table><h2>${say('newCategory')}</h2>${form(html`<label for="new">${say('name')}</label><input type="text" id="new" name="name" maxlength="255" required>${colours(categories.length % COLOURS, 'new-colour')}<button class="go" name="act" value="create">${say('create')}</button>`)}`
  await visit.page(say('categories'), body, error === undefined ? {} : { error, status: 422 })
}

export async function changeCategories(visit: Visit): Promise<void> {
  const { fields, say } = visit
  const id = fields.get('id') ?? ''
  const color = Number(fields.get('color') ?? 0)
  const act = fields.get('act')
  const args =
    act === 'create'
      ? { create: { new: { name: (fields.get('name') ?? '').trim(), color } } }
      : act === 'remove'
        ? { destroy: [id] }
        : { update: { [id]: { color } } }
  const why = refusal(await visit.ask<SetAnswer>('Category/set', args))
  if (why !== undefined) return categoriesPage(visit, say('failed', { why }))
  visit.done('/light/options/categories', { text: say('saved') })
}

export interface Template {
  readonly id: string
  readonly name: string
  readonly subject: string
  readonly htmlBody: string
}
export async function templatesOf(visit: Visit): Promise<readonly Template[]> {
  return (await visit.ask<{ list: readonly Template[] }>('Template/get', { ids: null })).list
}
export const templateText = ({ htmlBody }: Template): string => htmlToText(htmlBody, { links: true }).trimEnd()

/** Keeps a text as a template; answers why not. */
export async function keepTemplate(
  visit: Visit,
  template: { readonly id?: string; readonly name: string; readonly subject: string; readonly text: string },
): Promise<string | undefined> {
  const { id, name, subject, text } = template
  const value = { name: name.trim(), subject, htmlBody: textToHtml(text) }
  return refusal(
    await visit.ask<SetAnswer>(
      'Template/set',
      id === undefined ? { create: { new: value } } : { update: { [id]: value } },
    ),
  )
}

export async function templatesPage(visit: Visit, error?: string): Promise<void> {
  const { say, session, url, posted, fields } = visit
  const templates = await templatesOf(visit)
  const edited = templates.find(({ id }) => id === (url.searchParams.get('id') ?? fields.get('id')))
  const typed = (name: string, stored: string): string => (posted === undefined ? stored : (fields.get(name) ?? ''))
  const form = (inner: Html): Html =>
    html`<form method="post" action="/light/options/templates">${csrfField(session)}${inner}</form>`
  const row = ({ id, name, subject }: Template): Html =>
    html`<tr><th scope="row"><a href="/light/options/templates?id=${id}">${name}</a></th><td>${subject}</td><td><a href="/light/compose?template=${id}">${say('writeWith')}</a></td><td>${form(html`<input type="hidden" name="id" value="${id}"><button name="act" value="remove">${say('removeNamed', { name })}</button>`)}</td></tr>`
  const body = html`${templates.length > 0 && html`<table><thead><tr><th scope="col">${say('name')}</th><th scope="col">${say('subject')}</th><th scope="col">${say('newMail')}</th><th scope="col">${say('remove')}</th></tr></thead><tbody>${templates.slice(0, MAX_SHOWN).map(row)}</tbody></table>`}
<h2>${edited === undefined ? say('newTemplate') : say('change', { name: edited.name })}</h2>${form(html`${edited !== undefined && html`<input type="hidden" name="id" value="${edited.id}">`}<div class="field"><label for="name">${say('name')}</label><input type="text" id="name" name="name" maxlength="200" required value="${typed('name', edited?.name ?? '')}"></div><div class="field"><label for="subject">${say('subject')}</label><input type="text" id="subject" name="subject" maxlength="998" value="${typed('subject', edited?.subject ?? '')}"></div><div class="field"><label for="body">${say('message')}</label><textarea id="body" name="body" rows="10" dir="auto">
${typed('body', edited === undefined ? '' : templateText(edited))}</textarea></div><button class="go" name="act" value="save">${say('save')}</button>`)}`
  await visit.page(say('templates'), body, error === undefined ? {} : { error, status: 422 })
}

export async function changeTemplates(visit: Visit): Promise<void> {
  const { fields, say } = visit
  const id = fields.get('id') ?? undefined
  if (fields.get('act') === 'remove') await visit.ask('Template/set', { destroy: [id ?? ''] })
  else {
    const text = (fields.get('body') ?? '').replace(/\r\n?/g, '\n')
    const subject = (fields.get('subject') ?? '').replace(/[\r\n]+/g, ' ')
    const why = await keepTemplate(visit, {
      ...(id === undefined ? {} : { id }),
      name: fields.get('name') ?? '',
      subject,
      text,
    })
    if (why !== undefined) return templatesPage(visit, say('failed', { why }))
  }
  visit.done('/light/options/templates', { text: say('saved') })
}
