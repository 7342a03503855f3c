/** Every cell of the fleet on one canvas, a row per battery: which needs attention first. */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useLocation } from 'preact-iso/router';
import { systemClock } from '../../../core/clock/system-clock.ts';
import type { BatteryDetail, BatterySummary, PackSummary } from '../../../core/contract/model.ts';
import { columnStats, deviationScale, type ScaledMetric } from '../format/cells.ts';
import { cellAt, layOutMap, outliers } from '../format/fleet-map.ts';
import { cellHref } from '../format/health.ts';
import { formatNumber, formatSigned, formatSignedMillivolts } from '../format/numbers.ts';
import { cellQuality, countQuality, describeQuality, qualityMark } from '../format/quality.ts';
import { byName } from '../format/rank.ts';
import { useRoom } from '../live/live.ts';
import { Section, Segments } from '../parts/controls.tsx';
import { HeatLegend, UNITS } from '../parts/heat-strip.tsx';
import { MapCanvas } from '../parts/map-canvas.ts';
import { theme } from '../parts/preferences.ts';
import { t } from '../texts/texts.ts';

/** Batteries report one by one; their news is drawn together. */
const GATHER_MS = 150;
const OUTLIERS_SHOWN = 3;

type Details = ReadonlyMap<string, BatteryDetail>;

export function FleetMap({ batteries }: { batteries: readonly BatterySummary[] }) {
  const [metric, setMetric] = useState<ScaledMetric>('voltage_v');
  const { details, accept } = useGathered();
  const rows = batteries.filter(({ cell_count }) => cell_count > 0).sort(byName);
  if (rows.length === 0) return null;
  const known = rows.flatMap(({ id }) => details.get(id) ?? []);
  const columns = known.flatMap(({ packs }) => packs.map(pack => pack.cells[metric]));
  const scale = deviationScale(metric, columns);
  const text = t().fleetMap;
  return (
    <Section
      title={text.title}
      class="card fleet-map"
      aside={
        <Segments
          label={text.shows}
          value={metric}
          onChange={setMetric}
          options={[
            { value: 'voltage_v', text: t().cellViews.voltage },
            { value: 'temperature_c', text: t().cellViews.temperature },
          ]}
        />
      }
    >
      <HeatLegend metric={metric} scale={scale} columns={columns} />
      <MapBody rows={rows} details={details} metric={metric} scale={scale} accept={accept} />
      <Outliers known={known} metric={metric} />
    </Section>
  );
}

function useGathered() {
  const [details, setDetails] = useState<Details>(new Map());
  const gathered = useRef(new Map<string, BatteryDetail>());
  const timer = useRef<ReturnType<typeof systemClock.setTimer> | undefined>(undefined);
  useEffect(() => () => systemClock.clearTimer(timer.current), []);
  const accept = useMemo(
    () => (id: string, detail: BatteryDetail) => {
      gathered.current.set(id, detail);
      timer.current ??= systemClock.setTimer(() => {
        timer.current = undefined;
        setDetails(new Map(gathered.current));
      }, GATHER_MS);
    },
    [],
  );
  return { details, accept };
}

interface MapBodyProps {
  readonly rows: readonly BatterySummary[];
  readonly details: Details;
  readonly metric: ScaledMetric;
  readonly scale: number;
  readonly accept: (id: string, detail: BatteryDetail) => void;
}

