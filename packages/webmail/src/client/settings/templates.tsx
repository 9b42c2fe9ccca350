/** Templates: texts to begin a message with, made and changed here as one writes a message. */
import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { app } from '../app.ts'
import { FormatBar } from '../compose/format-bar.tsx'
import { SubjectField } from '../compose/subject.tsx'
import { Editor } from '../editor.ts'
import type { Template } from '../jmap/types.ts'
import { t } from '../text/text.ts'
import { ask } from '../ui/dialog.tsx'
import { Icon, IconButton } from '../ui/icon.tsx'

type Editing = Omit<Template, 'id'> & { readonly id: string | undefined }
const blank: Editing = { id: undefined, name: '', subject: '', htmlBody: '' }

export function Templates(): JSX.Element {
  const [all, setAll] = useState<readonly Template[]>()
  const [editing, setEditing] = useState<Editing>()
  const load = (): void => {
    app.client.call('Template/get', { ids: null }).then(
      ({ list }) => setAll(list),
      () => app.tell(t('failed')),
    )
  }
  useEffect(load, [])
  const remove = async (one: Template): Promise<void> => {
    if (!(await ask(t('sureRemove', { name: one.name }), t('remove')))) return
    await app.client.call('Template/set', { destroy: [one.id] }).then(load, () => app.tell(t('failed')))
  }
  if (all === undefined) return <div class="coming" aria-busy="true" />
  if (editing !== undefined)
    return (
      <TemplateForm
        template={editing}
        onDone={() => {
          setEditing(undefined)
          load()
        }}
      />
    )
  return (
    <>
      <p class="hint">{t('templatesHint')}</p>
      <ul class="lines">
        {all.map((one) => (
          <li key={one.id}>
            <span class="line-text">
              <strong dir="auto">{one.name}</strong>
              <small dir="auto">{one.subject}</small>
            </span>
            <IconButton icon="edit" label={t('ruleEdit', { name: one.name })} onClick={() => setEditing(one)} />
            <IconButton icon="trash" label={t('removeNamed', { name: one.name })} onClick={() => void remove(one)} />
          </li>
        ))}
      </ul>
      <button type="button" class="button primary new-line" onClick={() => setEditing(blank)}>
        <Icon name="plus" /> {t('newTemplate')}
      </button>
    </>
  )
}

function TemplateForm({ template, onDone }: { readonly template: Editing; readonly onDone: () => void }): JSX.Element {
  const [name, setName] = useState(template.name)
  const [subject, setSubject] = useState(template.subject)
  const [path, setPath] = useState('')
  const [working, setWorking] = useState(false)
  const box = useRef<HTMLDivElement>(null)
  const editor = useRef<Editor>(undefined)
  useEffect(() => {
    if (box.current === null) return
    const made = new Editor(box.current)
    editor.current = made
    made.setHTML(template.htmlBody === '' ? '<div><br></div>' : template.htmlBody)
    made.addEventListener('pathChange', (event: Event) =>
      setPath((event as CustomEvent<{ path: string }>).detail?.path ?? ''),
    )
    return () => made.destroy()
  }, [])
  const save = async (): Promise<void> => {
    const wanted = { name: name.trim(), subject, htmlBody: editor.current?.getHTML() ?? template.htmlBody }
    setWorking(true)
    try {
      const { notCreated, notUpdated } = await app.client.call(
        'Template/set',
        template.id === undefined ? { create: { new: wanted } } : { update: { [template.id]: wanted } },
      )
      const [problem] = Object.values({ ...notCreated, ...notUpdated })
      if (problem !== undefined) return app.tell(t('refused', { problem: problem.description ?? problem.type }))
      app.tell(t('saved'))
      onDone()
    } catch {
      app.tell(t('failed'))
    } finally {
      setWorking(false)
    }
  }
  return (
    <form
      class="form template-form"
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <label class="field">
        <span>{t('name')}</span>
        <input
          type="text"
          value={name}
          required
          autofocus
          dir="auto"
          maxLength={200}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <SubjectField class="field" value={subject} onInput={setSubject} />
      <div class="template-text">
        <FormatBar editor={() => editor.current} path={path} />
        <div
          ref={box}
          class="editor"
          contentEditable
          role="textbox"
          aria-multiline="true"
          aria-label={t('composeText')}
          dir="auto"
          tabIndex={0}
        />
      </div>
      <div class="form-acts">
        <button type="submit" class="button primary" disabled={working || name.trim() === ''}>
          {t('save')}
        </button>
        <button type="button" class="button" onClick={onDone}>
          {t('cancel')}
        </button>
      </div>
    </form>
  )
}
