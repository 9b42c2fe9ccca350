import type { ItemKeys } from '@postrider/domain'

/** A GID: [MS-OXCDATA] §2.2.1.3, the store's GUID and a 48-bit counter, big endian. */
function globalId(guid: Uint8Array, counter: number): Uint8Array {
  const id = new Uint8Array(22)
  id.set(guid)
  const view = new DataView(id.buffer)
  view.setUint16(16, Math.floor(counter / 2 ** 32))
  view.setUint32(18, counter % 2 ** 32)
  return id
}

/**
 * Replication keys of an item whose last change was made here: the change key is the XID of its change number, which alone is the
 * predecessor list (SizedXid), and the source key is that of its mid ([MS-OXCFXICS] §2.2.1.2, §2.2.2.3). So they need no columns;
 * `stored` has those that came from another replica.
 */
export function itemKeys(
  guid: Uint8Array,
  row: { readonly cn: number; readonly mid: number },
  stored: { changeKey: Uint8Array | null; predecessors: Uint8Array | null; sourceKey: Uint8Array | null },
): ItemKeys {
  const changeKey = stored.changeKey ?? globalId(guid, row.cn)
  return {
    changeKey,
    predecessors: stored.predecessors ?? Uint8Array.of(changeKey.length, ...changeKey),
    sourceKey: stored.sourceKey ?? globalId(guid, row.mid),
  }
}
