import { adminCommand } from '../../cli/command.ts'
import { factText, type UserReport, userReport } from './fields.ts'

interface Shown extends UserReport {
  readonly items: number | null
  readonly usedBytes: number | null
}

export const userShow = adminCommand<Shown>({
  name: 'user show',
  summary: { en: 'Shows a mailbox and how full it is.', fr: 'Montre une boîte et la place qu’elle occupe.' },
  arguments: ['address'],
  options: {},
  where: 'either',
  async run({ directory, server }, words) {
    const entry = directory.identity(words.need(0, 'address'))
    const info = await server?.service.info(entry.mailbox)
    const report = userReport(entry, (account) => directory.account(account)?.address ?? account)
    return { ...report, items: info?.items ?? null, usedBytes: info?.usedBytes ?? null }
  },
  text: factText,
})
