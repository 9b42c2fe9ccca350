import type { Language, Preferences } from '@postrider/domain'
import { type Html, html, raw } from '../html.ts'
import type { WebSession } from '../sessions.ts'
import type { Folder } from './folders-of.ts'
import { lightText, type LightTextKey } from './texts.ts'

/** The frame of every page of the Light version: one style sheet, landmarks, numbered access keys, nothing that moves. */

export const STYLE_PATH = '/light/style.css'
const dark = (selector: string): string =>
  `${selector}{color-scheme:dark;--bg:#16191d;--soft:#20242a;--line:#3b424c;--control:#8b95a3;--text:#eceff3;--text-2:#b3bcc8;--accent:#8ab8ff;--danger:#ff9a92}`
export const style = `body{color-scheme:light dark;--bg:#fff;--soft:#f3f5f8;--line:#c9ced6;--control:#6b7480;--text:#1d2126;--text-2:#4d5561;--accent:#1a56b0;--danger:#a3201a}
${dark('body.dark')}@media (prefers-color-scheme:dark){${dark('body:not(.light)')}}body.light{color-scheme:light}body.more{--line:var(--control);--control:currentColor;--text-2:var(--text)}body.compact td,body.compact th{padding-block:2px}body.roomy td,body.roomy th{padding-block:12px}
*{box-sizing:border-box}body{margin:0;background:var(--bg);color:var(--text);font:16px/1.5 "Segoe UI",system-ui,-apple-system,Roboto,"Noto Sans",sans-serif}
a{color:var(--accent)}a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,textarea:focus-visible,summary:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.skip{position:absolute;inset-inline-start:-999px}.skip:focus{inset-inline-start:8px;top:8px;background:var(--bg);padding:8px}
header{display:flex;flex-wrap:wrap;gap:4px 16px;align-items:center;padding:8px 16px;border-bottom:1px solid var(--line);background:var(--soft)}
header .brand{font-weight:600;margin-inline-end:auto}header form{display:flex;flex-wrap:wrap;gap:4px;align-items:center;margin:0;min-width:0}
.cols{display:grid;grid-template-columns:15rem minmax(0,1fr);min-height:calc(100vh - 100px)}nav.folders{grid-column:1;grid-row:1;padding:12px 8px 24px 12px;border-inline-end:1px solid var(--line)}main{grid-column:2;grid-row:1}
nav ul{list-style:none;margin:0;padding:0}nav.folders li a{display:flex;justify-content:space-between;gap:8px;padding:4px 8px;border-radius:6px;text-decoration:none;color:inherit}nav.folders li a:hover{background:var(--soft)}nav a[aria-current]{background:var(--soft);font-weight:600;box-shadow:inset 3px 0 var(--accent)}
nav li li{margin-inline-start:12px}.n{color:var(--text-2);font-variant-numeric:tabular-nums}
main{padding:12px 20px 32px;min-width:0}h1{font-size:1.4rem;line-height:1.3;margin:.2em 0 .5em;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:1.4em 0 .4em}
button,.button,input,select,textarea{font:inherit;color:inherit}button,.button{display:inline-flex;align-items:center;justify-content:center;min-height:36px;padding:5px 14px;border:1px solid var(--control);border-radius:6px;background:var(--bg);cursor:pointer;text-decoration:none}button:hover,.button:hover{background:var(--soft)}.go{background:var(--accent);border-color:var(--accent);color:var(--bg);font-weight:600}.go:hover{background:var(--accent);text-decoration:underline}
input[type=text],input[type=email],input[type=search],input[type=password],select,textarea{min-height:36px;padding:4px 10px;border:1px solid var(--control);border-radius:6px;background:var(--bg);max-width:100%}textarea{width:100%;font:16px/1.5 ui-monospace,Consolas,monospace;padding:8px 10px}
input[type=checkbox],input[type=radio]{width:20px;height:20px;vertical-align:-4px;accent-color:var(--accent)}
.field{margin:0 0 12px;display:grid;gap:2px;max-width:46rem}.field>input,.field>select{width:100%}label,legend{font-weight:600}label.plain{font-weight:400}fieldset{min-width:0;border:1px solid var(--line);border-radius:10px;margin:0 0 12px;padding:8px 16px}
.hint{color:var(--text-2);font-size:.9rem;margin:2px 0}.bar{display:flex;flex-wrap:wrap;gap:8px;align-items:center;margin:8px 0}
table{border-collapse:collapse;width:100%}th,td{text-align:start;vertical-align:top;padding:6px 8px 6px 0;border-bottom:1px solid var(--line)}th{font-size:.9rem;color:var(--text-2);font-weight:600}.list td{overflow-wrap:anywhere}.list tr.unread td{font-weight:600}.list .c{width:32px}.list td.d{white-space:nowrap;font-variant-numeric:tabular-nums;font-weight:400;color:var(--text-2)}.list .s a{color:inherit;text-decoration:none}.list .s a:hover{text-decoration:underline}.list tr.unread td.d{font-weight:400}.list tr:hover td{background:var(--soft)}.mark{font-size:.85rem;font-weight:400;color:var(--text-2)}.list .f{width:24%}.list th.c{max-width:32px;overflow:hidden;font-size:0}
dl.head{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:2px 12px;margin:0 0 12px}dl.head dt{color:var(--text-2)}dl.head dd{margin:0;overflow-wrap:anywhere}
.body{border-top:1px solid var(--line);padding-top:12px;overflow-wrap:anywhere;max-width:72ch}.body img{max-width:100%}.pr-plain{white-space:pre-wrap}.pr-quote{margin:0;padding-inline-start:12px;border-inline-start:2px solid var(--line)}.pr-mail{overflow-x:auto}.pr-mail table{width:auto}.pr-mail th,.pr-mail td{border-color:var(--line);padding:2px 6px}.body+form,.body+p{margin-top:24px}.pr-blocked{border:1px dashed var(--control)}
.note,.error{border-radius:10px;padding:8px 16px;margin:0 0 12px;background:var(--soft)}.error{background:none;border:2px solid var(--danger)}.error h2{margin:0;color:var(--danger)}.note form{display:inline}
footer{padding:8px 16px;border-top:1px solid var(--line);color:var(--text-2);font-size:.9rem}pre.key{font-size:1.1rem;user-select:all;overflow-x:auto}
@media (max-width:760px){.cols{grid-template-columns:minmax(0,1fr)}nav.folders{grid-row:2;border:0;border-top:1px solid var(--line)}main{grid-column:1;padding:8px 12px}nav.folders li a{padding:10px 8px}.list thead{position:absolute;inset-inline-start:-999px}.list tr{display:grid;grid-template-columns:32px minmax(0,1fr) auto;border-bottom:1px solid var(--line)}.list td{border:0;padding:4px}.list .s a{display:block;padding:2px 0}.list .c{grid-row:1/3}.list td.f{width:auto}.list td.d{grid-column:3;grid-row:1}.list td.s{grid-column:2/4;grid-row:2}.list td.z{display:none}button,.button{min-height:44px}.bar{gap:6px}.bar button,.bar .button{padding:4px 10px}header label{position:absolute;inset-inline-start:-999px}}
@media print{header,nav,footer,.bar{display:none}.cols{display:block}}`