function MapBody({ rows, details, metric, scale, accept }: MapBodyProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const map = useRef<MapCanvas | undefined>(undefined);
  const width = useWidth(canvas);
  const { route } = useLocation();
  const [pointed, setPointed] = useState('');
  const shown = theme.value;
  const packs = rows.map(({ id }) => details.get(id)?.packs ?? []);
  const counts = packs.map(row => row.map(pack => pack.cells.voltage_v.values.length));
  const layout = useMemo(() => layOutMap(counts, width), [JSON.stringify(counts), width]);
  const columns = packs.flatMap(row => row.map(pack => pack.cells[metric]));
  useEffect(() => {
    if (!canvas.current) return;
    map.current ??= new MapCanvas(canvas.current);
    map.current.draw(layout, columns, scale, shown);
  });
  const at = (event: MouseEvent) => {
    const found = cellAt(layout, event.offsetX, event.offsetY);
    return found && { pack: packs[found.box.battery][found.box.pack], cell: found.cell };
  };
  const open = (event: MouseEvent) => {
    const found = at(event);
    if (found) route(cellHref(found.pack.id, found.cell + 1));
  };
  const point = (event: MouseEvent) => {
    const found = at(event);
    setPointed(found ? describeCell(found.pack, metric, found.cell) : '');
  };
  return (
    <>
      <div class="map-rows" style={{ '--row': `${layout.row_px}px` }}>
        <ul class="map-names">
          {rows.map(({ id, name }) => (
            <RowName key={id} id={id} name={name} accept={accept} />
          ))}
        </ul>
        <canvas
          ref={canvas}
          role="img"
          aria-label={describeMap(columns, rows.length)}
          style={{ height: `${layout.row_px * rows.length}px` }}
          onClick={open}
          onPointerMove={point}
          onPointerLeave={() => setPointed('')}
        />
      </div>
      <p class="quiet map-pointed" aria-hidden="true">
        {pointed || t().fleetMap.tap}
      </p>
    </>
  );
}

/** Its name, and its ear: it is in the battery's room while it stands. */
function RowName({ id, name, accept }: { id: string; name: string } & Pick<MapBodyProps, 'accept'>) {
  const { data } = useRoom<'battery'>(`battery:${id}`).value;
  useEffect(() => {
    if (data) accept(id, data);
  }, [data]);
  return (
    <li>
      <a href={`/battery/${encodeURIComponent(id)}`} title={name}>
        {name}
      </a>
    </li>
  );
}

function Outliers({ known, metric }: { known: readonly BatteryDetail[]; metric: ScaledMetric }) {
  const found = outliers(known, metric, OUTLIERS_SHOWN);
  if (found.length === 0) return null;
  return (
    <div class="outliers">
      <h3>{t().fleetMap.furthest}</h3>
      <ul>
        {found.map(({ pack_id, pack_name, cell_no, deviation }) => (
          <li key={pack_id}>
            <a href={cellHref(pack_id, cell_no)}>{t().common.cellOf(pack_name, cell_no)}</a>
            <span class="value">{formatDeviation(metric, deviation)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The canvas's width in px; 0 until it stands. */
function useWidth(canvas: { readonly current: HTMLCanvasElement | null }): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const element = canvas.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}

function formatDeviation(metric: ScaledMetric, deviation: number): string {
  return metric === 'voltage_v' ? formatSignedMillivolts(deviation) : `${formatSigned(deviation, 1)} °C`;
}

function describeCell(pack: PackSummary, metric: ScaledMetric, cell: number): string {
  const column = pack.cells[metric];
  const { unit, decimals } = UNITS[metric];
  const value = column.values[cell] ?? null;
  const { median } = columnStats(column);
  const quality = cellQuality(column, cell);
  const { fleetMap: text, common, qualities } = t();
  const where = common.cellOf(pack.name, cell + 1);
  if (quality === 'missing' || value === null) return text.cell(where, qualities.missing.inText);
  const read = `${formatNumber(value, decimals)} ${unit}`;
  if (quality !== 'good' || median === null)
    return text.cell(where, text.value(read, qualityMark(quality)?.inText ?? ''));
  return text.cell(where, text.value(read, formatDeviation(metric, value - median)));
}

function describeMap(columns: readonly PackSummary['cells']['voltage_v'][], batteries: number): string {
  const all = {
    values: columns.flatMap(({ values }) => values),
    quality: columns.map(({ quality }) => quality).join(''),
  };
  const { fleetMap: text, counts } = t();
  const doubts = describeQuality(countQuality(all)) || text.allGood;
  return text.map(counts.cells(all.values.length), counts.batteries(batteries), doubts);
}
