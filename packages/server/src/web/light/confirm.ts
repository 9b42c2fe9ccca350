import { type Html, html } from '../html.ts'
import { type Chosen, chosenFields } from './chosen.ts'
import { csrfField } from './page.ts'
import type { Visit } from './visit.ts'

/** Asked before what nobody can take back. */

/** What was chosen, as hidden fields of a form that acts on it. */
export const carried = (visit: Visit, chosen: Chosen, here: string): Html =>
  html`${csrfField(visit.session)}<input type="hidden" name="here" value="${here}">${chosenFields(chosen).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`

export async function confirmDestroy(visit: Visit, chosen: Chosen, count: number, back: string): Promise<void> {
  const { say } = visit
  const body = html`<p>${say('destroyAsk', { n: count })}</p><form method="post" action="/light/list" class="bar">${carried(visit, chosen, back)}<input type="hidden" name="sure" value="1"><button class="go" name="act" value="destroy">${say('deleteForGood')}</button><a class="button" href="${back}">${say('cancel')}</a></form>`
  await visit.page(say('deleteForGood'), body, chosen.folder === undefined ? {} : { current: chosen.folder.id })
}
