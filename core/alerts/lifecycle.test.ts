/** What people do with alerts, and what comes back: ISA-18.2 over any order of events. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runsOf } from '../testing/property-runs.ts';
import { type Alert, MAX_NOTES, storedAlert } from './alert.ts';
import { AlertBook, type Subject } from './alert-book.ts';
import { isAnnounced, isInForce, lifecycleOf } from './lifecycle.ts';

const pack: Subject = { index: 0, battery_id: 'b1', pack_id: 'p1', connection_id: null };
const rule = { id: 'hot', severity: 'critical' } as const;

class Desk {
  readonly book = new AlertBook();
  readonly emitted: Alert[] = [];
  t_ms = 0;
  readonly emit = (alert: Alert) => void this.emitted.push(alert);
  raise = () => this.book.raise(rule, pack, { message: `at ${this.t_ms}` }, this.t_ms, this.emit);
  clear = () => this.book.clear(rule, pack, this.t_ms, this.emit);
  act = () => ({ by: 'mo', at_ms: this.t_ms });
  id = () => this.book.all()[0]?.id ?? 'none';
  acknowledge = (note: string | null = null) => this.book.acknowledge(this.id(), this.act(), note, this.emit);
  shelve = (for_ms: number) =>
    this.book.shelve(this.id(), this.act(), this.t_ms + for_ms, 'work on it', this.emit);
  state = () => this.book.all().map(lifecycleOf).join();
}

test('the way through all states, with who did what', () => {
  const desk = new Desk();
  desk.t_ms = 1;
  desk.raise();
  expect(desk.state()).toBe('active_unacknowledged');
  desk.t_ms = 2;
  desk.clear();
  expect(desk.state()).toBe('returned_unacknowledged');
  desk.t_ms = 3;
  desk.raise();
  expect(desk.book.all()).toMatchObject([{ occurrences: 2, occurred_ms: 3, raised_ms: 1, cleared_ms: null }]);
  desk.t_ms = 4;
  desk.acknowledge('on my way');
  expect(desk.state()).toBe('active_acknowledged');
  expect(desk.book.all()).toMatchObject([
    { acknowledged: { by: 'mo', at_ms: 4, note: 'on my way' }, notes: [{ text: 'on my way' }] },
  ]);
  desk.t_ms = 5;
  desk.clear();
  expect(desk.state()).toBe('');
  expect(desk.emitted.map(({ change }) => change)).toEqual([
    'raised',
    'cleared',
    'recurred',
    'acknowledged',
    'cleared',
  ]);
  desk.t_ms = 6;
  desk.raise();
  expect(desk.emitted.at(-1)).toMatchObject({
    occurrences: 1,
    earlier_occurrences: 2,
    earlier_ms: 3,
    acknowledged: null,
  });
});

test('a shelved alert is judged but asks for nobody, and comes back when its time is over', () => {
  const desk = new Desk();
  desk.raise();
  desk.shelve(1000);
  expect([desk.state(), isAnnounced(desk.book.all()[0]), isInForce(desk.book.all()[0])]).toEqual([
    'shelved',
    false,
    false,
  ]);
  desk.t_ms = 10;
  desk.clear();
  desk.t_ms = 20;
  desk.raise();
  expect(desk.state()).toBe('shelved');
  desk.book.endShelving(999, desk.emit);
  expect(desk.state()).toBe('shelved');
  desk.book.endShelving(1000, desk.emit);
  expect(desk.state()).toBe('active_unacknowledged');
  expect(desk.emitted.at(-1)).toMatchObject({ change: 'unshelved', changed_by: null, occurrences: 2 });
});

test('notes are bounded; the newest stay', () => {
  const desk = new Desk();
  desk.raise();
  for (let n = 1; n <= MAX_NOTES + 5; n++) desk.book.note(desk.id(), desk.act(), `note ${n}`, desk.emit);
  const [{ notes }] = desk.book.all();
  expect([notes.length, notes[0].text, notes.at(-1)?.text]).toEqual([20, 'note 6', 'note 25']);
});

test('an alert that was stored before there was a lifecycle is read as it was meant', () => {
  const stored = {
    id: 'a',
    rule_id: 'hot',
    severity: 'critical',
    battery_id: 'b1',
    pack_id: 'p1',
    cell_no: null,
    message: 'm',
    value: null,
    threshold: null,
    unit: '',
    state: 'active',
    raised_ms: 7,
    cleared_ms: null,
  } as const;
  expect(lifecycleOf(storedAlert(stored))).toBe('active_unacknowledged');
  expect(lifecycleOf(storedAlert({ ...stored, state: 'cleared', cleared_ms: 9 }))).toBe('normal');
  expect(storedAlert({ ...stored, state: 'cleared', cleared_ms: 9 })).toMatchObject({ changed_ms: 9 });
});

const steps = fc.array(
  fc.constantFrom('raise', 'clear', 'acknowledge', 'shelve', 'time', 'restart', 'note'),
  { maxLength: 60 },
);

/** Whatever happens in whatever order: never two of one rule and subject, acknowledged never returns unasked. */
test('over any order of events there is one open alert at most, and what is acknowledged stays so', () => {
  fc.assert(
    fc.property(steps, order => {
      const desk = new Desk();
      let book = desk.book;
      let isActive = false;
      let raised = 0;
      for (const step of order) {
        desk.t_ms += 100;
        const [before] = book.all();
        const emitted = desk.emitted.length;
        const id = before?.id ?? 'none';
        if (step === 'raise' && !isActive) {
          book.raise(rule, pack, { message: 'm' }, desk.t_ms, desk.emit);
          isActive = true;
          raised++;
        } else if (step === 'clear') {
          book.clear(rule, pack, desk.t_ms, desk.emit);
          isActive = false;
        } else if (step === 'acknowledge') book.acknowledge(id, desk.act(), null, desk.emit);
        else if (step === 'shelve') book.shelve(id, desk.act(), desk.t_ms + 250, 'r', desk.emit);
        else if (step === 'note') book.note(id, desk.act(), 'n', desk.emit);
        else if (step === 'time') book.endShelving(desk.t_ms, desk.emit);
        else if (step === 'restart') {
          const open = book.all();
          const past = desk.emitted.filter(alert => !alert.is_open).at(-1);
          book = new AlertBook();
          if (past) book.remember(past);
          for (const alert of open) book.adopt(alert, pack, desk.t_ms, desk.emit);
          expect(desk.emitted).toHaveLength(emitted);
        }
        const all = book.all();
        expect(all.length).toBeLessThanOrEqual(1);
        const [now] = all;
        expect(isActive).toBe(now?.state === 'active');
        if (before?.acknowledged && now?.id === before.id && step !== 'raise')
          expect(now.acknowledged).not.toBeNull();
        if (!now && before) expect(['acknowledge', 'clear', 'time']).toContain(step);
        if (now) expect(now.occurrences + now.earlier_occurrences).toBe(raised);
      }
    }),
    { numRuns: runsOf(500) },
  );
});
