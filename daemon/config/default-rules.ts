/**
 * Rules that hold where the configuration says nothing else: limits of lithium cells in general, kept a little wider
 * than what a healthy installation does in daily use. A cell's data sheet knows better; so does an administrator.
 */
import type { Limit, ScopedLimits, ThresholdRule } from '../../core/alerts/rule.ts';
import { DEFAULTS } from './defaults.ts';

const FROM = 'default';

type Text = Required<Pick<ThresholdRule, 'why' | 'next_check'>>;
type Timing = Partial<
  Pick<ThresholdRule, 'raise_after_ms' | 'critical_after_ms' | 'clear_after_ms' | 'during'>
>;

function rule(
  id: string,
  label: string,
  on: ThresholdRule['on'],
  direction: ThresholdRule['direction'],
  limits: readonly Omit<ScopedLimits, 'from'>[],
  text: Text,
  timing: Timing = {},
): ThresholdRule {
  const raise_after_ms = timing.raise_after_ms ?? DEFAULTS.raise_after_ms;
  return {
    id,
    label,
    on,
    direction,
    limits: limits.map(one => ({ ...one, from: FROM })),
    raise_after_ms,
    critical_after_ms: raise_after_ms,
    clear_after_ms: DEFAULTS.clear_after_ms,
    inhibit_ms: DEFAULTS.inhibit_ms,
    latch: false,
    ...timing,
    ...text,
  };
}

const VOLTAGE = { scope: 'cell', metric: 'voltage_v' } as const;
const TEMPERATURE = { scope: 'cell', metric: 'temperature_c' } as const;
const pack = (metric: Extract<ThresholdRule['on'], { scope: 'pack' }>['metric']) =>
  ({ scope: 'pack', metric }) as const;
const MINUTE_MS = 60_000;

/** A cold cell sags under load without being empty: the limit follows temperature and current. */
const sagging = (at_rest: number, cold_under_load: number): Limit => ({
  over: ['temperature_c', 'c_rate'],
  at: [
    [-20, 0, 25],
    [-2, 0],
  ],
  limits: [
    [cold_under_load, at_rest],
    [(cold_under_load + at_rest) / 2, at_rest],
    [at_rest - (at_rest - cold_under_load) / 4, at_rest],
  ],
  otherwise: at_rest,
});

