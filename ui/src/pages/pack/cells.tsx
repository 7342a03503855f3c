/** Every cell of a pack: an overview in bars, then one tile per cell with all that is known of it. */
import { Component } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import type { CellColumn, PackDetail } from '../../../../core/contract/model.ts';
import { CELL_METRICS, CellMetric, PACK_METRICS, PackMetric } from '../../../../core/metrics.ts';
import type { QualityName } from '../../../../core/reading/quality.ts';
import { columnStats } from '../../format/cells.ts';
import { formatBand, isWorthShowing } from '../../format/estimates.ts';
import { formatMillivolts, formatNumber, formatSignedMillivolts, quantityOf } from '../../format/numbers.ts';
import { cellQuality, cellValue, countQuality, describeQuality } from '../../format/quality.ts';
import { formatClock } from '../../format/time.ts';
import { CellBars } from '../../parts/cell-bars.tsx';
import { Section } from '../../parts/controls.tsx';
import { Icon } from '../../parts/icons.tsx';
import { Fact, MetricValue, QualityTag, QuantityText } from '../../parts/value.tsx';
import { t } from '../../texts/texts.ts';
import { EXTREMES } from './device.tsx';

const CLEARLY_HOTTER_C = 5;

interface CellsProps {
  readonly pack: PackDetail;
  /** The cell to point out, as an alert's link asks; counting from 1. */
  readonly cell_no: number | undefined;
}

export function Cells(props: CellsProps) {
  return props.pack.cell_count > 0 ? <EveryCell {...props} /> : <ExtremesOnly pack={props.pack} />;
}

/** For devices that report no single cell: the extremes in their own words, with their quality. */
function ExtremesOnly({ pack: { values, summary } }: Pick<CellsProps, 'pack'>) {
  const text = t().cells;
  const reported = EXTREMES.filter(name => values[name].quality !== 'missing');
  return (
    <Section title={text.title} class="card">
      {reported.length === 0 ? (
        <p class="quiet">{text.nothing}</p>
      ) : (
        <dl class="facts cell-extremes">
          {reported.map(name => (
            <Fact key={name} label={t().quantities.pack[name]}>
              <MetricValue metric={PACK_METRICS[PackMetric[name]]} value={values[name]} />
            </Fact>
          ))}
          {summary.cell_voltage_spread_v !== null && (
            <Fact label={text.spread}>
              <span class="value">{formatMillivolts(summary.cell_voltage_spread_v)}</span>
            </Fact>
          )}
        </dl>
      )}
      {reported.length > 0 && <p class="quiet cell-extremes-note">{text.extremesOnly}</p>}
    </Section>
  );
}

function EveryCell({ pack, cell_no }: CellsProps) {
  const [picked, setPicked] = useState(cell_no);
  useEffect(() => {
    setPicked(cell_no);
    if (cell_no !== undefined) showCell(cell_no);
  }, [cell_no]);
  const pick = (no: number) => {
    setPicked(no);
    showCell(no);
  };
  const text = t().cells;
  const { voltage_v, temperature_c, balancing } = pack.cells;
  const stats = columnStats(voltage_v);
  const hottest_c = clearlyHottest(temperature_c);
  const outOfLine = pack.summary.cells_out_of_line;
  const isFlat = stats.min === stats.max;
  const doubts = describeQuality(countQuality(voltage_v));
  return (
    <Section
      title={text.title}
      class="card"
      aside={<span class="quiet">{doubts || text.allGood(pack.cell_count)}</span>}
    >
      <dl class="facts facts-2">
        <Fact label={stats.min_cell === undefined ? text.lowest : text.lowestIs(stats.min_cell + 1)}>
          <QuantityText {...volts(stats.min)} />
        </Fact>
        <Fact label={stats.max_cell === undefined ? text.highest : text.highestIs(stats.max_cell + 1)}>
          <QuantityText {...volts(stats.max)} />
        </Fact>
        <Fact label={text.spread}>
          <span class="value">
            {formatMillivolts(stats.min === null || stats.max === null ? null : stats.max - stats.min)}
          </span>
        </Fact>
        <Fact label={text.median}>
          <QuantityText {...volts(stats.median)} />
        </Fact>
      </dl>
      <CellBars column={voltage_v} onPick={pick} />
      <ol class="cell-tiles">
        {voltage_v.values.map((_, cell) => {
          const voltage = cellValue(voltage_v, cell);
          const isGood = cellQuality(voltage_v, cell) === 'good';
          return (
            <CellTile
              key={cell}
              no={cell + 1}
              voltage_v={voltage}
              voltageQuality={cellQuality(voltage_v, cell)}
              deviation_v={
                isGood && voltage !== null && stats.median !== null ? voltage - stats.median : null
              }
              soc={cellBand(pack.cells.estimated_soc_pct, pack.cells.estimated_soc_sd_pct, cell)}
              soh={cellBand(pack.cells.estimated_soh_pct, pack.cells.estimated_soh_sd_pct, cell)}
              temperature_c={cellValue(temperature_c, cell)}
              temperatureQuality={cellQuality(temperature_c, cell)}
              isHottest={hottest_c !== undefined && cellValue(temperature_c, cell) === hottest_c}
              isBalancing={cellValue(balancing, cell) === 1 && cellQuality(balancing, cell) === 'good'}
              extreme={
                isFlat ? '' : cell === stats.min_cell ? 'lowest' : cell === stats.max_cell ? 'highest' : ''
              }
              isPicked={picked === cell + 1}
              isOutOfLine={outOfLine.includes(cell + 1)}
              stale_since_ms={
                cellQuality(voltage_v, cell) === 'stale'
                  ? (pack.cell_updated_ms[cell] ?? undefined)
                  : undefined
              }
            />
          );
        })}
      </ol>
    </Section>
  );
}

