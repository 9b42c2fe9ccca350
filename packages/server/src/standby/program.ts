import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { SpokenError } from '@postrider/domain'
import { openDirectory } from '@postrider/store/directory'
import { Words } from '../cli/command.ts'
import { answerControl } from '../cli/run.ts'
import type { AnyCommand } from '../cli/command.ts'
import type { Loaded } from '../config/load.ts'
import { lockFolder } from '../control/lock.ts'
import { serveControl } from '../control/socket.ts'
import { DIRECTORY_FILE, prepareFolder } from '../offline.ts'
import { openLog } from '../operations/log.ts'
import { notifySystemd } from '../operations/systemd.ts'
import { keyFile } from './key.ts'
import { Receiver } from './receiver.ts'
import { readFence, writeFence } from './state.ts'
import { readKey } from './stream.ts'

/** A server that follows another. */
export interface RunningStandby {
  readonly listens: string
  /** Resolves when it was promoted, everything of the standby closed: the folder is a primary's. */
  readonly promoted: Promise<void>
  stop(): Promise<void>
}

/** Starts following. Rejects, with everything closed again, when it cannot. */
export async function startStandby(loaded: Loaded, commands: readonly AnyCommand[]): Promise<RunningStandby> {
  const { config, dataFolder } = loaded
  const { log, flush } = openLog(config['log.level'], config['log.format'], false)
  prepareFolder(dataFolder)
  const lock = lockFolder(dataFolder)
  try {
    const state = readFence(dataFolder) ?? { role: 'standby', epoch: 0 }
    if (!existsSync(join(dataFolder, 'standby.json')) && existsSync(join(dataFolder, DIRECTORY_FILE)))
      throw new SpokenError({
        en: `${dataFolder} holds mailboxes of its own. \`postrider standby rejoin\` moves them aside and makes it a standby.`,
        fr: `${dataFolder} contient ses propres boîtes. « postrider standby rejoin » les met de côté et en fait un secours.`,
      })
    const listen = config['standby.listen']
    if (listen === '')
      throw new SpokenError({
        en: 'A standby needs standby.listen: where its primary reaches it.',
        fr: 'Un serveur de secours a besoin de standby.listen : où son primaire le joint.',
      })
    writeFence(dataFolder, state)
    const receiver = await Receiver.open({
      dataFolder,
      listen,
      key: readKey(keyFile(loaded)),
      state,
      log: log.child({ part: 'standby' }),
    })
    // Commands find no directory here: it is the primary's.
    const directory = openDirectory({ file: ':memory:' })
    const promoted = Promise.withResolvers<void>()
    const promote = async (): Promise<{ readonly epoch: number }> => {
      const { epoch } = await receiver.promote()
      // The answer goes out first.
      setTimeout(() => void left().then(promoted.resolve, promoted.reject), ANSWER_MS)
      return { epoch }
    }
    const following = { report: () => receiver.report(), promote }
    const control = await serveControl(
      dataFolder,
      (request) =>
        answerControl(commands, request, (command, words, say) => {
          if (!command.name.startsWith('standby '))
            throw new SpokenError({
              en: 'This server is a standby: ask its primary, or promote it (postrider standby promote).',
              fr: 'Ce serveur est un secours : adressez-vous à son primaire, ou promouvez-le (postrider standby promote).',
            })
          return command.run({ directory, loaded, server: undefined, following }, new Words(words), say)
        }),
      log,
    )
    const left = async (): Promise<void> => {
      await control.close()
      await receiver.close()
      directory.close()
      lock.release()
      await flush()
    }
    log.info({ pid: process.pid, listen }, 'postrider follows')
    await notifySystemd('READY=1', log)
    return { listens: listen, promoted: promoted.promise, stop: left }
  } catch (error) {
    lock.release()
    await flush()
    throw error
  }
}
const ANSWER_MS = 100
