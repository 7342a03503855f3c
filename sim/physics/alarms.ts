/** From a profile's alarm codes to the conditions the simulated BMS can detect. */
export type AlarmCondition =
  | 'cell_over_voltage'
  | 'cell_under_voltage'
  | 'pack_over_voltage'
  | 'pack_under_voltage'
  | 'cell_imbalance'
  | 'over_temperature'
  | 'under_temperature'
  | 'temperature_difference'
  | 'soc_low'
  | 'charge_over_current'
  | 'discharge_over_current'
  | 'contactor_open'
  /** Nothing the physics here can bring about (insulation, communication, short circuit). */
  | 'never';

/** Most specific word first: `pack_over_voltage` is no `over_voltage` of a cell. */
const BY_WORDS: readonly (readonly [RegExp, AlarmCondition])[] = [
  [/temperature_(difference|imbalance)/, 'temperature_difference'],
  [/(cell|voltage)_(difference|imbalance)/, 'cell_imbalance'],
  [/(pack|battery|string|total|system)_over_voltage/, 'pack_over_voltage'],
  [/(pack|battery|string|total|system)_under_voltage/, 'pack_under_voltage'],
  [/over_voltage|high_voltage/, 'cell_over_voltage'],
  [/under_voltage|low_voltage/, 'cell_under_voltage'],
  [/over_temperature|high_temperature|temperature_high/, 'over_temperature'],
  [/under_temperature|low_temperature|temperature_low/, 'under_temperature'],
  [/soc_low|low_soc|under_soc/, 'soc_low'],
  [/discharge.*over_current|over_discharge_current/, 'discharge_over_current'],
  [/charge.*over_current|over_charge_current/, 'charge_over_current'],
  [/contactor/, 'contactor_open'],
];

export function alarmConditions(codes: readonly string[]): AlarmCondition[] {
  return codes.map(code => BY_WORDS.find(([words]) => words.test(code))?.[1] ?? 'never');
}