const volts = (value: number | null) => quantityOf(CELL_METRICS[CellMetric.voltage_v], value);

function cellBand(values: CellColumn, deviations: CellColumn, cell: number): string {
  const value = cellValue(values, cell);
  const sd = cellValue(deviations, cell);
  return isWorthShowing(value, sd) ? formatBand(value, sd) : '';
}

/** The temperature to watch: the highest, when it is clearly above the others'. */
function clearlyHottest(column: CellColumn): number | undefined {
  const { median, max } = columnStats(column);
  return median !== null && max !== null && max - median >= CLEARLY_HOTTER_C ? max : undefined;
}

function showCell(cell_no: number): void {
  requestAnimationFrame(() => {
    document.getElementById(`cell-${cell_no}`)?.scrollIntoView({ block: 'center' });
  });
}

interface CellTileProps {
  readonly no: number;
  readonly voltage_v: number | null;
  readonly voltageQuality: QualityName;
  readonly deviation_v: number | null;
  /** Estimates of the gateway, with their bands; empty: there is none. */
  readonly soc: string;
  readonly soh: string;
  readonly temperature_c: number | null;
  readonly temperatureQuality: QualityName;
  readonly isHottest: boolean;
  readonly isBalancing: boolean;
  readonly extreme: 'lowest' | 'highest' | '';
  readonly isPicked: boolean;
  readonly isOutOfLine: boolean;
  /** When a stale voltage was last updated. */
  readonly stale_since_ms: number | undefined;
}

/** A class because of its shouldComponentUpdate: of a thousand cells only those that changed are rendered. */
class CellTile extends Component<CellTileProps> {
  override shouldComponentUpdate(next: CellTileProps): boolean {
    return (Object.keys(next) as (keyof CellTileProps)[]).some(key => next[key] !== this.props[key]);
  }

  override render(props: CellTileProps) {
    const { no, voltageQuality, temperatureQuality, extreme } = props;
    const text = t().cells;
    return (
      <li
        id={`cell-${no}`}
        class={`cell-tile is-${voltageQuality} ${extreme ? `is-${extreme}` : ''} ${props.isPicked ? 'is-picked' : ''}`}
      >
        <div class="cell-head">
          <span class="cell-no">
            <span class="visually-hidden">{text.cell} </span>
            {no}
          </span>
          {extreme && (
            <span class={`extreme extreme-${extreme}`}>
              <span aria-hidden="true">{extreme === 'lowest' ? '▼' : '▲'}</span> {text.extremes[extreme]}
            </span>
          )}
          {props.isOutOfLine && <span class="chip tone-warning">{text.outOfLine}</span>}
          <QualityTag quality={voltageQuality} />
        </div>
        <div class="cell-voltage value">
          {formatNumber(props.voltage_v, 3)}
          {props.voltage_v !== null && <span class="unit"> V</span>}
        </div>
        <div class="cell-foot">
          <span>{props.deviation_v === null ? '' : formatSignedMillivolts(props.deviation_v)}</span>
          <span class={props.isHottest ? 'cell-temperature is-hottest' : 'cell-temperature'}>
            {props.isHottest && (
              <span title={text.hotter}>
                <span aria-hidden="true">▲</span>
                <span class="visually-hidden">{text.hottest}</span>
              </span>
            )}
            {props.temperature_c === null ? '— °C' : `${formatNumber(props.temperature_c, 1)} °C`}
            {temperatureQuality !== voltageQuality && <QualityTag quality={temperatureQuality} />}
          </span>
        </div>
        {(props.soc || props.soh) && (
          <div class="cell-estimate">
            {props.soc && <span>{text.soc(props.soc)}</span>}
            {props.soh && <span>{text.soh(props.soh)}</span>}
          </div>
        )}
        {props.stale_since_ms !== undefined && (
          <div class="quiet">{text.updated(formatClock(props.stale_since_ms))}</div>
        )}
        {props.isBalancing && (
          <div class="cell-balancing">
            <Icon name="balance" size={14} /> {text.balancing}
          </div>
        )}
      </li>
    );
  }
}
