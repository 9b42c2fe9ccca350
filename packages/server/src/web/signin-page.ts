import type { Language } from '@postrider/domain'
import { type Html, html, raw } from './html.ts'
import { PASSKEY_SCRIPT_PATH } from './signin-script.ts'
import { webText, type WebTextKey } from './texts.ts'

/** The sign-in page: design of web.md §6, "quiet tools". One style sheet, no picture, no script but that of passkeys; every field tied to its label and its error. */
export const signInStyle = `
:root{color-scheme:light dark;--bg:light-dark(oklch(.975 .003 255),oklch(.17 .008 255));--surface:light-dark(#fff,oklch(.21 .009 255));--line:light-dark(oklch(.88 .006 255),oklch(.33 .01 255));--control:light-dark(oklch(.6 .012 255),oklch(.6 .012 255));--text:light-dark(oklch(.23 .01 255),oklch(.94 .005 255));--text-2:light-dark(oklch(.46 .01 255),oklch(.74 .008 255));--accent:light-dark(oklch(.5 .15 255),oklch(.75 .12 255));--on-accent:light-dark(#fff,oklch(.17 .02 255));--danger:light-dark(oklch(.5 .18 25),oklch(.78 .12 25));--soft:light-dark(oklch(.96 .015 255),oklch(.27 .03 255))}
*{box-sizing:border-box}[hidden]{display:none!important}
body{margin:0;min-block-size:100vh;display:grid;grid-template-rows:1fr auto;background:#f7f8f9;background:var(--bg);color:#22262b;color:var(--text);font:400 16px/24px "Segoe UI Variable","Segoe UI",system-ui,-apple-system,Roboto,"Noto Sans",sans-serif}
main{inline-size:100%;max-inline-size:25rem;margin:auto;padding:2rem 1.25rem}
.org{color:var(--text-2);font-size:14px;line-height:20px;margin:0 0 4px}
h1{font-size:28px;line-height:36px;font-weight:600;margin:0 0 24px;letter-spacing:-.01em}
form{display:grid;gap:20px}
.field{display:grid;gap:6px}
label,legend{font-size:14px;line-height:20px;font-weight:600}
input[type=text],input[type=email],input[type=password],select{font:inherit;inline-size:100%;block-size:44px;padding:0 12px;color:inherit;background:#fff;background:var(--surface);border:1px solid var(--control);border-radius:6px}
[aria-invalid=true]{border-color:var(--danger)!important;border-width:2px!important}
fieldset{border:0;padding:0;margin:0;display:grid;gap:10px}legend{padding:0;margin-block-end:8px}
.choice{display:grid;grid-template-columns:24px 1fr;gap:2px 10px;align-items:start}
.choice input{inline-size:20px;block-size:20px;margin:2px;accent-color:var(--accent)}
.choice label{font-weight:400;font-size:16px;line-height:24px}
.hint{grid-column:2;color:var(--text-2);font-size:14px;line-height:20px;margin:0}
button{font:inherit;font-weight:600;min-block-size:44px;padding:8px 20px;border:1px solid transparent;border-radius:6px;background:#1f5fbf;background:var(--accent);color:#fff;color:var(--on-accent);cursor:pointer}
button:hover{filter:brightness(1.08)}
.quiet{background:none;color:inherit;border-color:var(--line);font-weight:400;font-size:14px;min-block-size:36px;padding:4px 12px}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.unlock{display:grid;gap:12px;margin-block-end:24px}.unlock p{margin:0}.unlock button{min-block-size:52px}
summary{cursor:pointer;padding:12px 0;color:var(--accent)}
.note,.error{border-radius:10px;padding:12px 16px;margin:0 0 24px;font-size:14px;line-height:20px}
.note{background:var(--soft)}.error{border:1px solid var(--danger)}.error h2{font-size:14px;line-height:20px;margin:0 0 4px;color:var(--danger)}.error p,.error ul{margin:0;padding:0;list-style:none}
.fault{color:var(--danger);font-size:14px;line-height:20px;margin:0}
footer{display:flex;flex-wrap:wrap;gap:8px 20px;align-items:center;justify-content:center;padding:16px 20px;border-block-start:1px solid var(--line);font-size:14px}
footer form{display:flex;gap:8px;align-items:center}a{color:var(--accent)}footer a{padding:6px 0}
@media (forced-colors:active){button{border-color:ButtonText}}
@media print{footer,form{display:none}}`

export interface SignInPage {
  readonly language: Language
  readonly organization: string
  readonly csrf: string
  readonly next: string | undefined
  /** What was typed, to be corrected. */
  readonly login: string
  readonly computer: 'private' | 'public'
  readonly light: boolean
  /** Faults by field; `form` belongs to no field. */
  readonly faults: Partial<Readonly<Record<'form' | 'login' | 'password', string>>>
  /** Why the user is here. */
  readonly note: string | undefined
  /** Whether passkeys can be shown here. */
  readonly passkeys: boolean
  /** This browser keeps mail and was opened with a passkey before: that is the first thing here. */
  readonly locked: boolean
}

const frame = (language: Language, title: string, organization: string, body: Html, footer: Html): string =>
  html`<!DOCTYPE html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><meta name="color-scheme" content="light dark"><title>${title}</title><style>${raw(signInStyle)}</style></head>
<body><main><p class="org">${organization}</p>${body}</main>
<footer>${footer}</footer></body></html>
`.text

