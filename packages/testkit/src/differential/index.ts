/**
 * Postrider and Dovecot side by side. In: the mails of the corpus, filled into both, and tables of questions. Out: the differences between their
 * answers, once both are in one form (`canonical.ts`). Invariant: a difference is either a fault or stands in `deviations.ts` with its reason, and
 * every entry there is still needed.
 */
export { fetchDifferences, flowDifferences, orderDifferences, searchDifferences } from './compare.ts'
export { Ledger } from './deviations.ts'
export { flows } from './flows.ts'
export { extendedSearches, fetchItems, searches, sorts, threads } from './queries.ts'
export { type Pair, startPair } from './side.ts'
