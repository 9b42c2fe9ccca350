import { html, type Html, raw } from '../html.ts'
import { CallError } from '../mail.ts'
import type { UndoCall } from './flash.ts'
import type { Folder } from './folders-of.ts'
import { csrfField, folderOptions } from './page.ts'
import type { Visit } from './visit.ts'

/** Creating, renaming, moving and deleting folders. */

/** Folders on one page, each with the names of all others to move into. */
const PAGE = 8

interface SetAnswer {
  readonly created?: Readonly<Record<string, { readonly id: string }>> | null
  readonly notCreated?: Readonly<Record<string, { type: string; description?: string }>> | null
  readonly notUpdated?: Readonly<Record<string, { type: string; description?: string }>> | null
  readonly notDestroyed?: Readonly<Record<string, { type: string; description?: string }>> | null
}

export async function foldersPage(visit: Visit, error?: string): Promise<void> {
  const { say, session } = visit
  const folders = await visit.folders()
  const own = folders.filter(({ role }) => role === null)
  const pages = Math.max(1, Math.ceil(own.length / PAGE))
  const page = Math.max(1, Math.min(pages, Number.parseInt(visit.url.searchParams.get('page') ?? '1', 10) || 1))
  const row = (
    folder: Folder,
  ): Html => html`<tr><th scope="row">${raw('&nbsp;&nbsp;'.repeat(folder.depth))}${folder.name}</th><td>
<form method="post" action="/light/folders" class="bar">${csrfField(session)}<input type="hidden" name="id" value="${folder.id}"><label for="name-${folder.id}" class="plain">${say('renameTo', { name: folder.name })}</label> <input type="text" id="name-${folder.id}" name="name" value="${folder.name}" maxlength="255"><button name="act" value="rename">${say('rename')}</button></form>
<form method="post" action="/light/folders" class="bar">${csrfField(session)}<input type="hidden" name="id" value="${folder.id}"><label for="into-${folder.id}" class="plain">${say('moveFolder', { name: folder.name })}</label> <select id="into-${folder.id}" name="parent"><option value="">${say('top')}</option>${folderOptions(
    folders.filter(({ id }) => id !== folder.id),
    folder.parentId ?? undefined,
  )}</select><button name="act" value="move">${say('move')}</button></form>
<form method="post" action="/light/folders" class="bar">${csrfField(session)}<input type="hidden" name="id" value="${folder.id}"><label class="plain"><input type="checkbox" name="sure" value="1" required> ${say('deleteFolder', { name: folder.name })}</label><button name="act" value="delete">${say('delete')}</button></form></td></tr>`
  const body = html`<h2>${say('newFolder')}</h2><form method="post" action="/light/folders">${csrfField(session)}
<div class="field"><label for="new">${say('name')}</label><input type="text" id="new" name="name" maxlength="255" required></div>
<div class="field"><label for="parent">${say('inFolder')}</label><select id="parent" name="parent"><option value="">${say('top')}</option>${folderOptions(folders)}</select></div>
<button class="go" name="act" value="create">${say('create')}</button></form>
${own.length > 0 && html`<h2>${say('folders')}</h2><table>${own.slice((page - 1) * PAGE, page * PAGE).map(row)}</table>${pages > 1 && html`<nav class="bar" aria-label="${say('page', { page, pages })}">${Array.from({ length: pages }, (_, at) => html`<a class="button" href="/light/folders?page=${at + 1}"${at + 1 === page && raw(' aria-current="page"')}>${at + 1}</a>`)}</nav>`}`}`
  await visit.page(say('manageFolders'), body, error === undefined ? {} : { error, status: 422 })
}

export async function changeFolders(visit: Visit): Promise<void> {
  const { fields, say } = visit
  const id = fields.get('id') ?? ''
  const name = (fields.get('name') ?? '').trim()
  const parent = fields.get('parent') ?? ''
  const before = (await visit.folders()).find((one) => one.id === id)
  const act = fields.get('act') ?? ''
  let made: string | undefined
  try {
    const answer = await visit.ask<SetAnswer>(
      'Mailbox/set',
      changeOf(act, id, name, parent, fields.get('sure') === '1'),
    )
    made = answer.created?.new?.id
    const failed = [answer.notCreated, answer.notUpdated, answer.notDestroyed].flatMap((one) =>
      Object.values(one ?? {}),
    )[0]
    if (failed !== undefined) return foldersPage(visit, say('failed', { why: failed.description ?? failed.type }))
  } catch (error) {
    if (!(error instanceof CallError)) throw error
    return foldersPage(visit, say('failed', { why: error.type }))
  }
  const back: UndoCall | undefined =
    made !== undefined
      ? ['Mailbox/set', { destroy: [made] }]
      : before !== undefined && (act === 'rename' || act === 'move')
        ? ['Mailbox/set', { update: { [id]: { name: before.name, parentId: before.parentId } } }]
        : undefined
  visit.done('/light/folders', {
    text: say('saved'),
    at: '/light/folders',
    ...(back === undefined ? {} : { undo: [back] }),
  })
}

function changeOf(
  act: string,
  id: string,
  name: string,
  parent: string,
  sure: boolean,
): Readonly<Record<string, unknown>> {
  if (act === 'create') return { create: { new: { name, parentId: parent === '' ? null : parent } } }
  if (act === 'rename') return { update: { [id]: { name } } }
  if (act === 'move') return { update: { [id]: { parentId: parent === '' ? null : parent } } }
  if (act === 'delete' && sure) return { destroy: [id], onDestroyRemoveEmails: true }
  return {}
}
