/** When alerts are raised and cleared again, rule by rule, and where each limit comes from. */
import { createContext } from 'preact';
import { useContext, useEffect, useId, useRef, useState } from 'preact/hooks';
import type { RuleView, Settings, SettingsReply } from '../../../../core/contract/http.ts';
import type { RulePreviewReply } from '../../../../core/contract/rule-preview.ts';
import { ask } from '../../api/session.ts';
import { messageOf, useAsk } from '../../api/use-ask.ts';
import {
  changesOf,
  describeRule,
  describeScope,
  type FieldFault,
  faultIn,
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
import { RuleFiles } from './rule-files.tsx';
import { RulePreviewCard } from './rule-preview.tsx';

/** The gateway may look for 20 s. */
const PREVIEW_TIMEOUT_MS = 30_000;

/** What the gateway found wrong in one of the fields. */
const FaultOfForm = createContext<FieldFault | undefined>(undefined);

/** Of a field that is wrong: it gets the focus, and says why. */
function useFault(name: string) {
  const fault = useContext(FaultOfForm);
  const ref = useRef<HTMLInputElement>(null);
  const id = useId();
  const isWrong = fault?.field === name;
  useEffect(() => {
    if (!isWrong) return;
    ref.current?.closest('details')?.setAttribute('open', '');
    ref.current?.focus();
  }, [isWrong, fault]);
  return {
    isWrong,
    input: { ref, ...(isWrong && { 'aria-invalid': true, 'aria-describedby': id }) },
    said: (
      <span id={id} class="field-fault">
        {fault?.text}
      </span>
    ),
  };
}

export function Thresholds() {
  const asked = useAsk<SettingsReply>('/api/admin/settings');
  return (
    <Answered asked={asked} texts={t().thresholds}>
      {settings => (
        // A form of its own for each version, so that the fields show what holds.
        <>
          <RuleFiles version={settings.version} onTaken={asked.accept} />
          <ThresholdForm key={settings.version} settings={settings} onSaved={asked.accept} />
        </>
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
  const [fault, setFault] = useState<FieldFault>();
  const [preview, setPreview] = useState<RulePreviewReply>();
  const previewing = useRef<AbortController>(undefined);
  const [isPreviewing, setPreviewing] = useState(false);
  // Whoever leaves the page waits no longer.
  useEffect(() => () => previewing.current?.abort(), []);
  const form = useRef<HTMLFormElement>(null);
  const text = t().thresholds;
  const rules = Object.entries(settings.rules);
  if (rules.length === 0) return <Notice icon="bell" title={text.none} />;

  const failed = (error: unknown, body: Settings) => {
    setFailure(messageOf(error));
    setFault(faultIn(messageOf(error), body, settings.rules));
  };
  const begin = () => {
    setFailure('');
    setFault(undefined);
  };
  const save = async (body: Settings) => {
    begin();
    try {
      onSaved(await ask<SettingsReply>('/api/admin/settings', { method: 'PUT', body }));
    } catch (error) {
      failed(error, body);
    }
  };
  const showPreview = async () => {
    if (!form.current?.reportValidity()) return;
    const body = changesOf(new FormData(form.current), settings.rules);
    begin();
    setPreview(undefined);
    setPreviewing(true);
    const stop = new AbortController();
    previewing.current = stop;
    const { signal } = stop;
    try {
      const options = { method: 'POST', body, signal, timeout_ms: PREVIEW_TIMEOUT_MS } as const;
      setPreview(await ask<RulePreviewReply>('/api/admin/settings/preview', options));
    } catch (error) {
      if (!signal.aborted) failed(error, body);
    }
    if (!signal.aborted) setPreviewing(false);
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const body = changesOf(new FormData(event.currentTarget as HTMLFormElement), settings.rules);
    if (Object.keys(body.rules).length > 0) void save(body);
  };
  const { changed, version } = settings;
  return (
    <FaultOfForm.Provider value={fault}>
      <form class="thresholds" onSubmit={submit} ref={form}>
        <p class="quiet">{text.help}</p>
        {rules.map(([id, rule]) => (
          <RuleCard key={id} id={id} rule={rule} onReset={() => void save({ rules: { [id]: null } })} />
        ))}
        {preview && <RulePreviewCard preview={preview} />}
        {settings.removed.map(id => (
          <p key={id} class="quiet">
            {text.removed(id)}{' '}
            <button type="button" class="button" onClick={() => void save({ rules: { [id]: null } })}>
              {text.reset}
            </button>
          </p>
        ))}
        <div class="form-foot">
          {isPreviewing && (
            <p class="quiet" role="status">
              {text.preview.asking}
            </p>
          )}
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
          <div class="form-row">
            <button type="submit" class="button button-main">
              {text.save}
            </button>
            <button type="button" class="button" disabled={isPreviewing} onClick={() => void showPreview()}>
              {text.preview.ask}
            </button>
          </div>
        </div>
      </form>
    </FaultOfForm.Provider>
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
        <AddedField label={text.addName} name={fieldName(id, NEW_ROW, 'name')} />
        {levels.map(level => (
          <AddedField
            key={level}
            label={withUnit(text.levels[level][rule.direction])}
            name={fieldName(id, NEW_ROW, level)}
            isNumber
          />
        ))}
      </div>
    </details>
  );
}

function AddedField({ label, name, isNumber }: { label: string; name: string; isNumber?: boolean }) {
  const { isWrong, input, said } = useFault(name);
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {isNumber ? (
        <input id={id} type="number" step="any" name={name} {...input} />
      ) : (
        <input id={id} maxLength={100} autocapitalize="off" name={name} {...input} />
      )}
      {isWrong && said}
    </div>
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
            <span class="quiet">{describeLimit(limit, rule.unit)}</span>
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

function describeLimit(
  limit: Exclude<NonNullable<ScopeRow['limits']['critical']>, number>,
  unit: string,
): string {
  const text = t().thresholds;
  if ('of' in limit) return text.multiple(limit.times, text.quantity(limit.of), limit.plus ?? 0);
  const values = limit.limits.flat();
  return text.table(
    Math.min(...values),
    Math.max(...values),
    unit,
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
  const { isWrong, input, said } = useFault(name);
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
        {...input}
      />
      {isWrong && said}
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
