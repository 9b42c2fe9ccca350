/** FolderSync: [MS-ASCMD] §2.2.1.5. In: the key the device has. Out: what changed since, and the key that stands for it. */
import { child, el, text } from '@postrider/wire/wbxml'
import { reinitializeHeaders } from '../announce.ts'
import { type Answer, command, document } from '../command.ts'
import type { Context } from '../context.ts'
import { type ShownFolder, shownFolders } from '../folders.ts'
import type { Request } from '../request.ts'
import { putDevice } from '../state/device.ts'
import {
  advance,
  changesElement,
  difference,
  firstHierarchy,
  type HierarchyChanges,
  type HierarchyRecord,
  hierarchyKey,
  loadHierarchy,
  meaningOf,
  putHierarchy,
  sameHierarchy,
} from '../state/hierarchy.ts'

/** Status of the folder commands: [MS-ASCMD] §2.2.3.177.3 to §2.2.3.177.6. */
export const FolderStatus = {
  success: 1,
  exists: 2,
  special: 3,
  notFound: 4,
  parentNotFound: 5,
  serverError: 6,
  invalidSyncKey: 9,
  malformed: 10,
  unknown: 11,
} as const

export const folderSync = command({
  name: 'FolderSync',
  first: '12.1',
  needsProvisioning: true,
  body: 'wbxml',
  root: 'FolderHierarchy:FolderSync',
  statusTag: 'FolderHierarchy:Status',
  run: (context, request) => context.exclusive(() => run(context, request)),
})

const status = (value: number): Answer =>
  document(el('FolderHierarchy:FolderSync', el('FolderHierarchy:Status', value)))

async function run(context: Context, request: Request): Promise<Answer> {
  const syncKey = text(request.document, 'FolderHierarchy:SyncKey')?.trim()
  if (child(request.document, 'FolderHierarchy:SyncKey') === undefined || syncKey === undefined || syncKey === '') {
    return status(FolderStatus.malformed)
  }
  const now = await currentFolders(context)
  if (syncKey === '0') return initial(context, request, now)
  const meaning = meaningOf(await loadHierarchy(context.mailbox, context.device.id), syncKey)
  if (meaning.kind === 'unknown') return status(FolderStatus.invalidSyncKey)
  const { record } = meaning
  if (meaning.kind === 'current') {
    const changes = difference(record.folders, now)
    if (sameHierarchy(changes)) return answer(record, changes)
    return store(context, advance(record, record, now), changes)
  }
  // The answer to the key before was lost: what is different from there, under the same new key if it is still that.
  const changes = difference(meaning.previous.folders, now)
  if (sameHierarchy(difference(record.folders, now))) return answer(record, changes)
  return store(context, advance(record, meaning.previous, now), changes)
}

/** The folders this client is shown now. */
async function currentFolders(context: Context): Promise<ShownFolder[]> {
  const folders = await context.mailbox.folders()
  return shownFolders(folders, context.since('14.0') && !context.quirks.hideSpecialFolders)
}

async function initial(context: Context, request: Request, now: readonly ShownFolder[]): Promise<Answer> {
  const { mailbox, device, deps } = context
  const record = firstHierarchy(now)
  const seen = {
    ...device,
    type: request.deviceType,
    userAgent: request.userAgent,
    version: context.version,
    lastSeen: deps.clock.now(),
  }
  await mailbox.apply([putHierarchy(device.id, record), putDevice(seen)])
  const { root } = element(record, difference([], now))
  return document(root, reinitializeHeaders(context.quirks))
}

async function store(context: Context, record: HierarchyRecord, changes: HierarchyChanges): Promise<Answer> {
  await context.mailbox.apply([putHierarchy(context.device.id, record)])
  return answer(record, changes)
}

const answer = (record: HierarchyRecord, changes: HierarchyChanges): Answer => document(element(record, changes).root)

const element = (record: HierarchyRecord, changes: HierarchyChanges) => ({
  root: el(
    'FolderHierarchy:FolderSync',
    el('FolderHierarchy:Status', FolderStatus.success),
    el('FolderHierarchy:SyncKey', hierarchyKey(record)),
    changesElement(changes),
  ),
})
