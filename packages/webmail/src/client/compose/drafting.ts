/** The draft of a window of writing: saved as one types, on the server, or in the browser while that is away. */
import { useEffect, useRef, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { JmapError, OfflineError } from '../jmap/client.ts'
import type { Id } from '../jmap/types.ts'
import { t, timeOnly } from '../text/text.ts'
import { forgetKept, keepDraft } from './kept.ts'
import type { Beginning } from './open.ts'
import { emailOf, type Written } from './outgoing.ts'
import { withUploaded } from './upload.ts'

const SAVE_MS = 1_500
/** Chosen when one begins to write: by it a mail is known again, however often it is sent. */
const newMessageId = (from: string): string => `${crypto.randomUUID()}@${from.slice(from.lastIndexOf('@') + 1)}`
type Saved = 'secret' | 'clean' | 'waiting' | 'saving' | 'saved' | 'kept' | 'failed'

export interface Draft {
  readonly messageId: string
  /** What the user reads about it. */
  readonly state: string
  /** It was not saved, and will not be: it is encrypted mail. */
  readonly secret: boolean
  /** Not all of it is with the server. */
  readonly unsaved: boolean
  id(): Id | undefined
  /** Something was typed: saved soon. */
  changed(): void
  /** Saves now; false when the server did not take it. */
  save(): Promise<boolean>
  /** Into the browser, at once. */
  keep(): void
  /** Takes away what was saved: it is to be encrypted from now on. */
  remove(): Promise<void>
  /** No more saving; resolves when what is under way is done. */
  stop(): Promise<unknown>
}

export function useDraft(
  start: Beginning,
  latest: () => Written,
  watched: readonly unknown[],
  isSecret: boolean,
): Draft {
  const [saved, setSaved] = useState<Saved>('clean')
  const [savedAt, setSavedAt] = useState<Date>()
  const draftId = useRef<Id | undefined>(start.draftId)
  const work = useRef<Promise<unknown>>(Promise.resolve())
  const messageId = useRef(start.messageId ?? newMessageId(app.signedInAs))
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const now = useRef(latest)
  now.current = latest

  const secret = useRef(start.secret === true)
  secret.current = isSecret
  const keep = (): void => keepDraft({ ...start, secret: secret.current }, now.current(), draftId.current)
  const changed = (): void => {
    setSaved(secret.current ? 'secret' : 'waiting')
    clearTimeout(timer.current)
    if (secret.current) return
    timer.current = setTimeout(() => void save(), SAVE_MS)
  }
  const first = useRef(true)
  useEffect(() => {
    if (first.current) first.current = false
    else changed()
  }, [...watched])

  /** One after the other: a draft is replaced by its next form. */
  const save = (): Promise<boolean> => {
    clearTimeout(timer.current)
    if (secret.current) {
      setSaved('secret')
      return Promise.resolve(false)
    }
    const done = work.current.then(async () => {
      const drafts = app.store.byRole.peek().get('drafts')
      if (drafts === undefined) return false
      setSaved('saving')
      try {
        const before = draftId.current
        const files = await withUploaded(now.current().attached)
        const answer = await app.client.call('Email/set', {
          create: {
            draft: { ...emailOf({ ...now.current(), attached: files }, drafts.id), messageId: [messageId.current] },
          },
          ...(before === undefined ? {} : { destroy: [before] }),
        })
        const made = answer.created?.draft
        if (made === undefined)
          throw new JmapError(
            answer.notCreated?.draft?.type ?? 'serverFail',
            answer.notCreated?.draft?.description ?? '',
          )
        draftId.current = made.id
        forgetKept(start.key)
        setSaved('saved')
        setSavedAt(new Date())
        return true
      } catch (error) {
        keep()
        setSaved(error instanceof OfflineError ? 'kept' : 'failed')
        if (error instanceof OfflineError) timer.current = setTimeout(() => void save(), 15_000)
        return false
      }
    })
    work.current = done.catch(() => undefined)
    return done
  }

  const words: Readonly<Record<Saved, string>> = {
    clean: '',
    secret: t('draftOnlyHere'),
    waiting: '',
    saving: t('draftSaving'),
    saved: savedAt === undefined ? '' : t('draftSaved', { time: timeOnly(savedAt) }),
    kept: t('draftKept'),
    failed: t('draftNotSaved'),
  }
  return {
    messageId: messageId.current,
    state: words[saved],
    secret: saved === 'secret',
    unsaved: saved === 'waiting' || saved === 'failed' || saved === 'kept',
    id: () => draftId.current,
    changed,
    save,
    keep,
    async remove() {
      clearTimeout(timer.current)
      await work.current
      const id = draftId.current
      draftId.current = undefined
      forgetKept(start.key)
      if (id !== undefined) app.acts.destroy([id])
    },
    stop() {
      clearTimeout(timer.current)
      return work.current
    },
  }
}
