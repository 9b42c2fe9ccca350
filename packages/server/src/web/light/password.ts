import { changePassword, passwordRules } from '../account/new-password.ts'
import { html, type Html } from '../html.ts'
import { field, post } from './form-parts.ts'
import type { Visit } from './visit.ts'

/** A new password by a form: the old one, the new one twice. This session goes on, all others end. */

export async function passwordPage(visit: Visit, error?: string): Promise<void> {
  const { say } = visit
  const rules = passwordRules(visit.context)
  const typed = (name: string, label: string, kind: 'current' | 'new'): Html =>
    field(
      name,
      label,
      html`<input type="password" id="${name}" name="${name}" autocomplete="${kind}-password" required${kind === 'new' && html` aria-describedby="rules"`}>`,
    )
  const body =
    rules === undefined
      ? html`<p>${say('password-off')}</p>`
      : html`<p>${say('passwordHint')}</p>${post(visit, 'change', html`${typed('password', say('oldPassword'), 'current')}<p class="hint" id="rules">${say('passwordRules', { n: rules.length })}</p>${typed('wanted', say('newPassword'), 'new')}${typed('again', say('newPasswordAgain'), 'new')}<button class="go">${say('changePassword')}</button>`)}`
  await visit.page(say('changePassword'), body, error === undefined ? {} : { error, status: 422 })
}

export async function newPassword(visit: Visit): Promise<void> {
  const { fields, context, request, session, say } = visit
  const typed = (name: string): string => fields.get(name) ?? ''
  const given = { old: typed('password'), wanted: typed('wanted'), again: typed('again') }
  const outcome = await changePassword(context, request, session, given)
  if ('ok' in outcome) return visit.done('/light/options', { text: say('passwordChanged') })
  if ('why' in outcome) return passwordPage(visit, outcome.why)
  return passwordPage(visit, outcome.fault === 'password' ? say('wrongPassword') : say(`password-${outcome.fault}`))
}
