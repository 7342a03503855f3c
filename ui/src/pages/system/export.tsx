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

const HOUR_MS = 3_600_000;
const ROWS: Readonly<Record<ExportRows, string>> = { cell: 'Every cell', pack: 'Every pack' };
const FORMATS: Readonly<Record<ExportFormat, string>> = { csv: 'CSV', ndjson: 'JSON lines' };

interface Progress {
  readonly bytes: number;
  /** 0 to 1 */
  readonly part: number;
}

export function Export() {
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
    if (!(from_ms < to_ms)) return setOutcome({ failure: 'The begin must lie before the end.' });
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
      setOutcome({ success: `${formatBytes(size)} handed to the browser.` });
    } catch (error) {
      if (!controller.signal.aborted) setOutcome({ failure: messageOf(error) });
    } finally {
      setProgress(undefined);
    }
  };

  return (
    <Section title="Take readings away" class="narrow">
      <form
        class="card form"
        onSubmit={event => {
          event.preventDefault();
          void start();
        }}
      >
        <div class="field-pair">
          <Moment label="From" value={from} onChange={setFrom} />
          <Moment label="To" value={to} onChange={setTo} />
        </div>
        <label class="field">
          <span>Battery</span>
          <select value={battery} onChange={event => setBattery(event.currentTarget.value)}>
            <option value="">All</option>
            {fleet?.batteries.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <div class="toolbar">
          <Segments label="A row for" options={options(EXPORT_ROWS, ROWS)} value={rows} onChange={setRows} />
          <Segments
            label="Format"
            options={options(EXPORT_FORMATS, FORMATS)}
            value={format}
            onChange={setFormat}
          />
        </div>
        <Failure text={outcome.failure ?? ''} />
        {outcome.success && <Success>{outcome.success}</Success>}
        {progress ? (
          <>
            <progress value={progress.part} aria-label="Progress of the export" />
            <p class="quiet" role="status">
              {formatBytes(progress.bytes)}, {Math.floor(100 * progress.part)} % of the span
            </p>
            <button type="button" class="button" onClick={() => abort.current?.abort()}>
              Stop
            </button>
          </>
        ) : (
          <button type="submit" class="button button-main">
            Download
          </button>
        )}
        <p class="quiet">
          For long spans, on the box: <code>bms-gateway export --from 30d --output readings.csv</code>
        </p>
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
