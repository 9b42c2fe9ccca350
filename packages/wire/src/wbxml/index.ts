/**
 * WBXML as ActiveSync uses it: [MS-ASWBXML] over [WBXML 1.3]. In: the bytes of a request or response body. Out: a tree of
 * elements whose tags are typed names (`AirSync:Sync`). Invariants: decoding never throws and is linear within named
 * limits; what encoding writes, decoding reads back; a tag outside the client's protocol version never reaches the wire.
 * The tables stand in pages/, one file per code page. Read next: [MS-ASCMD], in protocols/activesync.
 */

export {
  type DecodeOptions,
  type DecodeResult,
  decodeWbxml,
  type UnknownToken,
  type WbxmlDocument,
  type WbxmlLimits,
  wbxmlLimits,
} from './decode.ts'
export {
  bytes,
  type Child,
  type Content,
  child,
  children,
  type Element,
  el,
  flag,
  has,
  integer,
  isElement,
  ownBytes,
  ownText,
  text,
} from './element.ts'
export { type EncodeOptions, encodeWbxml, wireText } from './encode.ts'
export { WbxmlError, type WbxmlReason } from './error.ts'
export { type Gate, type ProtocolVersion, protocolVersions, versionIndex } from './page.ts'
export { allTags, isTag, knowsTag, type Namespace, type Tag, type TagEntry, tagEntry } from './tags.ts'
export { toXml, type XmlOptions } from './xml.ts'
