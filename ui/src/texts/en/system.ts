/** English: the gateway itself. */
import type { Around, Slot } from '../slot.ts';
import { placeOf } from './words.ts';

export const system = {
  place: placeOf('system status'),
  title: 'System',
  sections: 'System sections',
  status: 'Status',
  completeness: 'Completeness',
  export: 'Export',
  users: 'Users',
  keys: 'API keys',
  audit: 'Audit log',
  thresholds: 'Thresholds',
  notifications: 'Notifications',
  simulator: 'Simulator',
  gateway: 'Gateway',
  runningFor: 'Running for',
  version: 'Version',
  /** Around the link to the description of the API. */
  forPrograms: (link: Around): Slot => ['For programs: ', link('the HTTP API')],
};

export const certificate = {
  title: 'Connection to this page',
  selfSigned:
    'The gateway made its certificate itself, so browsers warn of it once. It is the right one when the browser’s certificate view shows this fingerprint.',
  given: 'This is the certificate the gateway was given.',
  fingerprint: 'SHA-256 fingerprint',
  valid: 'Valid',
  validFromTo: (from: string, to: string) => `${from} to ${to}`,
  names: 'For',
  noName: 'no name',
};

/** By names of the API; one without words of its own is spelt out. */
type Words = Readonly<Record<string, string>>;

/** Parts of the gateway and what they count. */
export const components = {
  parts: 'Parts of the gateway',
  connections: 'Connections to batteries',
  none: 'None.',
  counters: 'Counters',
  names: {
    store: 'Storage on this gateway',
    upstream: 'Sync to the centre',
    sampler: 'Reading of packs',
    clock: 'Clock of this gateway',
    server: 'Server',
    notify: 'Notifications',
  } as Words,
  counts: {
    max_bytes: 'Allowed',
    keep_free_bytes: 'Kept free on the disk',
    free_bytes: 'Free on the disk',
    wal_bytes: 'Write-ahead log',
    files_quarantined: 'Files in quarantine',
    buckets_rolled_up: '15-minute buckets rolled up',
    scrub_done_pct: 'Checksums read in this pass',
    scrub_passes: 'Passes over all checksums',
    scrub_finished_ago_s: 'Since the last pass',
  } as Words,
  notYet: 'none yet',
};

export const confirmClock = {
  title: 'Is this the right time?',
  thisGateway: 'This gateway',
  yourDevice: 'Your device',
  difference: 'Difference',
  /** Around the command that sets the clock. */
  setFirst: (command: Slot): Slot => [
    'If your device is right, set the clock of the gateway first, on the box itself: ',
    command,
    '. Then confirm it here.',
  ],
  help: 'Where the box has no network time, your word makes its times certain until it is switched off or its clock is set. Be sure that your own clock is right.',
  confirm: 'The time is right',
  confirmed: 'Confirmed. Times are certain, also of the readings since this box was switched on.',
};

export const exporting = {
  title: 'Take readings away',
  from: 'From',
  to: 'To',
  battery: 'Battery',
  allBatteries: 'All',
  rowFor: 'A row for',
  rows: { cell: 'Every cell', pack: 'Every pack' },
  format: 'Format',
  formats: { csv: 'CSV', ndjson: 'JSON lines' },
  wrongSpan: 'The begin must lie before the end.',
  done: (size: string) => `${size} handed to the browser.`,
  progress: 'Progress of the export',
  part: (size: string, percent: number) => `${size}, ${percent} % of the span`,
  stop: 'Stop',
  download: 'Download',
  /** Around the command that does the same on the box. */
  onTheBox: (command: Slot): Slot => ['For long spans, on the box: ', command],
};

export const completeness = {
  loading: 'Loading account of readings…',
  failed: 'The account of readings could not be loaded',
  span: 'Span',
  spans: { h24: '24 hours', d7: '7 days', d30: '30 days' },
  noHour: {
    title: 'No hour is over yet',
    text: 'Each full hour is accounted for some seconds after its end.',
  },
  due: 'Due',
  inFullHours: (n: number) => `in ${n} full hours`,
  received: 'Received',
  stored: 'Stored',
  fresh: 'Fresh',
  noneRepeated: 'none repeated',
  repeatedCount: (n: string) => `${n} repeated`,
  atCentre: 'At the centre',
  noCentre: 'none is configured',
  lacking: 'Packs that lack readings',
  noneLacking: 'Every reading is there',
  pack: 'Pack',
  notReceived: 'Not received',
  notStored: 'Not stored',
  repeated: 'Repeated',
  notAtCentre: 'Not at the centre',
};

export const simulator = {
  loading: 'Loading faults…',
  failed: 'The faults could not be loaded',
  absent: {
    title: 'No simulator runs here',
    text: 'This gateway reads real hardware. Start it with the demo configuration to try faults.',
  },
  faults: 'Faults at work',
  none: 'None: every simulated pack is healthy.',
  cause: 'Cause a fault',
  fault: 'Fault',
  kinds: {
    weak_cell: 'Weak cell',
    overheating: 'Overheating',
    stuck_sensor: 'Stuck sensor',
    dead_unit: 'Dead unit',
  },
  states: { waiting: 'Waiting', active: 'Active' },
  andCell: (cell_no: number) => `, cell ${cell_no}`,
  repair: 'Repair',
  kind: 'Kind',
  cellNumber: 'Cell number',
  causeIt: 'Cause it',
  battery: 'Battery',
  pack: 'Pack',
};
