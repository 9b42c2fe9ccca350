/** A ClientHello is looked at up to here; larger ones are no validator's. */
export const MAX_HELLO = 16_384

/**
 * What the first bytes of a connection ask for (RFC 8446 §4.1.2): the server name and the application protocols. `more` when the ClientHello
 * is not complete, undefined when it is none. Linear.
 */
export function readClientHello(
  bytes: Buffer,
): { readonly name: string; readonly protocols: readonly string[] } | 'more' | undefined {
  const records: Buffer[] = []
  let have = 0
  let wanted = 4
  for (let at = 0; have < wanted; ) {
    if (bytes.length >= at + 1 && bytes[at] !== 22) return undefined
    if (bytes.length < at + 5) return at > MAX_HELLO ? undefined : 'more'
    const length = bytes.readUInt16BE(at + 3)
    const part = bytes.subarray(at + 5, at + 5 + length)
    records.push(part)
    have += part.length
    const start = Buffer.concat(records)
    if (start.length >= 1 && start[0] !== 1) return undefined
    if (start.length >= 4) wanted = 4 + start.readUIntBE(1, 3)
    if (wanted > MAX_HELLO) return undefined
    if (part.length < length && have < wanted) return 'more'
    at += 5 + length
  }
  try {
    return extensionsOf(Buffer.concat(records).subarray(4, wanted))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

function extensionsOf(hello: Buffer): { name: string; protocols: readonly string[] } {
  let at = 34
  at += 1 + hello.readUInt8(at)
  at += 2 + hello.readUInt16BE(at)
  at += 1 + hello.readUInt8(at)
  let name = ''
  const protocols: string[] = []
  const end = Math.min(hello.length, at + 2 + hello.readUInt16BE(at))
  for (at += 2; at + 4 <= end; ) {
    const type = hello.readUInt16BE(at)
    const body = hello.subarray(at + 4, at + 4 + hello.readUInt16BE(at + 2))
    at += 4 + body.length
    if (type === 0) name = body.toString('latin1', 5, 5 + body.readUInt16BE(3)).toLowerCase()
    if (type !== 16) continue
    for (let i = 2; i < body.length; i += 1 + body.readUInt8(i))
      protocols.push(body.toString('latin1', i + 1, i + 1 + body.readUInt8(i)))
  }
  return { name, protocols }
}