export function renderSignIn(page: SignInPage): string {
  const { language, organization, csrf, next, login, computer, light, faults, note, passkeys } = page
  const locked = page.locked && passkeys
  const say = (key: WebTextKey, parameters?: Record<string, string>): string => webText(language, key, parameters)
  const found = Object.entries(faults)
  const fault = (name: 'login' | 'password'): Html | undefined =>
    faults[name] === undefined ? undefined : html`<p class="fault" id="${name}-fault">${faults[name]}</p>`
  const invalid = (name: 'login' | 'password'): Html | undefined =>
    faults[name] === undefined ? undefined : html` aria-invalid="true" aria-describedby="${name}-fault"`
  const summary =
    found.length > 0 &&
    html`<div class="error" role="alert" id="problem"><h2>${say('problem')}</h2><ul>${found.map(([name, text]) =>
      name === 'form' ? html`<li>${text}</li>` : html`<li><a href="#${name}">${text}</a></li>`,
    )}</ul></div>`
  // The first field that needs something has the cursor.
  const focus = login === '' || faults.login !== undefined ? 'login' : 'password'
  const choice = (value: 'private' | 'public', hint: WebTextKey): Html =>
    html`<div class="choice"><input type="radio" name="computer" id="${value}" value="${value}" aria-describedby="${value}-hint"${computer === value && raw(' checked')}><label for="${value}">${say(value)}</label><p class="hint" id="${value}-hint">${say(hint)}</p></div>`
  const passkeyFault = html`<p class="fault" id="passkey-fault" role="alert" hidden>${say('passkeyWrong')}</p>`
  const unlock = html`<div class="unlock"><p>${say('lockedHint')}</p><button type="button" id="passkey" hidden autofocus>${say('unlock')}</button>${passkeyFault}</div>`
  const body = html`<h1>${say(locked ? 'locked' : 'signIn')}</h1>
${summary}${note !== undefined && html`<p class="note" role="status">${note}</p>`}
<noscript><p class="note">${say('noScript')}</p></noscript>
${locked && html`${unlock}<details${found.length > 0 && raw(' open')}><summary>${say('otherWay')}</summary>`}<form method="post" action="/signin" novalidate>
<input type="hidden" name="csrf" value="${csrf}">${next !== undefined && html`<input type="hidden" name="next" value="${next}">`}
<div class="field"><label for="login">${say('login')}</label><input type="email" id="login" name="login" value="${login}" autocomplete="username${passkeys && ' webauthn'}" autocapitalize="none" spellcheck="false" maxlength="320" required${invalid('login')}${focus === 'login' && !locked && raw(' autofocus')}>${fault('login')}</div>
<div class="field"><label for="password">${say('password')}</label><input type="password" id="password" name="password" autocomplete="current-password" maxlength="1024" required${invalid('password')}${focus === 'password' && raw(' autofocus')}>${fault('password')}</div>
<fieldset><legend>${say('computer')}</legend>${choice('private', 'privateHint')}${choice('public', 'publicHint')}</fieldset>
<div class="choice"><input type="checkbox" id="light" name="light" value="1" aria-describedby="light-hint"${light && raw(' checked')}><label for="light">${say('light')}</label><p class="hint" id="light-hint">${say('lightHint')}</p></div>
<noscript><input type="hidden" name="noscript" value="1"></noscript>
<button type="submit">${say('signIn')}</button>
${passkeys && !locked && html`<button type="button" class="quiet" id="passkey" hidden>${say('passkey')}</button>${passkeyFault}`}</form>${locked && raw('</details>')}${passkeys && html`<script src="${PASSKEY_SCRIPT_PATH}" defer></script>`}`
  const footer = html`<form method="get" action="/signin">${next !== undefined && html`<input type="hidden" name="next" value="${next}">`}<label for="language">${say('language')}</label>
<select id="language" name="language"><option value="en" lang="en"${language === 'en' && raw(' selected')}>English</option><option value="fr" lang="fr"${language === 'fr' && raw(' selected')}>Français</option></select>
<button type="submit" class="quiet">OK</button></form><a href="/">${say('setUp')}</a>`
  return frame(language, say('title', { organization }), organization, body, footer)
}

/** The second step: a code of the authenticator app or a recovery code. */
export function renderCode(
  page: Pick<SignInPage, 'language' | 'organization' | 'csrf'> & { readonly fault: string | undefined },
): string {
  const { language, organization, csrf, fault } = page
  const say = (key: WebTextKey, parameters?: Record<string, string>): string => webText(language, key, parameters)
  const body = html`<h1>${say('codeHeading')}</h1>
<form method="post" action="/signin/code" novalidate><input type="hidden" name="csrf" value="${csrf}">
<div class="field"><label for="code">${say('code')}</label><input type="text" id="code" name="code" inputmode="text" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" maxlength="64" autofocus${fault !== undefined && raw(' aria-invalid="true" aria-describedby="code-fault"')}>${fault !== undefined && html`<p class="fault" id="code-fault" role="alert">${fault}</p>`}</div>
<button type="submit">${say('continue')}</button></form>`
  return frame(
    language,
    say('codeTitle', { organization }),
    organization,
    body,
    html`<a href="/signin">${say('signIn')}</a>`,
  )
}

/** One sentence and one way on. */
export const renderNotice = (
  language: Language,
  organization: string,
  text: string,
  to: string,
  label: string,
  refresh = false,
): string =>
  html`<!DOCTYPE html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">${refresh && html`<meta http-equiv="refresh" content="0;url=${to}">`}
<meta name="robots" content="noindex"><title>${organization}</title><style>${raw(signInStyle)}</style></head>
<body><main><p class="org">${organization}</p><h1>${text}</h1><p><a href="${to}">${label}</a></p></main></body></html>
`.text
