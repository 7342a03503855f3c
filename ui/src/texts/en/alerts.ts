/** English: alerts, and the rules that raise them. */
import { PACK_METRICS, PackMetric, type PackMetricName } from '../../../../core/metrics.ts';
import { countOf, ordinalOf, placeOf } from './words.ts';

export const alerts = {
  title: 'Alerts',
  list: placeOf('alert list'),
  which: 'Which alerts',
  open: 'Open',
  shelved: 'Shelved',
  cleared: 'Cleared',
  whose: 'Whose alerts',
  all: 'All',
  gateway: 'Gateway',
  forbidden: {
    title: 'Your account may not see alerts of the gateway',
    text: 'They are for moderators and administrators.',
    show: 'Show your alerts',
  },
  none: { title: 'No open alerts', text: 'Nothing is beyond its limits, and all that was is acknowledged.' },
  noneShelved: { title: 'Nothing is shelved', text: 'Shelved alerts are judged, but call nobody.' },
  noneOfGateway: {
    title: 'No open alerts of the gateway',
    text: 'Nothing is wrong with the gateway itself right now.',
    showOthers: (n: number) => `Show ${countOf.alerts(n)} of batteries`,
  },
  loadingCleared: 'Loading cleared alerts…',
  clearedFailed: 'Cleared alerts could not be loaded',
  noneCleared: 'No alert was cleared yet',
  noneClearedOfGateway: 'No alert of the gateway was cleared yet',
  older: 'Show older alerts',
  place: (battery: string, pack: string) => `${battery} › ${pack}`,
  placeOfCell: (battery: string, pack: string, cell_no: number) => `${battery} › ${pack}, cell ${cell_no}`,
  connection: (id: string) => `Connection ${id}`,
  lasted: (span: string) => `lasted ${span}`,
  nextCheck: 'What to check',
  /** By rule; the others stand as the gateway says them. */
  nextChecks: {} as Readonly<Record<string, string>>,
  checkAndNotes: (n: number) => `What to check, and ${countOf.notes(n)}`,
  noteBy: (by: string, moment: string) => `${by}, ${moment}`,
  states: {
    unknownSince: (moment: string) => `Unknown since ${moment}: nothing to judge it by`,
    latched: (moment: string) => `Back since ${moment}; active until it is acknowledged`,
    returned: 'Back to normal; not yet acknowledged',
    suppressed: 'Explained by another alert',
    outOfService: 'No longer configured',
    shelved: (by: string, until: string, reason: string) => `Shelved by ${by} until ${until}: ${reason}`,
    acknowledged: (by: string, moment: string) => `Acknowledged by ${by}, ${moment}`,
    occurrences: (n: number, moment: string) => `Came ${n} times, last ${moment}`,
    again: (n: number, moment: string) => `${ordinalOf(n)} time; before, last ${moment}`,
  },
  actions: {
    acknowledge: 'Acknowledge',
    note: 'Write a note',
    noteLabel: 'What was found or done',
    saveNote: 'Save note',
    shelve: 'Shelve',
    unshelve: 'Take from the shelf',
    reasonLabel: 'Why nobody is to be called meanwhile',
    durationLabel: 'For',
    saveShelve: 'Shelve it',
    shelveHelp: 'It goes on being judged, and comes back by itself when the time is over.',
    hours: (n: number) => (n < 24 ? countOf.hours(n) : n === 168 ? 'a week' : countOf.days(n / 24)),
  },
};

export const thresholds = {
  loading: 'Loading alert rules…',
  failed: 'The alert rules could not be loaded',
  none: 'The configuration has no alert rules',
  help: 'An alert is raised when a value stays beyond a limit for the time given, and cleared when it is back by more than the hysteresis. For a pack the narrowest limits hold: pack, battery, profile, chemistry, all.',
  save: 'Save rules',
  version: (version: number, by: string, moment: string) =>
    `Version ${version} holds over the configuration: saved by ${by}, ${moment}`,
  reset: 'As configured',
  rule: (label: string, whose: string) => `${label}: ${whose}`,
  /** Within a sentence, by scope and name, as in `cell.voltage_v`; the others stand as the gateway says them. */
  metrics: {} as Readonly<Record<string, string>>,
  ofCell: (metric: string) => `Each cell’s ${metric.replace(/^cell /, '')}`,
  ofPack: (metric: string) => `The pack’s ${metric}`,
  always: (what: string) => what,
  at: (what: string, during: 'charging' | 'discharging' | 'load' | 'rest') =>
    `${what}, ${{ charging: 'while charging', discharging: 'while discharging', load: 'under load', rest: 'at rest' }[during]}`,
  chemistries: {
    lfp: 'LFP batteries',
    nmc: 'NMC batteries',
    nca: 'NCA batteries',
    lto: 'LTO batteries',
    other: 'batteries of other chemistry',
  },
  scopes: {
    all: 'All packs',
    pack: (id: string) => `Pack ${id}`,
    battery: (id: string) => `Battery ${id}`,
    profile: (id: string) => `Profile ${id}`,
  },
  from: (source: string) => source,
  levels: {
    critical: { above: 'Critical above', below: 'Critical below' },
    warning: { above: 'Warning above', below: 'Warning below' },
    info: { above: 'Info above', below: 'Info below' },
  },
  hysteresis: 'Hysteresis',
  times: 'Times',
  after: {
    raise_after_ms: 'Raise after',
    critical_after_ms: 'Critical after',
    clear_after_ms: 'Clear after',
  },
  quantity: (name: PackMetricName) => `the device’s ${PACK_METRICS[PackMetric[name]].label.toLowerCase()}`,
  multiple: (times: number, what: string, plus: number) =>
    `${times} times ${what}${plus === 0 ? '' : ` and ${plus} more`}`,
  table: (lowest: number, highest: number, conditions: readonly string[]) =>
    `${lowest} to ${highest}, by ${conditions.join(' and ')}`,
  conditions: {
    temperature_c: 'temperature',
    current_a: 'current',
    c_rate: 'current by capacity',
    soc_pct: 'state of charge',
  },
  inSeconds: (label: string) => `${label},\u00a0s`,
  /** A label with its unit; the two are not broken apart. */
  withUnit: (label: string, unit: string) => `${label},\u00a0${unit}`,
};
