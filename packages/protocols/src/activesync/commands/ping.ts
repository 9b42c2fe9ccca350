/**
 * Ping: [MS-ASCMD] §2.2.1.13, §3.1.5.8. Waits until new items are in one of the folders, as seen from the last key the
 * device got for it. What is kept while it waits: folder ids, their cursors, the response to write to.
 */
import { type ChangeNumber, type Folder, HintKind } from '@postrider/domain'
import { child, children, type Element, el, integer, text } from '@postrider/wire/wbxml'
import { type Answer, command, document } from '../command.ts'
import type { Context } from '../context.ts'
import { findFolder, type ShownHierarchy, shownHierarchy } from '../folders.ts'
import type { Held } from '../held/held.ts'
import { look } from '../held/pending.ts'
import type { Request } from '../request.ts'
import { difference, loadHierarchy, sameHierarchy } from '../state/hierarchy.ts'
import { loadPing, type PingParameters, putPing } from '../state/ping.ts'
import { loadRecord } from '../sync/record.ts'

/** Status of Ping: [MS-ASCMD] §2.2.3.177.11. */
const PingStatus = {
  expired: 1,
  changes: 2,
  missingParameters: 3,
  syntax: 4,
  interval: 5,
  tooManyFolders: 6,
  folderSync: 7,
  serverError: 8,
} as const

export const ping = command({
  name: 'Ping',
  first: '12.1',
  needsProvisioning: true,
  body: 'optional',
  root: 'Ping:Ping',
  statusTag: 'Ping:Status',
  run,
})

/** One folder waited for. */
interface Target {
  readonly id: string
  readonly folder: Folder
  readonly cursor: ChangeNumber
  readonly cutoff: number
  /** Items wait to be fetched already: the first sync of the folder is not through. */
  readonly unfinished: boolean
}

const answer = (status: number, ...more: Element[]): Answer =>
  document(el('Ping:Ping', el('Ping:Status', status), ...more))

const changed = (ids: readonly string[]): Answer =>
  answer(PingStatus.changes, el('Ping:Folders', ...ids.map((id) => el('Ping:Folder', id))))

async function run(context: Context, request: Request): Promise<Answer> {
  const { mailbox, device, deps } = context
  const cached = await loadPing(mailbox, device.id)
  const read = readParameters(request.document, cached)
  if ('status' in read) return answer(read.status)
  const { minHeartbeatInterval, maxHeartbeatInterval, maxFolders } = deps.settings
  const { heartbeatInterval } = read
  if (!(heartbeatInterval >= minHeartbeatInterval && heartbeatInterval <= maxHeartbeatInterval)) {
    const nearest = heartbeatInterval < minHeartbeatInterval ? minHeartbeatInterval : maxHeartbeatInterval
    return answer(PingStatus.interval, el('Ping:HeartbeatInterval', nearest))
  }
  if (read.folders.length > maxFolders) {
    return answer(PingStatus.tooManyFolders, el('Ping:MaxFolders', maxFolders))
  }
  const folders = await mailbox.hierarchy()
  const targets: Target[] = []
  for (const id of read.folders) {
    const folder = findFolder(folders, id)
    if (folder === undefined) return answer(PingStatus.folderSync)
    targets.push(await targetOf(context, id, folder))
  }
  const seen = shown(context, folders)
  const parameters: PingParameters = { ...read, told: seen.state }
  if (cached?.told !== parameters.told && (await outdated(context, seen)) === true) {
    return tellFolders(context, parameters)
  }
  if (JSON.stringify(parameters) !== JSON.stringify(cached)) await mailbox.apply([putPing(device.id, parameters)])
  const unfinished = targets.filter((target) => target.unfinished)
  if (unfinished.length > 0) return changed(unfinished.map((target) => target.id))
  return { kind: 'held', held: hold(context, targets, parameters, folders) }
}

const shown = (context: Context, folders: readonly Folder[]): ShownHierarchy =>
  shownHierarchy(folders, context.since('14.0') && !context.quirks.hideSpecialFolders)

/** Whether these are not the folders the device has in its list; undefined for a device without a list. */
async function outdated(context: Context, now: ShownHierarchy): Promise<boolean | undefined> {
  const known = await loadHierarchy(context.mailbox, context.device.id)
  return known === undefined ? undefined : !sameHierarchy(difference(known.folders, now.folders))
}

