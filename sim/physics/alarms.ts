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

/** Most telling word first: `pack_over_voltage` is no `over_voltage` of a cell. */
const BY_WORDS: readonly (readonly [RegExp, AlarmCondition])[] = [
  [/difference.*temperature|temperature_difference|temperature_imbalance/, 'temperature_difference'],
  [/imbalance|voltage_difference|cell_difference/, 'cell_imbalance'],
  [/(pack|battery|string|total|system).*over_voltage/, 'pack_over_voltage'],
  [/(pack|battery|string|total|system).*under_voltage/, 'pack_under_voltage'],
  [/over_voltage|high_voltage/, 'cell_over_voltage'],
  [/under_voltage|low_voltage/, 'cell_under_voltage'],
  [/over_temperature|high_temperature|temperature_high/, 'over_temperature'],
  [/under_temperature|low_temperature|temperature_low/, 'under_temperature'],
  [/(soc|charge)_low|low_soc/, 'soc_low'],
  [/discharge.*over_?current|over_?current.*discharge/, 'discharge_over_current'],
  [/charge.*over_?current|over_?current.*charge/, 'charge_over_current'],
  [/contactor/, 'contactor_open'],
];

export function alarmConditions(codes: readonly string[]): AlarmCondition[] {
  return codes.map(code => BY_WORDS.find(([words]) => words.test(code))?.[1] ?? 'never');
}
