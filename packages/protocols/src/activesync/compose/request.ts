/**
 * What SendMail, SmartReply and SmartForward ask for, in both dialects: ComposeMail elements from 14.0 on ([MS-ASCMD] §2.2.1.17,
 * §2.2.1.19, §2.2.1.20), raw MIME and query parameters up to 12.1 ([MS-ASHTTP] §2.2.1.1.1.1.3).
 */
import { child, type Element, has, ownBytes, text } from '@postrider/wire/wbxml'
import type { Context } from '../context.ts'
import { parseEasDate } from '../items/dates.ts'
import type { Request } from '../request.ts'
import { Status, StatusError } from '../status.ts'

export interface ComposeRequest {
  /** Undefined in 12.1. */
  readonly clientId: string | undefined
  readonly save: boolean
  readonly replaceMime: boolean
  readonly mime: Uint8Array
  readonly source: SourceIds | undefined
}

export interface SourceIds {
  readonly folderId: string | undefined
  readonly itemId: string | undefined
  readonly longId: string | undefined
  /** One occurrence of a series. */
  readonly instanceId: number | undefined
}

/** Characters of a ClientId: MS-ASCMD_R952. */
const MAX_CLIENT_ID = 40

/** Reads a request. Throws StatusError for what is missing or wrong. */
export function parseCompose(context: Context, request: Request, smart: boolean): ComposeRequest {
  return context.since('14.0') ? fromDocument(context, request, smart) : fromQuery(request, smart)
}

function fromQuery({ parameters, body }: Request, smart: boolean): ComposeRequest {
  const { collectionId, itemId, longId, occurrence, saveInSent } = parameters
  if (smart && itemId === undefined && longId === undefined) throw new StatusError(Status.InvalidCombinationOfIDs)
  return {
    clientId: undefined,
    save: saveInSent,
    replaceMime: false,
    mime: body,
    source: smart
      ? checkedSource({ folderId: collectionId, itemId, longId, instanceId: instance(occurrence) })
      : undefined,
  }
}

function fromDocument(context: Context, { document }: Request, smart: boolean): ComposeRequest {
  const clientId = text(document, 'ComposeMail:ClientId')?.trim() ?? ''
  if (document === undefined || clientId === '' || clientId.length > MAX_CLIENT_ID) {
    throw new StatusError(Status.InvalidXML, 'ClientId')
  }
  // No aggregate accounts: whatever is named is not one of them (MS-ASCMD_R724).
  if (context.since('14.1') && has(document, 'ComposeMail:AccountId')) throw new StatusError(Status.InvalidAccountId)
  if (has(document, 'RightsManagement:TemplateID')) throw new StatusError(Status.IRM_FeatureDisabled)
  const mime = child(document, 'ComposeMail:Mime')
  if (has(document, 'ComposeMail:Forwardees') || (smart && has(document, 'AirSyncBase:Body'))) {
    // MS-ASCMD_R7467, R7471: forwarding to Forwardees is for meetings, and stands alone.
    throw new StatusError(mime === undefined ? Status.InvalidSmartForwardParameters : Status.InvalidMimeBodyCombination)
  }
  if (mime === undefined) throw new StatusError(Status.InvalidXML, 'Mime')
  const source = child(document, 'ComposeMail:Source')
  if (smart && source === undefined) throw new StatusError(Status.InvalidXML, 'Source')
  return {
    clientId,
    save: has(document, 'ComposeMail:SaveInSentItems'),
    replaceMime: has(document, 'ComposeMail:ReplaceMime'),
    mime: ownBytes(mime),
    source: smart ? readSource(source) : undefined,
  }
}

function readSource(source: Element | undefined): SourceIds {
  const id = (tag: 'FolderId' | 'ItemId' | 'LongId') => text(source, `ComposeMail:${tag}`)?.trim() || undefined
  return checkedSource({
    folderId: id('FolderId'),
    itemId: id('ItemId'),
    longId: id('LongId'),
    instanceId: instance(text(source, 'ComposeMail:InstanceId')),
  })
}

/** MS-ASCMD_R541, R578: an InstanceId that is no date. */
function instance(value: string | undefined): number | undefined {
  if (value === undefined || value.trim() === '') return undefined
  const time = parseEasDate(value)
  if (time === undefined) throw new StatusError(Status.InvalidDateTime)
  return time
}

/** A LongId stands alone; without it there is an ItemId. */
function checkedSource(ids: SourceIds): SourceIds {
  const { folderId, itemId, longId } = ids
  if (longId === undefined ? itemId === undefined : itemId !== undefined || folderId !== undefined) {
    throw new StatusError(Status.InvalidCombinationOfIDs)
  }
  return ids
}
