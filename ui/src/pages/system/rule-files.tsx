/** Alert rules as a file: saved as YAML, and taken from one once its difference was seen. */
import { useRef, useState } from 'preact/hooks';
import type { SettingsReply } from '../../../../core/contract/http.ts';
import type { RuleImportBody, RuleImportReply } from '../../../../core/contract/rule-file.ts';
import { download } from '../../api/download.ts';
import { ask } from '../../api/session.ts';
import { messageOf } from '../../api/use-ask.ts';
import { Section } from '../../parts/controls.tsx';
import { Failure, Success } from '../../parts/fields.tsx';
import { Icon } from '../../parts/icons.tsx';
import { t } from '../../texts/texts.ts';

interface RuleFilesProps {
  readonly version: number;
  readonly onTaken: (settings: SettingsReply) => void;
}

interface Trial {
  readonly name: string;
  readonly yaml: string;
  readonly differences: RuleImportReply['differences'];
}

export function RuleFiles({ version, onTaken }: RuleFilesProps) {
  const text = t().ruleFiles;
  const input = useRef<HTMLInputElement>(null);
  const [trial, setTrial] = useState<Trial>();
  const [failure, setFailure] = useState('');
  const [isTaken, setTaken] = useState(false);

  const save = async () => {
    setFailure('');
    try {
      const signal = new AbortController().signal;
      await download('/api/admin/settings/export', { onProgress: () => {}, signal });
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  const send = (body: RuleImportBody) =>
    ask<RuleImportReply>('/api/admin/settings/import', { method: 'POST', body });
  const look = async (file: File | undefined) => {
    setFailure('');
    setTrial(undefined);
    setTaken(false);
    if (!file) return;
    try {
      const yaml = await file.text();
      const { differences } = await send({ yaml, is_trial: true, version });
      setTrial({ name: file.name, yaml, differences });
    } catch (error) {
      setFailure(messageOf(error));
    }
    // So that the same file, put right, can be chosen again.
    if (input.current) input.current.value = '';
  };
  const take = async ({ yaml, name }: Trial) => {
    try {
      const { settings } = await send({
        yaml,
        is_trial: false,
        version,
        note: text.note(name).slice(0, 500),
      });
      setTrial(undefined);
      setTaken(true);
      onTaken(settings);
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  return (
    <Section title={text.title} class="card">
      <p class="quiet">{text.help}</p>
      <div class="form-row">
        <button type="button" class="button" onClick={() => void save()}>
          <Icon name="down" size={16} /> {text.save}
        </button>
        <label class="field">
          <span>{text.choose}</span>
          <input
            ref={input}
            type="file"
            accept=".yaml,.yml,application/yaml,text/yaml"
            onChange={event => void look(event.currentTarget.files?.[0])}
          />
        </label>
      </div>
      {failure && (
        <div class="file-faults">
          <Failure text={failure} />
        </div>
      )}
      {isTaken && <Success>{text.taken}</Success>}
      {trial && trial.differences.length === 0 && <p role="status">{text.same(trial.name)}</p>}
      {trial && trial.differences.length > 0 && (
        <div role="status">
          <h3>{text.wouldChange(trial.name, trial.differences.length)}</h3>
          {trial.differences.map(one => (
            <Difference key={one.rule_id} difference={one} />
          ))}
          <div class="form-row">
            <button type="button" class="button button-main" onClick={() => void take(trial)}>
              {text.take}
            </button>
            <button type="button" class="button" onClick={() => setTrial(undefined)}>
              {t().common.keep}
            </button>
          </div>
        </div>
      )}
    </Section>
  );
}

function Difference({ difference }: { difference: RuleImportReply['differences'][number] }) {
  const text = t().ruleFiles;
  const { label, rule_id, kind, lines } = difference;
  return (
    <details class="alert-details" open={kind !== 'added'}>
      <summary>{text.kinds[kind](label, rule_id)}</summary>
      {kind !== 'removed' && (
        <div class="table-scroll">
          <table class="table">
            <thead>
              <tr>
                <th scope="col">{text.what}</th>
                {kind === 'changed' && <th scope="col">{text.now}</th>}
                <th scope="col">{text.inFile}</th>
              </tr>
            </thead>
            <tbody>
              {lines.map(({ what, before, after }) => (
                <tr key={what}>
                  <th scope="row">{what}</th>
                  {kind === 'changed' && <td>{before ?? text.notSaid}</td>}
                  <td>{after ?? text.notSaid}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
