/** When alerts are raised and cleared again, rule by rule, and where each limit comes from. */
import { useState } from 'preact/hooks';
import type { RuleView, Settings, SettingsReply } from '../../../../core/contract/http.ts';
import { ask } from '../../api/session.ts';
import { messageOf, useAsk } from '../../api/use-ask.ts';
import {
  changesOf,
  describeRule,
  describeScope,
  fieldName,
  LEVELS,
  NEW_ROW,
  NEW_SCOPES,
  type ScopeRow,
  scopeRows,
  type Time,
} from '../../format/thresholds.ts';
import { formatMoment } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { SeverityBadge } from '../../parts/badges.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Answered, Notice } from '../../parts/notice.tsx';
import { t } from '../../texts/texts.ts';

export function Thresholds() {
  const asked = useAsk<SettingsReply>('/api/admin/settings');
  return (
    <Answered asked={asked} texts={t().thresholds}>
      {settings => (
        // A form of its own for each version, so that the fields show what holds.
        <ThresholdForm key={settings.version} settings={settings} onSaved={asked.accept} />
      )}
    </Answered>
  );
}

interface ThresholdFormProps {
  readonly settings: SettingsReply;
  readonly onSaved: (settings: SettingsReply) => void;
}

function ThresholdForm({ settings, onSaved }: ThresholdFormProps) {
  const [failure, setFailure] = useState('');
  const text = t().thresholds;
  const rules = Object.entries(settings.rules);
  if (rules.length === 0) return <Notice icon="bell" title={text.none} />;

  const save = async (body: Settings) => {
    setFailure('');
    try {
      onSaved(await ask<SettingsReply>('/api/admin/settings', { method: 'PUT', body }));
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const body = changesOf(new FormData(event.currentTarget as HTMLFormElement), settings.rules);
    if (Object.keys(body.rules).length > 0) void save(body);
  };
  const { changed, version } = settings;
  return (
    <form class="thresholds" onSubmit={submit}>
      <p class="quiet">{text.help}</p>
      {rules.map(([id, rule]) => (
        <RuleCard key={id} id={id} rule={rule} onReset={() => void save({ rules: { [id]: null } })} />
      ))}
      <div class="form-foot">
        {failure && (
          <p class="form-error" role="alert">
            <Icon name="octagon" /> {failure}
          </p>
        )}
        {changed && !failure && (
          <p class="form-good" role="status">
            <Icon name="check" />{' '}
            {text.version(version, changed.by, formatMoment(changed.at_ms, now_ms.value))}
          </p>
        )}
        <button type="submit" class="button button-main">
          {text.save}
        </button>
      </div>
    </form>
  );
}

interface RuleCardProps {
  readonly id: string;
  readonly rule: RuleView;
  readonly onReset: () => void;
}

function RuleCard({ id, rule, onReset }: RuleCardProps) {
  const text = t().thresholds;
  const critical = rule.limits.some(limits => limits.critical !== undefined);
  return (
    <fieldset class="card threshold">
      <legend class="visually-hidden">{text.rule(rule.label, describeRule(rule))}</legend>
      <div class="threshold-head">
        <h3>{rule.label}</h3>
        <p class="quiet">{describeRule(rule)}</p>
        {rule.why && <p class="quiet">{rule.why}</p>}
      </div>
      {scopeRows(rule).map(row => (
        <LimitsRow key={row.key} id={id} rule={rule} row={row} />
      ))}
      <AddLimits id={id} rule={rule} />
      <div class="limits-row">
        <span class="limits-scope">{text.times}</span>
        <Seconds id={id} rule={rule} time="raise_after_ms" />
        {critical && <Seconds id={id} rule={rule} time="critical_after_ms" />}
        <Seconds id={id} rule={rule} time="clear_after_ms" />
        {rule.is_changed && (
          <button type="button" class="button" onClick={onReset}>
            {text.reset}
          </button>
        )}
      </div>
    </fieldset>
  );
}

/** Folded away: limits for some packs alone. */
function AddLimits({ id, rule }: { id: string; rule: RuleView }) {
  const text = t().thresholds;
  const withUnit = (label: string) => (rule.unit ? text.withUnit(label, rule.unit) : label);
  const levels = LEVELS.filter(level => rule.limits.some(limits => limits[level] !== undefined));
  return (
    <details class="alert-details">
      <summary>{text.add}</summary>
      <div class="limits-row">
        <span class="limits-scope">
          <label class="field">
            <span>{text.addFor}</span>
            <select name={fieldName(id, NEW_ROW, 'scope')}>
              {NEW_SCOPES.map(scope => (
                <option key={scope} value={scope}>
                  {text.scopeNames[scope]}
                </option>
              ))}
            </select>
          </label>
        </span>
        <label class="field">
          <span>{text.addName}</span>
          <input name={fieldName(id, NEW_ROW, 'name')} maxLength={100} autocapitalize="off" />
        </label>
        {levels.map(level => (
          <label key={level} class="field">
            <span>{withUnit(text.levels[level][rule.direction])}</span>
            <input type="number" step="any" name={fieldName(id, NEW_ROW, level)} />
          </label>
        ))}
      </div>
    </details>
  );
}

interface LimitsRowProps {
  readonly id: string;
  readonly rule: RuleView;
  readonly row: ScopeRow;
}

function LimitsRow({ id, rule, row }: LimitsRowProps) {
  const text = t().thresholds;
  const withUnit = (label: string) => (rule.unit ? text.withUnit(label, rule.unit) : label);
  const scope = describeScope(row.scope);
  return (
    <div class="limits-row">
      <span class="limits-scope">
        {scope}
        <span class="quiet">{text.from(row.from)}</span>
      </span>
      {LEVELS.map(level => {
        const limit = row.limits[level];
        if (limit === undefined) return null;
        const label = withUnit(text.levels[level][rule.direction]);
        return typeof limit === 'number' ? (
          <NumberField
            key={level}
            label={label}
            hint={scope}
            name={fieldName(id, row.key, level)}
            value={limit}
          />
        ) : (
          <div key={level} class="field">
            <SeverityBadge severity={level} />
            <span class="quiet">{describeLimit(limit)}</span>
          </div>
        );
      })}
      {row.limits.hysteresis !== undefined && (
        <NumberField
          label={withUnit(text.hysteresis)}
          hint={scope}
          name={fieldName(id, row.key, 'hysteresis')}
          value={row.limits.hysteresis}
          min={0}
        />
      )}
    </div>
  );
}

function describeLimit(limit: Exclude<NonNullable<ScopeRow['limits']['critical']>, number>): string {
  const text = t().thresholds;
  if ('of' in limit) return text.multiple(limit.times, text.quantity(limit.of), limit.plus ?? 0);
  const values = limit.limits.flat();
  return text.table(
    Math.min(...values),
    Math.max(...values),
    limit.over.map(condition => text.conditions[condition]),
  );
}

interface NumberFieldProps {
  readonly label: string;
  /** Of which packs; heard, where it is not seen beside it. */
  readonly hint: string;
  readonly name: string;
  readonly value: number;
  readonly min?: number;
}

function NumberField({ label, hint, name, value, min }: NumberFieldProps) {
  return (
    <label class="field">
      <span>
        {label}
        <span class="visually-hidden"> {hint}</span>
      </span>
      <input
        type="number"
        step="any"
        required
        name={name}
        defaultValue={String(value)}
        {...(min !== undefined && { min })}
      />
    </label>
  );
}

function Seconds({ id, rule, time }: { id: string; rule: RuleView; time: Time }) {
  const text = t().thresholds;
  return (
    <NumberField
      label={text.inSeconds(text.after[time])}
      hint={rule.label}
      name={fieldName(id, '-', time)}
      value={rule[time] / 1000}
      min={0}
    />
  );
}
