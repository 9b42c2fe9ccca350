/**
 * Hostile clients: a socket that says what it is told byte for byte (`raw`), those who did nothing wrong and must not feel it
 * (`witnesses`), and the place where both meet in front of the real program (`arena`). The attacks are in `test/hostile`.
 */
export { Arena, MALLORY, WITNESS } from './arena.ts'
export { Raw } from './raw.ts'
