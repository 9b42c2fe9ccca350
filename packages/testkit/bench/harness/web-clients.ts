import type { Page } from 'playwright-core'
import { PASSWORD, USER } from './stage.ts'

/** A web client as the benchmark uses it: where things are, and how its user does them. */
export interface WebClient {
  readonly name: string
  readonly origin: string
  /** The list of the inbox, for who is signed in. */
  readonly home: string
  /** A mail's row in the list. */
  readonly row: string
  /** What scrolls; undefined where the list has pages. */
  readonly scroller: string | undefined
  /** Where an open mail's text is: an element of the page, or a frame, whose document is taken. */
  readonly text: string
  signIn(page: Page, user: string): Promise<void>
  /** Types all but the last letter of a search. */
  beginSearch(page: Page, words: string): Promise<void>
  /** The key that makes the result come. */
  lastKey(words: string): string
}

const press = async (page: Page, text: string): Promise<void> => {
  // As fast as somebody who knows the keys.
  await page.keyboard.type(text, { delay: 110 })
}

export const postriderClient = (port: number): WebClient => ({
  name: 'Postrider',
  origin: `https://localhost:${port}`,
  home: '/mail/',
  row: '.list .row:not(.waiting)',
  scroller: '.list-rows',
  text: '.message-frame',
  async signIn(page, user) {
    await page.goto(`${this.origin}/signin`)
    await page.locator('[name=login]').fill(`${user}@example.com`)
    await page.locator('[name=password]').fill(PASSWORD)
    await page.locator('form[action="/signin"][method=post] [type=submit]').click()
    await page.waitForSelector(this.row)
  },
  async beginSearch(page, words) {
    await page.locator('#search').click()
    await press(page, words.slice(0, -1))
  },
  lastKey: (words) => words.slice(-1),
})

export const roundcubeClient = (port: number): WebClient => ({
  name: 'Roundcube',
  origin: `https://localhost:${port}`,
  home: '/?_task=mail&_mbox=INBOX',
  row: '#messagelist tbody tr.message',
  scroller: undefined,
  text: '#messagecontframe',
  async signIn(page, user) {
    await page.goto(this.origin)
    await page.locator('#rcmloginuser').fill(user)
    await page.locator('#rcmloginpwd').fill(PASSWORD)
    await page.locator('#rcmloginsubmit').click()
    await page.waitForSelector(this.row)
  },
  async beginSearch(page, words) {
    await page.locator('#mailsearchform').click()
    await press(page, words)
  },
  lastKey: () => 'Enter',
})

export const sogoClient = (port: number, user = USER): WebClient => ({
  name: 'SOGo',
  origin: `https://localhost:${port}`,
  home: `/SOGo/so/${user}/Mail/view#!/Mail/0/INBOX`,
  row: 'md-virtual-repeat-container[md-top-index] md-list-item',
  scroller: 'md-virtual-repeat-container[md-top-index] .md-virtual-repeat-scroller',
  text: '#detailView, .view-detail, [ui-view=message]',
  async signIn(page) {
    await page.goto(`${this.origin}/SOGo/`)
    await page.locator('input:not([type=password])').first().fill(user)
    await page.locator('input[type=password]').first().fill(PASSWORD)
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/SOGo\/so\//)
  },
  async beginSearch(page, words) {
    await page.locator('button[aria-label="Search"][ng-click="mailbox.searchMode()"]').click()
    await page.locator('input[name="folderSearch"]').click()
    await press(page, words.slice(0, -1))
  },
  lastKey: (words) => words.slice(-1),
})
