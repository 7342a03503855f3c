/** English: a pack's past. */
import { count } from './words.ts';

export const history = {
  title: 'History',
  quantity: 'Quantity',
  range: 'Range',
  ranges: { m15: '15 min', h1: '1 h', h24: '24 h', d7: '7 d', d30: '30 d' },
  /** The span that an address asks for, as the link of an alert does. */
  moment: 'Then',
  cell: (cell_no: number) => `Cell ${cell_no}`,
  /** What may be drawn: its name on the switch, and the lines it has. */
  series: {
    cells: { title: 'Cells', highest: 'Highest cell', lowest: 'Lowest cell' },
    voltage: { title: 'Voltage', line: 'Pack voltage' },
    current: { title: 'Current', line: 'Current (positive while charging)' },
    charge: { title: 'SoC', line: 'State of charge' },
    temperature: { title: 'Temp.', line: 'Pack temperature' },
  },
  highest: 'Highest',
  lowest: 'Lowest',
  mean: (line: string) => `${line}, mean`,
  value: (line: string, value: string) => `${line}: ${value}`,
  overTime: (series: string) => `${series} over time`,
  overTimeInDoubt: (series: string, doubt: string) => `${series} over time; hatched: ${doubt}`,
  hatched: (doubt: string) => `Hatched: ${doubt}`,
  /** Of a time that nobody vouches for. */
  uncertain: (spans: string) => `time not certain, ${spans}`,
  uncertainMoment: (moment: string) => `${moment} (time not certain)`,
  spansBefore: (n: number) => count(n, { one: 'span before', other: 'spans before' }),
  loading: 'Loading…',
  none: 'No readings in this span.',
  readings: (n: string) => `${n} readings`,
  steps: (n: string, span: string) => `${n} readings, in steps of ${span}: mean, lowest and highest of each`,
  shown: (shown: string, n: string) => `${shown} of ${n} readings shown`,
  repeated: (n: string) => `; ${n} of them repeat the one before, nothing new was reported`,
  failed: (why: string) => `The history could not be loaded: ${why}`,
  noChart: 'The chart could not be loaded. Reload the page to try again.',
};
