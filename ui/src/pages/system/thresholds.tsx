/** When alerts are raised and cleared again, rule by rule. */
import { useState } from 'preact/hooks';
import type { RuleView, SettingsReply } from '../../../../core/contract/http.ts';
import { ask } from '../../api/session.ts';
import { messageOf, useAsk } from '../../api/use-ask.ts';
import { describeRule, readThresholds } from '../../format/thresholds.ts';
import { SeverityBadge } from '../../parts/badges.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Loading, Notice } from '../../parts/notice.tsx';
import { t } from '../../texts/texts.ts';

export function Thresholds() {
  const { data, error, accept } = useAsk<SettingsReply>('/api/admin/settings');
  const text = t().thresholds;
  if (error && !data) {
    return (
      <Notice icon="triangle" title={text.failed} tone="critical">
        <p>{error.message}</p>
      </Notice>
    );
  }
  if (!data) return <Loading text={text.loading} />;
  return <ThresholdForm settings={data} onSaved={accept} />;
}

interface ThresholdFormProps {
  readonly settings: SettingsReply;
  readonly onSaved: (settings: SettingsReply) => void;
}

function ThresholdForm({ settings, onSaved }: ThresholdFormProps) {
  const [failure, setFailure] = useState('');
  const [isSaved, setSaved] = useState(false);
  const text = t().thresholds;
  const rules = Object.entries(settings.thresholds);
  if (rules.length === 0) return <Notice icon="bell" title={text.none} />;

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const body = readThresholds(
      fields,
      rules.map(([id]) => id),
    );
    setFailure('');
    setSaved(false);
    try {
      onSaved(await ask<SettingsReply>('/api/admin/settings', { method: 'PUT', body }));
      setSaved(true);
    } catch (error) {
      setFailure(messageOf(error));
    }
  };

  return (
    <form class="thresholds" onSubmit={submit} onInput={() => setSaved(false)}>
      <p class="quiet">{text.help}</p>
      {rules.map(([id, rule]) => (
        <ThresholdRow key={id} id={id} rule={rule} />
      ))}
      <div class="form-foot">
        {failure && (
          <p class="form-error" role="alert">
            <Icon name="octagon" /> {failure}
          </p>
        )}
        {isSaved && (
          <p class="form-good" role="status">
            <Icon name="check" /> {text.saved}
          </p>
        )}
        <button type="submit" class="button button-main">
          {text.save}
        </button>
      </div>
    </form>
  );
}

function ThresholdRow({ id, rule }: { id: string; rule: RuleView }) {
  const text = t().thresholds;
  const withUnit = (label: string) => (rule.unit ? text.withUnit(label, rule.unit) : label);
  return (
    <fieldset class="card threshold">
      <legend class="visually-hidden">{text.rule(rule.label, describeRule(rule))}</legend>
      <div class="threshold-head">
        <h3>{rule.label}</h3>
        <SeverityBadge severity={rule.severity} />
        <p class="quiet">{describeRule(rule)}</p>
      </div>
      <label class="field">
        <span>{withUnit(text.raise[rule.direction])}</span>
        <input
          type="number"
          step="any"
          required
          name={`${id}/raise_at`}
          defaultValue={String(rule.raise_at)}
        />
      </label>
      <label class="field">
        <span>{withUnit(text.clear)}</span>
        <input
          type="number"
          step="any"
          required
          name={`${id}/clear_at`}
          defaultValue={String(rule.clear_at)}
        />
      </label>
      <label class="field">
        <span>{text.withUnit(text.delay, 's')}</span>
        <input
          type="number"
          min={0}
          max={86_400}
          step="any"
          required
          name={`${id}/delay_s`}
          defaultValue={String(rule.delay_ms / 1000)}
        />
      </label>
    </fieldset>
  );
}
