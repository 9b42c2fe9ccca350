/** Rules: the list in its order, one rule as a form, a try on mail that is there. */
import type { JSX } from 'preact'
import { useEffect, useId, useState } from 'preact/hooks'
import { app, folderName } from '../app.ts'
import type { Conditions, Id, Rule } from '../jmap/types.ts'
import { t, type TextKey } from '../text/text.ts'
import { ask } from '../ui/dialog.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'

type Kind = 'words' | 'size' | 'yes' | 'toMe' | 'importance'
/** Conditions by name: what is asked, and how. */
const conditions: Readonly<Record<string, readonly [TextKey, Kind]>> = {
  from: ['ruleFrom', 'words'],
  fromContains: ['ruleFromContains', 'words'],
  sentTo: ['ruleSentTo', 'words'],
  recipientContains: ['ruleRecipientContains', 'words'],
  subjectContains: ['ruleSubjectContains', 'words'],
  bodyContains: ['ruleBodyContains', 'words'],
  subjectOrBodyContains: ['ruleSubjectOrBody', 'words'],
  headerContains: ['ruleHeaderContains', 'words'],
  toMe: ['ruleToMe', 'toMe'],
  hasAttachment: ['ruleHasAttachment', 'yes'],
  minSize: ['ruleMinSize', 'size'],
  maxSize: ['ruleMaxSize', 'size'],
  importance: ['ruleImportance', 'importance'],
  automatic: ['ruleAutomatic', 'yes'],
}
const actions: Readonly<Record<string, readonly [TextKey, 'folder' | 'categories' | 'yes' | 'remove' | 'addresses']>> =
  {
    moveTo: ['ruleMoveTo', 'folder'],
    copyTo: ['ruleCopyTo', 'folder'],
    categories: ['ruleCategories', 'categories'],
    markRead: ['markRead', 'yes'],
    flag: ['flag', 'yes'],
    remove: ['ruleRemove', 'remove'],
    forwardTo: ['ruleForwardTo', 'addresses'],
    redirectTo: ['ruleRedirectTo', 'addresses'],
  }
const choices = {
  toMe: [
    ['only', 'ruleToMeOnly'],
    ['to', 'ruleToMeTo'],
    ['cc', 'ruleToMeCc'],
    ['toOrCc', 'ruleToMeEither'],
    ['not', 'ruleToMeNot'],
  ],
  importance: [
    ['high', 'ruleHigh'],
    ['normal', 'ruleNormal'],
    ['low', 'ruleLow'],
  ],
  remove: [
    ['trash', 'ruleToTrash'],
    ['forever', 'ruleForever'],
  ],
} as const satisfies Readonly<Record<string, readonly (readonly [string, TextKey])[]>>

type Value = readonly string[] | string | number | boolean
const firstOf: Readonly<Record<string, Value>> = {
  words: [],
  addresses: [],
  categories: [],
  size: 1_000_000,
  yes: true,
  toMe: 'only',
  importance: 'high',
  remove: 'trash',
}
const blank = (): Rule => ({
  id: '',
  name: '',
  isEnabled: true,
  conditions: { fromContains: [] },
  exceptions: {},
  actions: { moveTo: app.store.byRole.peek().get('archive')?.id ?? '' },
  stop: true,
})

export function Rules(): JSX.Element {
  const [rules, setRules] = useState<readonly Rule[]>()
  const [open, setOpen] = useState<Rule>()
  const load = (): void => {
    app.client.call('Rule/get', { ids: null }).then(
      ({ list }) => setRules(list),
      () => app.tell(t('failed')),
    )
  }
  useEffect(load, [])
  const change = (args: Parameters<typeof app.client.call<'Rule/set'>>[1]): void => {
    app.client.call('Rule/set', args).then(load, () => app.tell(t('failed')))
  }
  if (rules === undefined) return <div class="coming" aria-busy="true" />
  if (open !== undefined)
    return (
      <RuleForm
        rule={open}
        onDone={() => {
          setOpen(undefined)
          load()
        }}
      />
    )
  const move = (at: number, by: number): void => {
    const order = rules.map((one) => one.id)
    const [id] = order.splice(at, 1)
    if (id === undefined) return
    order.splice(at + by, 0, id)
    change({ order })
  }
  return (
    <>
      <p class="hint">{t('rulesHint')}</p>
      <ul class="lines">
        {rules.map((rule, i) => (
          <li key={rule.id}>
            <label class="line-text">
              <input
                type="checkbox"
                role="switch"
                checked={rule.isEnabled}
                onChange={(event) => change({ update: { [rule.id]: { isEnabled: event.currentTarget.checked } } })}
              />{' '}
              <span dir="auto">{rule.name || t('ruleNoName')}</span>
            </label>
            <IconButton
              icon="back"
              class="turn-up"
              label={t('ruleUp')}
              disabled={i === 0}
              onClick={() => move(i, -1)}
            />
            <IconButton
              icon="down"
              label={t('ruleDown')}
              disabled={i === rules.length - 1}
              onClick={() => move(i, 1)}
            />
            <IconButton icon="edit" label={t('ruleEdit', { name: rule.name })} onClick={() => setOpen(rule)} />
            <IconButton
              icon="trash"
              label={t('removeNamed', { name: rule.name })}
              onClick={() => {
                void ask(t('sureRemove', { name: rule.name }), t('remove')).then((yes) => {
                  if (yes) change({ destroy: [rule.id] })
                })
              }}
            />
          </li>
        ))}
      </ul>
      <button type="button" class="button primary start" onClick={() => setOpen(blank())}>
        <Icon name="plus" /> {t('newRule')}
      </button>
    </>
  )
}

