/** The log: what each form of a line looks like, and that no secret is in any. */
import { expect, test } from 'vitest';
import { createLogger, type LogOptions } from './logger.ts';

function lines(form: LogOptions['form']): { log: ReturnType<typeof createLogger>; written: string[] } {
  const written: string[] = [];
  return { log: createLogger({ level: 'info', form, write: line => written.push(line) }), written };
}

test('json is one object a line', () => {
  const { log, written } = lines('json');
  log.warn({ connection: 'can0', reason: 'no such interface' }, 'connection is not well');
  expect(JSON.parse(written[0])).toMatchObject({
    level: 40,
    connection: 'can0',
    msg: 'connection is not well',
  });
  expect(written[0].indexOf('\n')).toBe(written[0].length - 1);
});

test('the journal gets the priority of each line', () => {
  const { log, written } = lines('journal');
  log.info({}, 'a');
  log.warn({}, 'b');
  log.error({}, 'c');
  expect(written.map(line => line.slice(0, 4))).toEqual(['<6>{', '<4>{', '<3>{']);
});

test('a terminal gets a sentence', () => {
  const { log, written } = lines('readable');
  log.warn({ connection: 'can0', reason: 'no such interface' }, 'connection is not well');
  expect(written[0]).toMatch(
    /^\d\d:\d\d:\d\d WARN connection is not well: connection=can0 reason="no such interface"\n$/,
  );
});

test('passwords in addresses, tokens and keys are hidden in the middle of a text too', () => {
  const { log, written } = lines('json');
  log.error(
    {
      reason: 'connect postgres://gateway:hunter2@db:5432/bms failed; Authorization: Bearer hunter2hunter2',
      error: {
        stack: 'Error: eyJhbGciOiJIUzI1NiJ9.hunter2.hunter2 and bms_a1b2c3d4_hunter2hunter2hunter2hunter2',
      },
    },
    'http://127.0.0.1:8080/a@b is not touched',
  );
  expect(written[0]).not.toContain('hunter2');
  expect(written[0]).toContain('postgres://gateway:[redacted]@db:5432/bms failed');
  expect(written[0]).toContain('http://127.0.0.1:8080/a@b');
});

test('below the level nothing is written, and secrets never are', () => {
  for (const form of ['json', 'journal', 'readable'] as const) {
    const { log, written } = lines(form);
    log.debug({}, 'quiet');
    log.error({ password: 'hunter2', request: { token: 'hunter2', authorization: 'hunter2' } }, 'failed');
    expect(written).toHaveLength(1);
    expect(written[0]).not.toContain('hunter2');
  }
});
