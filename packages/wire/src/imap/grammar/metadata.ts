import type { ArgumentReader, ByteString } from '../reader.ts'

/** GETMETADATA: RFC 5464 §4.2. */
export interface GetMetadataArguments {
  readonly mailbox: string
  /** As the client wrote them. */
  readonly entries: readonly string[]
  /** Octets; longer values are left out and counted. */
  readonly maxSize: number | undefined
  /** Levels below the entries named. */
  readonly depth: 0 | 1 | 'infinity'
}

/** SETMETADATA: RFC 5464 §4.3. An undefined value takes the entry away. */
export interface SetMetadataArguments {
  readonly mailbox: string
  readonly values: readonly { readonly entry: string; readonly value: ByteString | undefined }[]
}

const words = (r: ArgumentReader): string[] => r.list(() => r.text(), 'filled')

/** The options stand before the mailbox in the RFC's grammar and behind it in its examples: both are understood. */
function readGet(r: ArgumentReader): GetMetadataArguments {
  r.space()
  let options: string[] = []
  if (r.atList) {
    options = words(r)
    r.space()
  }
  const mailbox = r.mailbox()
  r.space()
  let entries = r.atList ? words(r) : [r.text()]
  if (options.length === 0 && r.optionalSpace()) {
    options = entries
    entries = r.atList ? words(r) : [r.text()]
  }
  return { mailbox, entries, ...readOptions(r, options) }
}

function readOptions(r: ArgumentReader, options: readonly string[]): Pick<GetMetadataArguments, 'maxSize' | 'depth'> {
  let maxSize: number | undefined
  let depth: GetMetadataArguments['depth'] = 0
  for (let i = 0; i < options.length; i += 2) {
    const name = options[i]?.toUpperCase()
    const value = options[i + 1]?.toLowerCase() ?? ''
    if (name === 'MAXSIZE' && /^\d{1,10}$/.test(value)) maxSize = Number(value)
    else if (name === 'DEPTH' && (value === '0' || value === '1')) depth = value === '0' ? 0 : 1
    else if (name === 'DEPTH' && value === 'infinity') depth = 'infinity'
    else r.fail('Unknown GETMETADATA option')
  }
  return { maxSize, depth }
}

function readSet(r: ArgumentReader): SetMetadataArguments {
  const mailbox = r.space().mailbox()
  const values = r.space().list(() => {
    const entry = r.text()
    return { entry, value: r.space().nstring() }
  }, 'filled')
  return { mailbox, values }
}

/** Arguments of the commands of RFC 5464. */
export const metadataCommands = { GETMETADATA: readGet, SETMETADATA: readSet } as const
