/**
 * The Light version (R18): the whole mail client by plain pages and forms, for text browsers, screen readers, slow lines and old browsers. No
 * script, no picture, one style sheet, at most 25 KB a page. In: requests of a session; out: pages, or a redirect after every POST. It speaks
 * to JMAP's method table in process. Everything a user does here is a page he opened, so every request is an act of his (R16). Read next:
 * visit.ts, page.ts, list.ts, compose.ts.
 */
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { findSession, type WebContext } from '../context.ts'
import { html } from '../html.ts'
import { answer, chosenLanguage, isForeign, redirect, sameText, urlOf } from '../request.ts'
import type { WebSession } from '../sessions.ts'
import { sendToSignIn } from '../shell.ts'
import { compose, composePage, rescue } from './compose.ts'
import { Flashes } from './flash.ts'
import { changeFolders, foldersPage } from './folders.ts'
import { postedForm } from './form.ts'
import { undo } from './acts.ts'
import { conversationPage } from './conversation.ts'
import { cancelHeld, heldPage } from './held.ts'
import { actOnList, folderPage, searchPage } from './list.ts'
import { morePage } from './more.ts'
import { peoplePage } from './people.ts'
import { sweep, sweepPage } from './sweep.ts'
import { optionPage, optionsPage } from './options.ts'
import { style, STYLE_PATH } from './page.ts'
import { actOnMail, readPage } from './read.ts'
import { loadPreferences } from './settings.ts'
import { Visit } from './visit.ts'

export interface Light {
  handle(request: IncomingMessage, response: ServerResponse): Promise<void>
}

const styleEtag = `"${createHash('sha256').update(style).digest('base64url').slice(0, 27)}"`
/** Around the files of a form. */
const FORM_ROOM = 1024 * 1024

export function createLight(context: WebContext): Light {
  const flashes = new Flashes(context.together)
  return {
    async handle(request, response) {
      const url = urlOf(request)
      if (url.pathname === STYLE_PATH) return serveStyle(request, response)
      const posts = request.method === 'POST'
      if (!posts && request.method !== 'GET' && request.method !== 'HEAD')
        return answer(response, 405, 'Only GET and POST are possible here.\n', { Allow: 'GET, HEAD, POST' })
      const found = await findSession(context, request)
      // What was being written when the session ended is kept as a draft: whoever sends it proves that the session was his.
      const late = !found.ok && posts && url.pathname === '/light/compose' ? found.late : undefined
      if (!found.ok && late === undefined) return sendToSignIn(context, request, response, found.why)
      const session = found.ok ? found.session : (late as WebSession)
      const maxBytes = context.config()['limits.messageSize'] + FORM_ROOM
      const posted = posts ? await postedForm(request, maxBytes) : undefined
      const preferences = await loadPreferences(context.service, session.principal.mailbox)
      const visit = new Visit({
        context,
        request,
        response,
        session,
        url,
        posted: posted === 'tooLarge' ? undefined : posted,
        preferences,
        language: preferences.language || (chosenLanguage(request) ?? session.principal.language),
        flashes,
      })
      if (posted === 'tooLarge') return visit.page(visit.say('tooLarge'), html``, { status: 413 })
      if (
        posts &&
        (posted === undefined || isForeign(request) || !sameText(visit.fields.get('csrf') ?? '', session.csrf))
      )
        return late === undefined
          ? visit.page(visit.say('stale'), html``, { status: 403 })
          : redirect(response, '/signin')
      if (!found.ok) {
        const saved = await rescue(visit)
        const query = new URLSearchParams({
          why: found.why,
          next: saved === undefined ? '/light/' : `/light/compose?draft=${saved}`,
        })
        return redirect(response, `/signin?${query}`)
      }
      context.sessions.act(session.id)
      if (!(await route(visit))) await visit.page(visit.say('lost'), html``, { status: 404 })
    },
  }
}

/** Answers; false when there is no such page. */
async function route(visit: Visit): Promise<boolean> {
  const [, , place = '', id = '', ...rest] = visit.url.pathname.split('/').map((one) => decode(one))
  const posts = visit.posted !== undefined
  const on = async (show: () => Promise<void>, change?: () => Promise<void>): Promise<boolean> => {
    const handler = posts ? change : show
    await handler?.()
    return handler !== undefined
  }
  switch (place) {
    case '':
      return on(async () =>
        visit.done(`/light/folder/${(await visit.folders()).find(({ role }) => role === 'inbox')?.id ?? ''}`),
      )
    case 'folder':
      return on(() => folderPage(visit, id))
    case 'list':
      return on(
        async () => visit.done('/light/'),
        () => actOnList(visit),
      )
    case 'undo':
      return on(
        async () => visit.done('/light/'),
        () => undo(visit),
      )
    case 'mail':
      return on(
        () => readPage(visit, id),
        () => actOnMail(visit, id),
      )
    case 'compose':
      return on(
        () => composePage(visit),
        () => compose(visit),
      )
    case 'acts':
      return on(() => morePage(visit))
    case 'conversation':
      return on(() => conversationPage(visit, id))
    case 'sweep':
      return on(
        () => sweepPage(visit, id),
        () => sweep(visit, id),
      )
    case 'held':
      return on(
        () => heldPage(visit),
        () => cancelHeld(visit),
      )
    case 'people':
      return on(() => peoplePage(visit))
    case 'search':
      return on(() => searchPage(visit))
    case 'folders':
      return on(
        () => foldersPage(visit),
        () => changeFolders(visit),
      )
    case 'options':
      return id === ''
        ? on(() => optionsPage(visit))
        : optionPage(visit, [id, ...rest].filter((one) => one !== '').join('/'))
    default:
      return false
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}

function serveStyle(request: IncomingMessage, response: ServerResponse): void {
  const headers = {
    'Content-Type': 'text/css; charset=utf-8',
    'Cache-Control': 'public, max-age=3600',
    ETag: styleEtag,
  }
  answer(
    response,
    request.headers['if-none-match'] === styleEtag ? 304 : 200,
    request.headers['if-none-match'] === styleEtag ? '' : style,
    headers,
  )
}
