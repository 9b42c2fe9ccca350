const CR = 13
const LF = 10

/** How the lines of a text end. `lf`: no line ends in CRLF, and bytes are the same again after LF → CRLF → LF. */
function survey(bytes: Uint8Array): { readonly bare: number; readonly crlf: number; readonly doubled: boolean } {
  let bare = 0
  let crlf = 0
  let doubled = false
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (at === 0 || bytes[at - 1] !== CR) bare++
    else {
      crlf++
      if (at > 1 && bytes[at - 2] === CR) doubled = true
    }
  }
  return { bare, crlf, doubled }
}

/** A mail as files hold it → with CRLF at the end of every line (RFC 5322 §2.1). A bare CR is content and stays. Linear. */
export function withCrlf(bytes: Uint8Array): Uint8Array {
  const { bare } = survey(bytes)
  if (bare === 0) return bytes
  const out = Buffer.allocUnsafeSlow(bytes.length + bare)
  let size = 0
  let from = 0
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (at > 0 && bytes[at - 1] === CR) continue
    out.set(bytes.subarray(from, at), size)
    size += at - from
    out[size++] = CR
    from = at
  }
  out.set(bytes.subarray(from), size)
  return out
}

/** A mail → with LF at the end of every line, as Maildir and mbox want it; with CRLF where LF would lose a CR. `withCrlf` is its inverse. */
export function withLf(mail: Uint8Array): Uint8Array {
  const bytes = withCrlf(mail)
  const { crlf, doubled } = survey(bytes)
  if (doubled || crlf === 0) return bytes
  const out = Buffer.allocUnsafeSlow(bytes.length - crlf)
  let size = 0
  let from = 0
  for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    out.set(bytes.subarray(from, at - 1), size)
    size += at - 1 - from
    from = at
  }
  out.set(bytes.subarray(from), size)
  return out
}
