import { html, type Html } from '../html.ts'
import { csrfField } from './page.ts'
import type { Visit } from './visit.ts'

/** Pieces of the forms of options. */

export const field = (id: string, label: string, control: Html): Html =>
  html`<div class="field"><label for="${id}">${label}</label>${control}</div>`
/** A form of the page one is on. */
export const post = (visit: Visit, act: string, inner: Html): Html =>
  html`<form method="post" action="${visit.url.pathname}">${csrfField(visit.session)}<input type="hidden" name="act" value="${act}">${inner}</form>`
/** The password once more. */
export const passwordField = ({ say }: Visit, id = 'password'): Html =>
  field(
    id,
    say('confirmPassword'),
    html`<input type="password" id="${id}" name="password" autocomplete="current-password" required>`,
  )
