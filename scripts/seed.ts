/**
 * Loaded before every test file. Properties draw the same examples in every run, so that what passed once passes again and a failure is
 * somebody's doing; POSTRIDER_SEED=random looks further, POSTRIDER_SEED=<number> repeats what was found.
 */
import fc from 'fast-check'

const DEFAULT_SEED = 20_260_101
const wanted = process.env.POSTRIDER_SEED ?? String(DEFAULT_SEED)

if (wanted !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(wanted) })