export const DEFAULT_RULES: readonly ThresholdRule[] = [
  rule(
    'cell_voltage_high',
    'Cell voltage high',
    VOLTAGE,
    'above',
    [
      { chemistry: 'lfp', warning: 3.65, critical: 3.75, hysteresis: 0.1 },
      { chemistry: 'nmc', warning: 4.22, critical: 4.25, hysteresis: 0.04 },
      { chemistry: 'nca', warning: 4.22, critical: 4.25, hysteresis: 0.04 },
      { chemistry: 'lto', warning: 2.8, critical: 2.85, hysteresis: 0.05 },
    ],
    {
      why: 'Charging ends at 3.65 V (LFP), 4.20 V (NMC, NCA) and 2.80 V (LTO); above it cells age fast and may vent',
      next_check:
        'Compare the cell with its neighbours. One alone: it is full before the others, check balancing. All: check the charger’s voltage setting',
    },
    { critical_after_ms: 4000 },
  ),
  rule(
    'cell_voltage_low',
    'Cell voltage low',
    VOLTAGE,
    'below',
    [
      { chemistry: 'lfp', warning: sagging(2.8, 2.4), critical: sagging(2.5, 2.0), hysteresis: 0.1 },
      { chemistry: 'nmc', warning: sagging(3.2, 2.8), critical: sagging(3.0, 2.5), hysteresis: 0.1 },
      { chemistry: 'nca', warning: sagging(3.0, 2.7), critical: sagging(2.7, 2.5), hysteresis: 0.1 },
      { chemistry: 'lto', warning: sagging(1.7, 1.5), critical: sagging(1.5, 1.4), hysteresis: 0.1 },
    ],
    {
      why: 'Discharging ends at 2.5 V (LFP, NCA), 3.0 V (NMC) and 1.5 V (LTO) at rest; below it copper dissolves. A cold cell under load sags further without harm',
      next_check:
        'See whether the whole pack is empty or one cell falls below its neighbours: the one cell is weak or its connection is loose',
    },
    { critical_after_ms: 4000 },
  ),
  rule(
    'cell_temperature_high',
    'Cell temperature high',
    TEMPERATURE,
    'above',
    [{ warning: 55, critical: 60, hysteresis: 5 }],
    {
      why: 'Data sheets end at 55 to 60 °C; above it cells age fast, and heat feeds itself from about 80 °C',
      next_check:
        'Check airflow and fans, then the connection of the named cell: a loose one heats under load',
    },
    { critical_after_ms: 4000 },
  ),
  rule(
    'cell_temperature_low',
    'Cell temperature low',
    TEMPERATURE,
    'below',
    [{ warning: -15, critical: -20, hysteresis: 3 }],
    {
      why: 'Data sheets end at -20 °C; the cells give little power and recover slowly',
      next_check: 'Check the heating and the room; reduce the load until it is warmer',
    },
  ),
  rule(
    'charging_below_freezing',
    'Charging below 0 °C',
    TEMPERATURE,
    'below',
    [
      { chemistry: 'lfp', critical: 0, hysteresis: 2 },
      { chemistry: 'nmc', critical: 0, hysteresis: 2 },
      { chemistry: 'nca', critical: 0, hysteresis: 2 },
      { chemistry: 'lto', critical: -30, hysteresis: 2 },
    ],
    {
      why: 'Below 0 °C lithium plates onto graphite while charging: lost capacity, and shorts later. LTO may be charged down to -30 °C',
      next_check:
        'Stop charging. Find out why the device allowed it: its low-temperature charge limit, the place of its sensor',
    },
    { during: 'charging', raise_after_ms: 10_000 },
  ),
  rule(
    'cell_voltage_spread_rest',
    'Cells apart at rest',
    pack('cell_voltage_spread_v'),
    'above',
    [{ warning: 0.15, critical: 0.4, hysteresis: 0.03 }],
    {
      why: 'At rest the spread is one of charge; near empty or full 0.15 V are some percent, which balancing should remove',
      next_check:
        'Let the pack balance near full charge; if the same cell is apart again in a week it is weak',
    },
    { during: 'rest', raise_after_ms: MINUTE_MS, clear_after_ms: 10 * MINUTE_MS },
  ),
  rule(
    'cell_voltage_spread_load',
    'Cells apart under load',
    pack('cell_voltage_spread_v'),
    'above',
    [{ warning: 0.2, critical: 0.5, hysteresis: 0.05 }],
    {
      why: 'Under load the spread is one of resistance as well: a weak cell or a loose connection',
      next_check: 'Look which cell it is under charge and under discharge; check its connections for heat',
    },
    { during: 'load', raise_after_ms: 30_000, clear_after_ms: 10 * MINUTE_MS },
  ),
  rule(
    'cell_temperature_spread',
    'Cell temperatures apart',
    pack('cell_temperature_spread_c'),
    'above',
    [{ warning: 15, critical: 25, hysteresis: 3 }],
    {
      why: 'Within a pack 5 °C are usual; 15 °C age the warm cells twice as fast',
      next_check:
        'Check airflow and fans. Where one cell alone is warm, check its connections, then the cell itself',
    },
    { raise_after_ms: MINUTE_MS },
  ),
  rule(
    'temperature_rise',
    'Temperature rises fast',
    pack('temperature_rise_c_per_min'),
    'above',
    [{ warning: 3, critical: 8, hysteresis: 1 }],
    {
      why: 'Load alone warms a pack by less than 1 °C in a minute; 8 °C are the beginning of a thermal runaway',
      next_check: 'Keep away until the temperature falls. Then check the hottest cell and its connections',
    },
    { raise_after_ms: 0 },
  ),
  rule(
    'pack_voltage_high',
    'Pack voltage high',
    pack('voltage_v'),
    'above',
    [
      {
        warning: { of: 'charge_voltage_limit_v', times: 1.02 },
        critical: { of: 'charge_voltage_limit_v', times: 1.05 },
        hysteresis: 0.5,
      },
    ],
    {
      why: 'The device itself says up to which voltage it may be charged; 2 % are the tolerance of its measurement',
      next_check: 'Compare the charger’s voltage setting with the device’s limit',
    },
    { raise_after_ms: MINUTE_MS },
  ),
  rule(
    'pack_voltage_low',
    'Pack voltage low',
    pack('voltage_v'),
    'below',
    [
      {
        warning: { of: 'discharge_voltage_limit_v', times: 0.98 },
        critical: { of: 'discharge_voltage_limit_v', times: 0.95 },
        hysteresis: 0.5,
      },
    ],
    {
      why: 'The device itself says down to which voltage it may be discharged',
      next_check: 'Charge soon; see what discharges below the device’s limit',
    },
    { raise_after_ms: MINUTE_MS },
  ),
  rule(
    'charge_current_high',
    'Charge current above the device’s limit',
    pack('charge_current_a'),
    'above',
    [
      {
        warning: { of: 'charge_current_limit_a', times: 1.1, plus: 3 },
        critical: { of: 'charge_current_limit_a', times: 1.3, plus: 6 },
        hysteresis: 2,
      },
    ],
    {
      why: 'The device lowers its limit when cells are cold or nearly full; 10 % and 3 A are regulation and measurement',
      next_check:
        'Check that the inverter follows the limits of the device (its communication, its battery type)',
    },
    { raise_after_ms: 30_000 },
  ),
  rule(
    'discharge_current_high',
    'Discharge current above the device’s limit',
    pack('discharge_current_a'),
    'above',
    [
      {
        warning: { of: 'discharge_current_limit_a', times: 1.1, plus: 3 },
        critical: { of: 'discharge_current_limit_a', times: 1.3, plus: 6 },
        hysteresis: 2,
      },
    ],
    {
      why: 'The device lowers its limit when cells are nearly empty or hot; 10 % and 3 A are regulation and measurement',
      next_check:
        'Check that the inverter follows the limits of the device (its communication, its battery type)',
    },
    { raise_after_ms: 30_000 },
  ),
  rule(
    'soc_low',
    'State of charge low',
    pack('soc_pct'),
    'below',
    [{ warning: 10, critical: 3, hysteresis: 5 }],
    {
      why: 'At 10 % little time is left to act; at 3 % the device will soon switch off',
      next_check: 'Charge, or reduce the load; see why it was not charged',
    },
    { raise_after_ms: 30_000, clear_after_ms: 30_000 },
  ),
  rule(
    'soh_low',
    'State of health low',
    pack('soh_pct'),
    'below',
    [{ info: 80, warning: 70, hysteresis: 1 }],
    {
      why: 'Warranties commonly end at 70 to 80 %; below, capacity falls faster',
      next_check: 'Compare with a measured full discharge: a device’s figure may be off',
    },
    { raise_after_ms: 10 * MINUTE_MS, clear_after_ms: 10 * MINUTE_MS },
  ),
  rule(
    'soc_apart',
    'State of charge of the device off',
    pack('soc_apart_pct'),
    'above',
    [{ warning: 8, hysteresis: 3 }],
    {
      why: 'Figures of devices are commonly good to 5 to 8 %; for an hour beyond that and two deviations of the gateway’s own estimate, one of them has lost count',
      next_check:
        'Charge the pack full once: devices set their count right there. If it drifts away again, check its current sensor and the capacity in its settings; if the capacity or the chemistry configured here is another, set `nominal_ah` and `chemistry`',
    },
    { raise_after_ms: 60 * MINUTE_MS, clear_after_ms: 10 * MINUTE_MS },
  ),
  rule(
    'insulation_low',
    'Insulation resistance low',
    pack('insulation_resistance_kohm'),
    'below',
    [
      {
        warning: { of: 'voltage_v', times: 0.5 },
        critical: { of: 'voltage_v', times: 0.1 },
        hysteresis: 5,
      },
    ],
    {
      why: '100 Ω per volt is the safety limit of ISO 6469-3 for direct voltage, 500 Ω per volt leaves time to act',
      next_check: 'Touch nothing with one hand on ground. Look for moisture, coolant and chafed cables',
    },
    { raise_after_ms: MINUTE_MS },
  ),
  rule(
    'values_untrusted',
    'Values stale or suspect for long',
    pack('untrusted_values'),
    'above',
    [{ warning: 0, hysteresis: 0 }],
    {
      why: 'A value that cannot be trusted for ten minutes is a fault of its own: nothing judges that cell meanwhile',
      next_check: 'The pack’s page says which values and why: a sensor, a wire, the connection',
    },
    { raise_after_ms: 10 * MINUTE_MS, clear_after_ms: MINUTE_MS },
  ),
];
