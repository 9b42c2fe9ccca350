import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Loaded } from '../config/load.ts'
import { lockFolder } from '../control/lock.ts'
import { prepareFolder } from '../offline.ts'
import { syncFolder } from '../transfer/write-file.ts'
import { FENCE_FILE, readFence, writeFence } from './state.ts'

/** Of this machine, and not of the mailboxes. */
const stays = /^(?:postrider\.(?:lock|pid|json)|before-.*|standby\..*)$/

/**
 * Makes a data folder a standby's: what is in it, with whatever was never sent to another server, is moved into a folder of its own. Nothing is deleted. Answers
 * that folder, null when there was nothing. Throws FolderInUse.
 */
export function aside(loaded: Loaded, now: number): string | null {
  const { dataFolder } = loaded
  prepareFolder(dataFolder)
  const lock = lockFolder(dataFolder)
  try {
    const state = readFence(dataFolder)
    const there = readdirSync(dataFolder).filter((name) => !stays.test(name))
    const kept = join(dataFolder, `before-standby-${new Date(now).toISOString().replaceAll(':', '-')}`)
    if (there.length > 0) {
      mkdirSync(kept, { mode: 0o700 })
      for (const name of there) renameSync(join(dataFolder, name), join(kept, name))
      if (existsSync(join(dataFolder, FENCE_FILE))) renameSync(join(dataFolder, FENCE_FILE), join(kept, FENCE_FILE))
      syncFolder(kept)
    }
    writeFence(dataFolder, { role: 'standby', epoch: state?.by ?? state?.epoch ?? 0 })
    return there.length > 0 ? kept : null
  } finally {
    lock.release()
  }
}
