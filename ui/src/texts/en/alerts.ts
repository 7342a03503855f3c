/** English: alerts, and the thresholds that raise them. */
import { countOf, placeOf } from './words.ts';

export const alerts = {
  title: 'Alerts',
  list: placeOf('alert list'),
  which: 'Which alerts',
  active: 'Active',
  cleared: 'Cleared',
  whose: 'Whose alerts',
  all: 'All',
  gateway: 'Gateway',
  forbidden: {
    title: 'Your account may not see alerts of the gateway',
    text: 'They are for moderators and administrators.',
    show: 'Show your alerts',
  },
  none: { title: 'No active alerts', text: 'Nothing is beyond its limits right now.' },
  noneOfGateway: {
    title: 'No active alerts of the gateway',
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
  lasted: (span: string) => `lasted ${span}`,
};

export const thresholds = {
  loading: 'Loading thresholds…',
  failed: 'The thresholds could not be loaded',
  none: 'The configuration has no alert rules',
  help: 'An alert is raised when a value stays beyond its limit for the delay, and cleared when it is back beyond the second value. The gap between the two keeps alerts from flickering.',
  saved: 'Saved. It holds from now on.',
  save: 'Save thresholds',
  rule: (label: string, whose: string) => `${label}: ${whose}`,
  /** Within a sentence, by scope and name, as in `cell.voltage_v`; the others stand as the gateway says them. */
  metrics: {} as Readonly<Record<string, string>>,
  ofCell: (metric: string, batteries: string) => `Each cell’s ${metric.replace(/^cell /, '')}, ${batteries}`,
  ofPack: (metric: string, batteries: string) => `The pack’s ${metric}, ${batteries}`,
  allBatteries: 'all batteries',
  chemistries: { lfp: 'LFP batteries', nmc: 'NMC batteries', other: 'batteries of other chemistry' },
  raise: { above: 'Raise above', below: 'Raise below' },
  clear: 'Clear at',
  delay: 'Delay',
  /** A label with its unit; the two are not broken apart. */
  withUnit: (label: string, unit: string) => `${label},\u00a0${unit}`,
};