/** The state of the folders when it is another than the one told of, and not the device's own doing. */
async function foldersChanged(
  context: Context,
  told: string | undefined,
  before: readonly Folder[],
): Promise<string | undefined> {
  const folders = await context.mailbox.hierarchy()
  if (folders === before) return undefined
  const now = shown(context, folders)
  return now.state === told || (await outdated(context, now)) === false ? undefined : now.state
}

/**
 * Status 7: MS-ASCMD_R4257, R4258. Said once of each state of the folders: a client that does not mind it would come back at once, again
 * and again, and never hear of a mail.
 */
async function tellFolders(context: Context, parameters: PingParameters, waited = false): Promise<Answer> {
  await context.mailbox.apply([putPing(context.device.id, parameters, waited)])
  return answer(PingStatus.folderSync)
}

const pingClasses: ReadonlySet<string> = new Set(['Email', 'Calendar', 'Contacts', 'Tasks', 'Notes', 'SMS'])

/** The request's parameters, what is missing taken from the last Ping. */
function readParameters(
  root: Element | undefined,
  cached: PingParameters | undefined,
): Omit<PingParameters, 'told'> | { readonly status: number } {
  const interval = integer(root, 'Ping:HeartbeatInterval')
  if (Number.isNaN(interval)) return { status: PingStatus.syntax }
  const list = child(root, 'Ping:Folders')
  const named = children(list, 'Ping:Folder')
  // [MS-ASCMD] §2.2.3.27.4; clients that leave it out are served all the same.
  const classes = named.map((folder) => text(folder, 'Ping:Class')?.trim() ?? '')
  if (classes.some((name) => name !== '' && !pingClasses.has(name))) return { status: PingStatus.syntax }
  const ids = named.map((folder) => text(folder, 'Ping:Id')?.trim() ?? '')
  if (ids.some((id) => id === '' || id.length > 64)) return { status: PingStatus.syntax }
  // MS-ASCMD_R6699: the same folder twice is a syntax error.
  if (new Set(ids).size !== ids.length) return { status: PingStatus.syntax }
  const heartbeatInterval = interval ?? cached?.heartbeatInterval
  const folders = ids.length > 0 ? ids : cached?.folders
  if (heartbeatInterval === undefined || folders === undefined) return { status: PingStatus.missingParameters }
  return { heartbeatInterval, folders }
}

/** MS-ASCMD_R5636: from the last key the device got. A folder that was never synced is watched from now on. */
async function targetOf(context: Context, id: string, folder: Folder): Promise<Target> {
  const record = await loadRecord(context.mailbox, context.device.id, folder.id)
  if (record === undefined) {
    const { change } = await context.mailbox.info()
    return { id, folder, cursor: change, cutoff: 0, unfinished: false }
  }
  const { point } = record
  const started = point.walk !== 'todo'
  const cursor = started ? point.cursor : (await context.mailbox.info()).change
  return { id, folder, cursor, cutoff: point.cutoff, unfinished: started && point.walk !== 'done' }
}

function hold(context: Context, found: readonly Target[], parameters: PingParameters, before: readonly Folder[]): Held {
  const { mailbox, quirks } = context
  const all = quirks.pingOnChanges
  const targets = [...found]
  return {
    mailbox: mailbox.mailbox,
    folders: new Set(targets.map((target) => target.folder.id)),
    kinds:
      HintKind.hierarchy |
      (all ? HintKind.added | HintKind.changed | HintKind.removed | HintKind.readChanged : HintKind.added),
    waitMs: parameters.heartbeatInterval * 1000,
    async check(hint) {
      const hierarchy =
        hint === undefined ||
        hint.folders.length === 0 ||
        hint.folders.some(({ kinds }) => (kinds & HintKind.hierarchy) !== 0)
      if (hierarchy) {
        const told = await foldersChanged(context, parameters.told, before)
        if (told !== undefined) return tellFolders(context, { ...parameters, told }, true)
      }
      const touched =
        hint === undefined || hint.folders.length === 0 ? undefined : new Set(hint.folders.map((one) => one.id))
      const rung: string[] = []
      for (const [index, target] of targets.entries()) {
        if (touched !== undefined && !touched.has(target.folder.id)) continue
        const seen = await look(mailbox, target, all)
        if (seen.pending) rung.push(target.id)
        else targets[index] = { ...target, cursor: seen.cursor }
      }
      return rung.length > 0 ? changed(rung) : undefined
    },
    expired: () => answer(PingStatus.expired),
    // The device pings anew: this answer most likely reaches nobody, and says what is true.
    replaced: () => answer(PingStatus.expired),
  }
}