export interface Frame {
  readonly language: Language
  readonly organization: string
  readonly title: string
  readonly session: WebSession
  readonly folders: readonly Folder[]
  /** The mailbox that is shown. */
  readonly current?: string
  readonly query?: string
  /** What has just happened. */
  readonly note?: Html | undefined
  readonly error?: string | undefined
  readonly endsAt: string
  readonly look: Pick<Preferences, 'theme' | 'contrast' | 'density'>
}
const lookOf = ({ theme, contrast, density }: Frame['look']): string =>
  [theme, contrast, density].filter((one) => one !== 'system' && one !== 'normal').join(' ')

export const csrfField = ({ csrf }: WebSession): Html => html`<input type="hidden" name="csrf" value="${csrf}">`

export function renderPage(frame: Frame, body: Html): string {
  const { language, organization, title, session, folders, current, query = '', note, error, endsAt } = frame
  const say = (key: LightTextKey, parameters?: Record<string, string | number>) => lightText(language, key, parameters)
  return html`<!DOCTYPE html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">
<title>${title} – ${organization}</title><link rel="stylesheet" href="${STYLE_PATH}"></head>
<body class="${lookOf(frame.look)}"><a class="skip" href="#main">${say('skip')}</a>
<header><span class="brand">${organization}</span><a href="/light/compose" accesskey="n">${say('newMail')}</a>
<form role="search" method="get" action="/light/search"><label for="q">${say('search')}</label> <input type="search" id="q" name="q" value="${query}" size="18" accesskey="s"><button>${say('search')}</button></form>
<a href="/light/options" accesskey="o">${say('settings')}</a><form method="post" action="/signout">${csrfField(session)}<button>${say('signOut')}</button></form></header>
<div class="cols"><main id="main" tabindex="-1"><h1>${title}</h1>
${error !== undefined && html`<div class="error" role="alert"><h2>${say('problem')}</h2><p>${error}</p></div>`}${note !== undefined && html`<div class="note" role="status">${note}</div>`}
${body}</main>
<nav class="folders" aria-label="${say('folders')}">${tree(folders, null, current, say, 0)}<p><a href="/light/people">${say('people')}</a><br><a href="/light/held">${say('held')}</a><br><a href="/light/folders">${say('manageFolders')}</a></p></nav></div>
<footer>${say('signedIn', { user: session.principal.address, time: endsAt })} <a href="/mail/">${say('fullVersion')}</a></footer></body></html>
`.text
}

const MAX_NESTING = 8
function tree(
  folders: readonly Folder[],
  parent: string | null,
  current: string | undefined,
  say: (key: LightTextKey) => string,
  depth: number,
): Html | undefined {
  const own = folders.filter((one) => one.parentId === parent)
  if (own.length === 0 || depth > MAX_NESTING) return undefined
  return html`<ul>${own.map((folder, at) => {
    const key = depth === 0 && at < 9 && html` accesskey="${at + 1}"`
    const count =
      folder.unreadEmails > 0 &&
      html`<span class="n">${folder.unreadEmails} <span class="mark">${say('unread')}</span></span>`
    return html`<li><a href="/light/folder/${folder.id}"${folder.id === current && raw(' aria-current="page"')}${key}>${folder.name} ${count}</a>${tree(folders, folder.id, current, say, depth + 1)}</li>`
  })}</ul>`
}

/** A select of folders. */
export const folderOptions = (folders: readonly Folder[], chosen?: string): Html =>
  html`${folders.map(({ id, name, depth }) => html`<option value="${id}"${id === chosen && raw(' selected')}>${raw('&nbsp;&nbsp;'.repeat(depth))}${name}</option>`)}`
