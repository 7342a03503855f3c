/** English: fleet, battery and pack, and the pictures of their cells. */
import { count, countOf, placeOf } from './words.ts';

/** Bars, strips and the map: the same cells as pictures, and the pictures in words. */
export const cellViews = {
  voltage: 'Voltage',
  temperature: 'Temperature',
  bars: 'Cell voltages as bars; the same values stand in the list below',
  barsKey: (median_v: string) => `Bars do not begin at zero. Dashed line: median ${median_v} V.`,
  noBars: 'No cell has a good voltage: nothing to compare.',
  fromMedian: 'from the pack’s median',
  noneGood: (cells: string) => `${cells}, none with a good value`,
  extremes: (cells: string, lowest: string, highest: string) => `${cells}: ${lowest}, ${highest}`,
  lowestCell: (cell_no: number, value: string) => `lowest cell ${cell_no} ${value}`,
  highestCell: (cell_no: number, value: string) => `highest cell ${cell_no} ${value}`,
  andDoubts: (doubts: string) => `; ${doubts}`,
};

export const fleet = {
  place: placeOf('fleet'),
  title: 'Fleet',
  none: {
    title: 'No battery to show',
    text: 'None is assigned to your account, or the gateway’s configuration has none yet.',
  },
  batteries: 'Batteries',
  order: 'Order',
  worstFirst: 'Worst first',
  byName: 'By name',
  power: 'Power',
  data: 'Packs answering',
  /** After the number of those that do. */
  ofAll: (n: number) => `of ${n}`,
  allGood: 'all values good',
  silent: (n: number) => count(n, { one: 'pack does not answer', other: 'packs do not answer' }),
  doubtful: (n: number) =>
    count(n, { one: 'pack with doubtful values', other: 'packs with doubtful values' }),
  outOfLine: 'Cells out of line',
  noneOut: 'none',
  activeAlerts: 'Active alerts',
  noAlerts: 'none',
  chargeOf: (battery: string) => `State of charge of ${battery}`,
  lowest: 'Lowest',
  highest: 'Highest',
  spread: 'Spread',
  hottest: 'Hottest',
};

/** Of a battery or pack, kept apart: whether its data can be trusted, and whether its cells are well. */
export const health = {
  data: (answering: number, packs: number) => `${answering} of ${countOf.packs(packs)} answer`,
  allGood: (data: string) => `${data}, all values good`,
  noneOut: 'No cell out of line',
  out: (n: number) => `${countOf.cells(n)} out of line`,
  outAt: (cells: string, where: string) => `${cells}: ${where}`,
  /** Before links to the cells of a pack. */
  outOfLine: 'Out of line:',
  cell: (cell_no: number) => `cell ${cell_no}`,
  sensor: (sensor_no: number) => `sensor ${sensor_no}`,
  inPack: (pack: string, what: string) => `${pack}, ${what}`,
};

export const fleetMap = {
  title: 'All cells',
  shows: 'Map shows',
  tap: 'Tap a cell to open its pack.',
  furthest: 'Furthest from their pack’s median',
  /** A cell and what is read of it. */
  cell: (where: string, what: string) => `${where}: ${what}`,
  /** A value and how good it is, or how far from the median. */
  value: (value: string, more: string) => `${value}, ${more}`,
  allGood: 'all with good values',
  map: (cells: string, batteries: string, doubts: string) =>
    `Map of ${cells} in ${batteries}: ${doubts}; those that stand out are listed below`,
};

export const battery = {
  place: placeOf('battery'),
  title: 'Battery',
  packs: 'Packs',
  coloursShow: 'Colours show',
  charge: 'State of charge',
  power: 'Power',
  largestSpread: 'Largest spread',
  hottestCell: 'Hottest cell',
  lowestCell: 'Lowest cell',
  highestCell: 'Highest cell',
  /** Short: heads of a narrow column. */
  soc: 'SoC',
  estimate: 'Estimate of the gateway',
  voltage: 'Voltage',
  current: 'Current',
  spread: 'Spread',
  hottest: 'Hottest',
};

export const pack = {
  place: placeOf('pack'),
  title: 'Pack',
  never: 'It never spoke so far',
  newest: (ago: string) => `Newest value ${ago}`,
  charge: 'State of charge',
  power: 'Power',
  hottestCell: 'Hottest cell',
  hottestSensor: 'Hottest sensor',
  /** What the device says of the pack as a whole. */
  packTemperature: (value: string) => `pack ${value}`,
};

export const cells = {
  title: 'Cells',
  nothing: 'This device reports nothing of its cells.',
  extremesOnly: 'This device reports its lowest and highest cell only.',
  allGood: (n: number) => `Good values of all ${countOf.cells(n)}`,
  lowest: 'Lowest',
  lowestIs: (cell_no: number) => `Lowest: cell ${cell_no}`,
  highest: 'Highest',
  highestIs: (cell_no: number) => `Highest: cell ${cell_no}`,
  spread: 'Spread',
  median: 'Median',
  /** Read aloud before a cell's number. */
  cell: 'Cell',
  extremes: { lowest: 'lowest', highest: 'highest' },
  outOfLine: 'out of line',
  hotter: 'Clearly hotter than the others',
  hottest: 'Hottest:',
  updated: (clock: string) => `updated at ${clock}`,
  balancing: 'Balancing',
  soc: (band: string) => `SoC ${band} %`,
  soh: (band: string) => `SoH ${band} %`,
};

export const device = {
  levels: { alarm: 'Alarm', warning: 'Warning', unknown: 'Unknown', none: 'None' },
  reports: 'The device itself reports',
  alarms: 'Device’s own alarms',
  noAlarms: 'This device reports none to the gateway.',
  noneRaised: (n: number) => `None of ${countOf.alarms(n)} is raised.`,
  raised: (n: number) => `${countOf.alarms(n)} raised, shown at the top.`,
  unknown: (n: number) => `${countOf.alarms(n)} of unknown state`,
  showRest: 'Show what is not raised',
  values: 'Reported by the device',
  noValues: 'Nothing beyond the values above.',
  oldestGood: 'Oldest good value',
  noneGood: 'None is good',
  sensors: 'Temperature sensors',
  sensor: (sensor_no: number) => `Sensor ${sensor_no}`,
  identity: 'Identity',
  pack: 'Pack',
  profile: 'Profile',
  profileId: 'Profile id',
  grade: 'Profile checked',
  grades: {
    bronze: 'Against a paper (bronze)',
    silver: 'Against recordings of real devices (silver)',
    gold: 'Against recordings, nothing in doubt (gold)',
    platinum: 'On real hardware (platinum)',
  },
  noGrade: 'Not said',
  connection: 'Connection',
  address: 'Address',
  noAddress: 'None',
  cellsInSeries: 'Cells in series',
};