function RuleForm({ rule, onDone }: { readonly rule: Rule; readonly onDone: () => void }): JSX.Element {
  const [now, setNow] = useState(rule)
  const [problem, setProblem] = useState('')
  const [tried, setTried] = useState('')
  const save = async (): Promise<Id | undefined> => {
    const { id, ...rest } = now
    const answer = await app.client.call('Rule/set', id === '' ? { create: { new: rest } } : { update: { [id]: rest } })
    const refused = answer.notCreated?.new ?? answer.notUpdated?.[id]
    if (refused !== undefined) {
      setProblem(t('ruleIncomplete'))
      return undefined
    }
    setProblem('')
    const made = answer.created?.new?.id ?? id
    setNow({ ...now, id: made })
    return made
  }
  /** Runs the rule over the Inbox: `dryRun` only counts. */
  const run = async (dryRun: boolean): Promise<void> => {
    const id = await save()
    const inbox = app.store.byRole.peek().get('inbox')
    if (id === undefined || inbox === undefined) return
    let matched = 0
    for (let position: number | null = 0; position !== null; ) {
      const answer: Awaited<ReturnType<typeof app.client.call<'Rule/run'>>> = await app.client.call('Rule/run', {
        ids: [id],
        mailboxId: inbox.id,
        dryRun,
        position,
      })
      matched += answer.matched
      position = answer.position
      setTried(t(dryRun ? 'ruleWould' : 'ruleDid', { n: matched }))
    }
    if (!dryRun) await app.sync.run()
  }
  const guarded = (work: () => Promise<unknown>): void => void work().catch(() => app.tell(t('failed')))
  return (
    <form
      class="form rule"
      onSubmit={(event) => {
        event.preventDefault()
        guarded(async () => {
          if ((await save()) === undefined) return
          app.tell(t('saved'))
          onDone()
        })
      }}
    >
      <label class="field">
        <span>{t('name')}</span>
        <input
          type="text"
          value={now.name}
          dir="auto"
          maxLength={200}
          onInput={(event) => setNow({ ...now, name: event.currentTarget.value })}
        />
      </label>
      <ConditionSet
        title={t('ruleIf')}
        value={now.conditions}
        onChange={(value) => setNow({ ...now, conditions: value })}
        none={t('ruleEvery')}
      />
      <ActionSet value={now.actions} onChange={(value) => setNow({ ...now, actions: value })} />
      <ConditionSet
        title={t('ruleExcept')}
        value={now.exceptions}
        onChange={(value) => setNow({ ...now, exceptions: value })}
        none=""
      />
      <label class="switch">
        <input
          type="checkbox"
          checked={now.stop}
          onChange={(event) => setNow({ ...now, stop: event.currentTarget.checked })}
        />
        <span>{t('ruleStop')}</span>
      </label>
      {problem !== '' && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="form-acts">
        <button type="submit" class="button primary">
          {t('save')}
        </button>
        <button type="button" class="button" onClick={onDone}>
          {t('cancel')}
        </button>
        <button type="button" class="button" onClick={() => guarded(() => run(true))}>
          {t('ruleTry')}
        </button>
        <button type="button" class="button" onClick={() => guarded(() => run(false))}>
          {t('ruleRun')}
        </button>
      </div>
      <p class="hint" role="status">
        {tried}
      </p>
    </form>
  )
}

/** Lines of a set: choose a kind, give its value, take it away. */
function Lines({
  title,
  none,
  table,
  value,
  onChange,
  first,
  field,
}: {
  readonly title: string
  readonly none: string
  readonly table: Readonly<Record<string, readonly [TextKey, string]>>
  readonly value: Readonly<Record<string, Value>>
  readonly onChange: (value: Readonly<Record<string, Value>>) => void
  readonly first: (kind: string) => Value
  readonly field: (name: string, kind: string, label: string) => JSX.Element
}): JSX.Element {
  const used = Object.keys(value)
  const free = Object.keys(table).filter((name) => !used.includes(name))
  return (
    <fieldset class="rule-set">
      <legend>{title}</legend>
      {used.length === 0 && none !== '' && <p class="hint">{none}</p>}
      {used.map((name) => {
        const [label, kind] = table[name] ?? ['ruleNoName', 'yes']
        return (
          <div key={name} class="rule-line">
            <span class="rule-what">{t(label)}</span>
            {field(name, kind, t(label))}
            <IconButton
              icon="close"
              label={t('removeNamed', { name: t(label) })}
              onClick={() => onChange(Object.fromEntries(Object.entries(value).filter(([other]) => other !== name)))}
            />
          </div>
        )
      })}
      {free.length > 0 && (
        <select
          class="start"
          aria-label={`${title}${t('colon')}${t('ruleAdd')}`}
          value=""
          onChange={(event) => {
            const name = event.currentTarget.value
            const kind = table[name]?.[1]
            if (kind !== undefined) onChange({ ...value, [name]: first(kind) })
            event.currentTarget.value = ''
          }}
        >
          <option value="">{t('ruleAdd')}</option>
          {free.map((name) => (
            <option key={name} value={name}>
              {t(table[name]?.[0] ?? 'ruleNoName')}
            </option>
          ))}
        </select>
      )}
    </fieldset>
  )
}

const listOf = (text: string): string[] =>
  text
    .split(/[;\n,]/)
    .map((one) => one.trim())
    .filter((one) => one !== '')

function Words({
  label,
  value,
  onChange,
}: {
  readonly label: string
  readonly value: Value | undefined
  readonly onChange: (value: readonly string[]) => void
}): JSX.Element {
  const [text, setText] = useState(Array.isArray(value) ? value.join(', ') : '')
  const hint = useId()
  return (
    <span class="rule-value">
      <input
        type="text"
        aria-label={label}
        aria-describedby={hint}
        value={text}
        dir="auto"
        required
        onInput={(event) => {
          setText(event.currentTarget.value)
          onChange(listOf(event.currentTarget.value))
        }}
      />
      <small id={hint}>{t('ruleComma')}</small>
    </span>
  )
}

function Pick({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string
  readonly value: Value | undefined
  readonly options: readonly (readonly [string, string])[]
  readonly onChange: (value: string) => void
}): JSX.Element {
  return (
    <select aria-label={label} value={String(value ?? '')} onChange={(event) => onChange(event.currentTarget.value)}>
      {options.map(([one, text]) => (
        <option key={one} value={one}>
          {text}
        </option>
      ))}
    </select>
  )
}

function ConditionSet({
  title,
  value,
  onChange,
  none,
}: {
  readonly title: string
  readonly value: Conditions
  readonly onChange: (value: Conditions) => void
  readonly none: string
}): JSX.Element {
  const put = (name: string, one: Value): void => onChange({ ...value, [name]: one })
  return (
    <Lines
      title={title}
      none={none}
      table={conditions}
      value={value}
      onChange={onChange}
      first={(kind) => firstOf[kind] ?? true}
      field={(name, kind, label) => {
        const now = value[name]
        if (kind === 'words') return <Words label={label} value={now} onChange={(words) => put(name, words)} />
        if (kind === 'size')
          return (
            <span class="rule-value">
              <input
                type="number"
                min={0}
                step={1}
                aria-label={label}
                value={Math.round(Number(now) / 1000)}
                onInput={(event) => put(name, Math.max(0, Number(event.currentTarget.value)) * 1000)}
              />
              <small>{t('ruleKilobytes')}</small>
            </span>
          )
        if (kind === 'toMe' || kind === 'importance')
          return (
            <Pick
              label={label}
              value={now}
              options={choices[kind].map(([one, text]) => [one, t(text)] as const)}
              onChange={(one) => put(name, one)}
            />
          )
        return (
          <Pick
            label={label}
            value={String(now)}
            options={[
              ['true', t('yes')],
              ['false', t('no')],
            ]}
            onChange={(one) => put(name, one === 'true')}
          />
        )
      }}
    />
  )
}

function ActionSet({
  value,
  onChange,
}: {
  readonly value: Rule['actions']
  readonly onChange: (value: Rule['actions']) => void
}): JSX.Element {
  const put = (name: string, one: readonly string[] | string | boolean): void => onChange({ ...value, [name]: one })
  const folders = [...app.store.mailboxes.value.values()].filter((one) => one.myRights.mayAddItems)
  return (
    <Lines
      title={t('ruleThen')}
      none=""
      table={actions}
      value={value}
      onChange={(next) => onChange(next as Rule['actions'])}
      first={(kind) => (kind === 'folder' ? (folders[0]?.id ?? '') : (firstOf[kind] ?? true))}
      field={(name, kind, label) => {
        const now = value[name]
        if (kind === 'folder')
          return (
            <Pick
              label={label}
              value={now}
              options={folders.map((one) => [one.id, folderName(one)] as const)}
              onChange={(one) => put(name, one)}
            />
          )
        if (kind === 'categories')
          return (
            <Pick
              label={label}
              value={Array.isArray(now) ? (now as readonly string[])[0] : undefined}
              options={[
                ['', t('ruleChoose')],
                ...app.store.categories.value.map((one) => [one.name, one.name] as const),
              ]}
              onChange={(one) => put(name, one === '' ? [] : [one])}
            />
          )
        if (kind === 'remove')
          return (
            <Pick
              label={label}
              value={now}
              options={choices.remove.map(([one, text]) => [one, t(text)] as const)}
              onChange={(one) => put(name, one)}
            />
          )
        if (kind === 'addresses') return <Words label={label} value={now} onChange={(words) => put(name, words)} />
        return <span class="rule-value">{t('yes')}</span>
      }}
    />
  )
}
