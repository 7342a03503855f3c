/** Figures of a pack that no device reports. */
export const DERIVED = {
  cell_voltage_spread_v: { label: 'cell voltage spread', unit: 'V', decimals: 3 },
  cell_temperature_spread_c: { label: 'cell temperature spread', unit: '°C', decimals: 1 },
  temperature_rise_c_per_min: { label: 'temperature rise', unit: '°C/min', decimals: 2 },
  charge_current_a: { label: 'charge current', unit: 'A', decimals: 1 },
  discharge_current_a: { label: 'discharge current', unit: 'A', decimals: 1 },
  soc_apart_pct: {
    label:
      'difference of state of charge between device and estimate, beyond the uncertainty of the estimate,',
    unit: '%',
    decimals: 1,
  },
  untrusted_values: { label: 'number of stale or suspect values', unit: '', decimals: 0 },
} as const;
export type DerivedName = keyof typeof DERIVED;
export const DERIVED_NAMES = Object.keys(DERIVED) as DerivedName[];
