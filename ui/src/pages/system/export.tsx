/** Readings taken away as a file: which span, which battery, which form; progress, and a way to stop. */
import { useEffect, useRef, useState } from 'preact/hooks';
import {
  EXPORT_FORMATS,
  EXPORT_ROWS,
  type ExportFormat,
  type ExportRows,
} from '../../../../core/contract/export.ts';
import type { FleetState } from '../../../../core/contract/model.ts';
import { download } from '../../api/download.ts';
import { messageOf, useAsk } from '../../api/use-ask.ts';
import { formatBytes } from '../../format/bytes.ts';
import { fromLocalInput, toLocalInput } from '../../format/time.ts';
import { now_ms } from '../../live/live.ts';
import { Section, Segments } from '../../parts/controls.tsx';
import { Failure, Success } from '../../parts/fields.tsx';
import { t } from '../../texts/texts.ts';

const HOUR_MS = 3_600_000;

interface Progress {
  readonly bytes: number;
  /** 0 to 1 */
  readonly part: number;
}

export function Export() {
  const text = t().exporting;
  const { data: fleet } = useAsk<FleetState>('/api/batteries');
  const [rows, setRows] = useState<ExportRows>('cell');
  const [format, setFormat] = useState<ExportFormat>('csv');
  const [from, setFrom] = useState(() => toLocalInput(now_ms.value - HOUR_MS));
  const [to, setTo] = useState(() => toLocalInput(now_ms.value));
  const [battery, setBattery] = useState('');
  const [progress, setProgress] = useState<Progress>();
  const [outcome, setOutcome] = useState<{ failure?: string; success?: string }>({});
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);

  const start = async () => {
    const [from_ms, to_ms] = [fromLocalInput(from), fromLocalInput(to)];
    if (!(from_ms < to_ms)) return setOutcome({ failure: text.wrongSpan });
    const query = new URLSearchParams({
      from_ms: String(from_ms),
      to_ms: String(to_ms),
      rows,
      format,
      cursor: '0',
    });
    if (battery) query.set('battery_id', battery);
    const controller = new AbortController();
    abort.current = controller;
    setOutcome({});
    setProgress({ bytes: 0, part: 0 });
    let size = 0;
    try {
      await download(`/api/export?${query}`, {
        signal: controller.signal,
        onProgress: (bytes, t_ms) => {
          size = bytes;
          setProgress(before => ({
            bytes,
            part:
              t_ms === undefined ? (before?.part ?? 0) : Math.min(1, (t_ms - from_ms) / (to_ms - from_ms)),
          }));
        },
      });
      setOutcome({ success: text.done(formatBytes(size)) });
    } catch (error) {
      if (!controller.signal.aborted) setOutcome({ failure: messageOf(error) });
    } finally {
      setProgress(undefined);
    }
  };

  return (
    <Section title={text.title} class="narrow">
      <form
        class="card form"
        onSubmit={event => {
          event.preventDefault();
          void start();
        }}
      >
        <div class="field-pair">
          <Moment label={text.from} value={from} onChange={setFrom} />
          <Moment label={text.to} value={to} onChange={setTo} />
        </div>
        <label class="field">
          <span>{text.battery}</span>
          <select value={battery} onChange={event => setBattery(event.currentTarget.value)}>
            <option value="">{text.allBatteries}</option>
            {fleet?.batteries.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <div class="toolbar">
          <Segments
            label={text.rowFor}
            options={options(EXPORT_ROWS, text.rows)}
            value={rows}
            onChange={setRows}
          />
          <Segments
            label={text.format}
            options={options(EXPORT_FORMATS, text.formats)}
            value={format}
            onChange={setFormat}
          />
        </div>
        <Failure text={outcome.failure ?? ''} />
        {outcome.success && <Success>{outcome.success}</Success>}
        {progress ? (
          <>
            <progress value={progress.part} aria-label={text.progress} />
            <p class="quiet" role="status">
              {text.part(formatBytes(progress.bytes), Math.floor(100 * progress.part))}
            </p>
            <button type="button" class="button" onClick={() => abort.current?.abort()}>
              {text.stop}
            </button>
          </>
        ) : (
          <button type="submit" class="button button-main">
            {text.download}
          </button>
        )}
        <p class="quiet">{text.onTheBox(<code>bms-gateway export --from 30d --output readings.csv</code>)}</p>
      </form>
    </Section>
  );
}

function options<V extends string>(values: readonly V[], texts: Readonly<Record<V, string>>) {
  return values.map(value => ({ value, text: texts[value] }));
}

function Moment({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="datetime-local"
        required
        value={value}
        onChange={event => onChange(event.currentTarget.value)}
      />
    </label>
  );
}
