/** What a moderator does with an alert: acknowledge it, write a note, put it on the shelf or take it back. */
import { useState } from 'preact/hooks';
import type { AlertView } from '../../../../core/contract/model.ts';
import { ask } from '../../api/session.ts';
import { messageOf } from '../../api/use-ask.ts';
import { Icon } from '../../parts/icons.tsx';
import { ServiceForm } from '../../parts/out-of-service.tsx';
import { t } from '../../texts/texts.ts';

const HOUR_MS = 3_600_000;
const SHELF_HOURS = [1, 8, 24, 168] as const;

type Form = 'note' | 'shelve' | 'service';

export function AlertActions({ alert }: { alert: AlertView }) {
  const text = t().alerts.actions;
  const [form, setForm] = useState<Form>();
  const [failure, setFailure] = useState('');
  const [isBusy, setBusy] = useState(false);
  const isShelved = alert.shelved !== null;

  /** The list itself brings what has become of it. */
  const send = async (step: string, body?: object) => {
    setBusy(true);
    setFailure('');
    try {
      const path = `/api/alerts/${encodeURIComponent(alert.id)}/${step}`;
      await ask<AlertView>(path, { method: 'POST', ...(body && { body }) });
      setForm(undefined);
    } catch (error) {
      setFailure(messageOf(error));
    } finally {
      setBusy(false);
    }
  };

  return (
    <div class="alert-actions">
      <div class="alert-buttons">
        {!alert.acknowledged && (
          <button
            type="button"
            class="button button-main"
            disabled={isBusy}
            onClick={() => void send('acknowledge', {})}
          >
            {text.acknowledge}
          </button>
        )}
        <Opener form="note" open={form} onOpen={setForm} label={text.note} />
        {isShelved ? (
          <button type="button" class="button" disabled={isBusy} onClick={() => void send('unshelve')}>
            {text.unshelve}
          </button>
        ) : (
          <Opener form="shelve" open={form} onOpen={setForm} label={text.shelve} />
        )}
        {!alert.out_of_service && (
          <Opener form="service" open={form} onOpen={setForm} label={text.outOfService} />
        )}
      </div>
      {form === 'note' && <NoteForm isBusy={isBusy} onSend={body => void send('note', body)} />}
      {form === 'shelve' && <ShelveForm isBusy={isBusy} onSend={body => void send('shelve', body)} />}
      {form === 'service' && (
        <ServiceForm choices={serviceChoices(alert)} onDone={() => setForm(undefined)} />
      )}
      {failure && (
        <p class="form-error" role="alert">
          <Icon name="octagon" /> {failure}
        </p>
      )}
    </div>
  );
}

function serviceChoices({ id, pack_id }: AlertView) {
  const text = t().service;
  return [
    { what: { alert_id: id }, text: text.thisAlert },
    ...(pack_id === null ? [] : [{ what: { pack_id }, text: text.wholePack }]),
  ];
}

interface OpenerProps {
  readonly form: Form;
  readonly open: Form | undefined;
  readonly onOpen: (form: Form | undefined) => void;
  readonly label: string;
}

function Opener({ form, open, onOpen, label }: OpenerProps) {
  const isOpen = open === form;
  return (
    <button
      type="button"
      class="button"
      aria-expanded={isOpen}
      onClick={() => onOpen(isOpen ? undefined : form)}
    >
      {label}
    </button>
  );
}

interface FormProps {
  readonly isBusy: boolean;
  readonly onSend: (body: object) => void;
}

function NoteForm({ isBusy, onSend }: FormProps) {
  const text = t().alerts.actions;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    onSend({ text: String(fields.get('text')) });
  };
  return (
    <form class="alert-form" onSubmit={submit}>
      <label class="field">
        <span>{text.noteLabel}</span>
        <input name="text" required maxLength={500} autofocus />
      </label>
      <button type="submit" class="button button-main" disabled={isBusy}>
        {text.saveNote}
      </button>
    </form>
  );
}

function ShelveForm({ isBusy, onSend }: FormProps) {
  const text = t().alerts.actions;
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    onSend({ reason: String(fields.get('reason')), duration_ms: Number(fields.get('hours')) * HOUR_MS });
  };
  return (
    <form class="alert-form" onSubmit={submit}>
      <label class="field">
        <span>{text.reasonLabel}</span>
        <input name="reason" required maxLength={500} autofocus />
      </label>
      <label class="field">
        <span>{text.durationLabel}</span>
        <select name="hours">
          {SHELF_HOURS.map(hours => (
            <option key={hours} value={String(hours)} selected={hours === 8}>
              {text.hours(hours)}
            </option>
          ))}
        </select>
      </label>
      <button type="submit" class="button button-main" disabled={isBusy}>
        {text.saveShelve}
      </button>
      <p class="quiet">{text.shelveHelp}</p>
    </form>
  );
}
