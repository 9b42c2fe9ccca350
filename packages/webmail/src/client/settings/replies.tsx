/** Automatic replies (R60): one switch with presets, inside and outside apart. The same record phones show. */
import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { app } from '../app.ts'
import type { AutomaticReplies, Reply } from '../jmap/types.ts'
import { laterTimes, localInput, utc } from '../store/later.ts'
import { t } from '../text/text.ts'
import { plainText } from '../mail/message.tsx'
import { Choice } from './choice.tsx'

const shownTime = (iso: string | null): string => (iso === null ? '' : localInput(new Date(iso)))
const takenTime = (local: string): string | null => (local === '' ? null : utc(new Date(local)))
/** What the text says; only what the user changes is written anew. */
const plain = ({ bodyType, message }: Reply): string => (bodyType === 'html' ? plainText(message) : message)

export function Replies(): JSX.Element {
  const [now, setNow] = useState<AutomaticReplies>()
  useEffect(() => {
    app.client.call('AutomaticReplies/get', { ids: null }).then(
      ({ list }) => setNow(list[0]),
      () => app.tell(t('failed')),
    )
  }, [])
  if (now === undefined) return <div class="coming" aria-busy="true" />
  const change = (changes: Partial<AutomaticReplies>): void => setNow({ ...now, ...changes })
  const until = (date: Date): void => change({ state: 'scheduled', start: utc(new Date()), end: utc(date) })
  const part = (name: 'inside' | 'outside', legend: string): JSX.Element => {
    const reply = now[name]
    const put = (changes: Partial<Reply>): void => {
      const next = { ...reply, ...changes }
      change(name === 'inside' ? { inside: next } : { outside: next, contacts: next })
    }
    return (
      <fieldset class="rule-set">
        <legend>{legend}</legend>
        <label class="switch">
          <input
            type="checkbox"
            checked={reply.isEnabled}
            onChange={(event) => put({ isEnabled: event.currentTarget.checked })}
          />
          <span>{t('autoReplySend')}</span>
        </label>
        <label class="field">
          <span>{t('autoReplyText')}</span>
          <textarea
            rows={5}
            dir="auto"
            value={plain(reply)}
            onInput={(event) =>
              put({ bodyType: 'text', message: event.currentTarget.value, isEnabled: event.currentTarget.value !== '' })
            }
          />
        </label>
      </fieldset>
    )
  }
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault()
        const { state, start, end, subject, inside, outside, contacts } = now
        app.client
          .call('AutomaticReplies/set', {
            update: { singleton: { state, start, end, subject, inside, outside, contacts } },
          })
          .then(
            ({ notUpdated }) => app.tell(notUpdated?.singleton === undefined ? t('saved') : t('autoReplyTimes')),
            () => app.tell(t('failed')),
          )
      }}
    >
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          checked={now.state !== 'disabled'}
          onChange={(event) => change({ state: event.currentTarget.checked ? 'enabled' : 'disabled' })}
        />
        <span>{t('autoReplyOn')}</span>
      </label>
      <div class="form-acts">
        {laterTimes()
          .filter((one) => one.name === 'tomorrowMorning' || one.name === 'mondayMorning')
          .map(({ name, date }) => (
            <button key={name} type="button" class="button" onClick={() => until(date)}>
              {t(name === 'tomorrowMorning' ? 'untilTomorrow' : 'untilMonday')}
            </button>
          ))}
      </div>
      <Choice
        label={t('autoReplyWhen')}
        value={now.state === 'scheduled'}
        options={[
          [false, t('autoReplyAlways')],
          [true, t('autoReplyTimed')],
        ]}
        onChange={(timed) => {
          const tomorrow = laterTimes().find((one) => one.name === 'tomorrowMorning')?.date ?? new Date()
          if (timed) change({ state: 'scheduled', start: now.start ?? utc(new Date()), end: now.end ?? utc(tomorrow) })
          else change({ state: now.state === 'disabled' ? 'disabled' : 'enabled' })
        }}
      />
      {now.state === 'scheduled' && (
        <div class="form-row">
          <label class="field">
            <span>{t('autoReplyFrom')}</span>
            <input
              type="datetime-local"
              value={shownTime(now.start)}
              onChange={(event) => change({ start: takenTime(event.currentTarget.value) })}
            />
          </label>
          <label class="field">
            <span>{t('autoReplyTo')}</span>
            <input
              type="datetime-local"
              value={shownTime(now.end)}
              onChange={(event) => change({ end: takenTime(event.currentTarget.value) })}
            />
          </label>
        </div>
      )}
      <label class="field">
        <span>{t('autoReplySubject')}</span>
        <input
          type="text"
          value={now.subject ?? ''}
          dir="auto"
          maxLength={900}
          onInput={(event) => change({ subject: event.currentTarget.value || null })}
        />
      </label>
      {part('inside', t('inside'))}
      {part('outside', t('autoReplyOutside'))}
      <button type="submit" class="button primary">
        {t('save')}
      </button>
    </form>
  )
}
