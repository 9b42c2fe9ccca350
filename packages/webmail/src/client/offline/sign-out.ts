/** Signing out while the server is away: it is told at the next start. */
const KEY = 'postrider.signedOut'

export const rememberSignOut = (): void => localStorage.setItem(KEY, '1')
export const forgetSignOut = (): void => localStorage.removeItem(KEY)
export const signOutIsDue = (): boolean => localStorage.getItem(KEY) === '1'
