/**
 * A phone for tests: ActiveSync 12.1 to 16.1 over HTTP, in both query forms, with a mirror of what the server told it,
 * replies that get lost, and the schemas of the documents as a judge of every answer. Start with phone.ts.
 */
export { Mirror, type MirrorItem } from './mirror.ts'
export { changeOf, deleteOf, Phone, type PhoneFolder, type Rung, type Synced, type SyncOptions } from './phone.ts'
export { type Invalid, schemaFolder, schemaMissing, type Validation, validate } from './schema.ts'
export {
  type Call,
  exchange,
  LostReply,
  type PhoneSettings,
  path,
  type QueryParameters,
  queryOf,
  type Reply,
} from './transport.ts'
