/** Every command of the program, in the order of `postrider --help`. */
import type { AnyCommand } from '../cli/command.ts'
import { backupCommand } from './backup.ts'
import { certificateRenew, certificateShow } from './certificate.ts'
import { config } from './config.ts'
import { demo } from './demo.ts'
import { deviceAllow, deviceBlock, deviceList, deviceRemove, deviceWipe } from './device/devices.ts'
import { doctor } from './doctor.ts'
import { domainAdd, domainDefault, domainList, domainRemove } from './domain/domains.ts'
import { groupAdd, groupList, groupRemove, groupSet, groupShow } from './group/groups.ts'
import { exportCommand } from './export.ts'
import { importCommand } from './import.ts'
import { mailboxCancel, mailboxMove, mailboxStatus } from './mailbox/move.ts'
import { metricsCommand } from './metrics.ts'
import { nodeAdd, nodeInit, nodeJoin, nodeList, nodeRemove } from './node/nodes.ts'
import { queueHold, queueList, queueRelease, queueRemove, queueRetry, queueShow } from './queue/queue.ts'
import { reload, status, storeCheck, storeRepair } from './server.ts'
import { restoreCommand } from './restore.ts'
import { standbyKey, standbyPromote, standbyRejoin, standbyStatus } from './standby.ts'
import { start } from './start.ts'
import { top } from './top.ts'
import { trace } from './trace.ts'
import { userAdd } from './user/add.ts'
import { appPasswordAdd, appPasswordList, appPasswordRemove } from './user/app-password.ts'
import { userList } from './user/list.ts'
import { userPassword } from './user/password.ts'
import { userSecondStep } from './user/second-step.ts'
import { userRemove } from './user/remove.ts'
import { userSet } from './user/set.ts'
import { userShow } from './user/show.ts'

export const commands: readonly AnyCommand[] = [
  start,
  status,
  top,
  metricsCommand,
  trace,
  reload,
  config,
  doctor,
  userAdd,
  userList,
  userShow,
  userSet,
  userPassword,
  userSecondStep,
  userRemove,
  appPasswordAdd,
  appPasswordList,
  appPasswordRemove,
  mailboxMove,
  mailboxStatus,
  mailboxCancel,
  nodeInit,
  nodeAdd,
  nodeJoin,
  nodeList,
  nodeRemove,
  deviceList,
  deviceWipe,
  deviceBlock,
  deviceAllow,
  deviceRemove,
  groupAdd,
  groupList,
  groupShow,
  groupSet,
  groupRemove,
  domainAdd,
  domainList,
  domainDefault,
  domainRemove,
  queueList,
  queueShow,
  queueRetry,
  queueHold,
  queueRelease,
  queueRemove,
  certificateShow,
  certificateRenew,
  demo,
  importCommand,
  exportCommand,
  backupCommand,
  restoreCommand,
  storeCheck,
  storeRepair,
  standbyStatus,
  standbyPromote,
  standbyRejoin,
  standbyKey,
]
