import { html, type Html } from '../html.ts'
import { mailsOf, staysAfter } from './acts.ts'
import { chosenOf } from './chosen.ts'
import { carried } from './confirm.ts'
import { pathOf } from './list.ts'
import { dueTimes, laterTimes, type Offered } from './times.ts'
import type { Visit } from './visit.ts'

/** What can be done beyond the buttons of a list: snoozing, categories, follow-up, Focused and Other, the sender, sweeping. */

export interface Category {
  readonly id: string
  readonly name: string
  readonly color: number
}
export async function categoriesOf(visit: Visit): Promise<readonly Category[]> {
  return (await visit.ask<{ list: readonly Category[] }>('Category/get', { ids: null })).list
}

/** A choice among times, and a field for another one. */
export function timeFields(visit: Visit, name: string, offered: readonly Offered[], own: string): Html {
  const { say } = visit
  return html`<label for="${name}">${say('when')}</label><select id="${name}" name="${name}"><option value="">${own}</option>${offered.map(({ name: one, at }, i) => html`<option value="${at}"${i === 0 && html` selected`}>${say(one)}${say('colon')}${visit.date(at)}</option>`)}</select><label for="${name}-own">${say('ownTime')}</label><input type="text" id="${name}-own" name="${name}-own" size="17" placeholder="2026-12-24 18:00">`
}

export async function morePage(visit: Visit): Promise<void> {
  const { say, url, context, zone, preferences } = visit
  const chosen = await chosenOf(visit, url.searchParams)
  const here = pathOf(url.searchParams.get('here'))
  const ids = await mailsOf(visit, chosen)
  if (ids.length === 0) return visit.done(here, { text: say('nothingSelected') })
  const now = context.clock.now()
  // After an act that only marks, a mail that was open stays open.
  const part = (title: string, inner: Html): Html =>
    html`<h2>${title}</h2><form method="post" action="/light/list" class="bar">${carried(visit, chosen, here)}${inner}</form>`
  const button = (act: string, text: string): Html => html`<button name="act" value="${act}">${text}</button>`
  const categories = await categoriesOf(visit)
  const single = !chosen.whole && chosen.ids.length === 1 ? chosen.ids[0] : undefined
  const body = html`<p>${say('actOn', { n: ids.length })}</p>
${part(say('snooze'), html`${timeFields(visit, 'until', laterTimes(now, zone), say('ownTime'))}${button('snooze', say('snooze'))}${button('unsnooze', say('unsnooze'))}`)}
${part(say('categories'), html`<label for="category">${say('category')}</label><select id="category" name="category">${categories.map(({ name }) => html`<option>${name}</option>`)}</select>${button('categorise', say('categorise'))}${button('uncategorise', say('uncategorise'))}<a href="/light/options/categories">${say('manageCategories')}</a>`)}
${part(say('followUp'), html`${timeFields(visit, 'due', dueTimes(now, zone), say('ownTime'))}${button('follow', say('followUp'))}${button('complete', say('complete'))}${button('unflag', say('unflag'))}`)}
${preferences.focused && part(say('focusedInbox'), html`${button('focused', say('toFocused'))}${button('other', say('toOther'))}`)}
${part(say('sender'), html`${button('block', say('blockSender'))}${button('trust', say('trustSender'))}${single !== undefined && html`<a class="button" href="/light/sweep/${single}?folder=${chosen.folder?.id ?? ''}">${say('sweep')}</a>`}`)}
<p><a href="${here}">${say('cancel')}</a></p>`
  await visit.page(say('moreActs'), body, chosen.folder === undefined ? {} : { current: chosen.folder.id })
}

/** Where the user is after an act on the mail he reads. */
export const afterAct = (name: string, mail: string, list: string): string =>
  staysAfter(name) || name === 'more' ? mail : list
