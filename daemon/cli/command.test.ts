/** The command line as people mistype it: each mistake is named with its command, and with what was probably meant. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { COMMANDS } from './commands.ts';
import { main } from './main.ts';

let written = '';
beforeEach(() => {
  written = '';
  for (const stream of [process.stdout, process.stderr])
    vi.spyOn(stream, 'write').mockImplementation(text => {
      written += String(text);
      return true;
    });
});
afterEach(() => vi.restoreAllMocks());

const run = async (...args: string[]) => [await main(args, {}), written];

test.each([
  ['rnu', 'unknown command "rnu"; did you mean "run"?; see bms-gateway help'],
  ['--config x.yaml run', 'unknown command "--config"; the command comes first; see bms-gateway help'],
  ['run --confg x.yaml', 'run has no option --confg; did you mean "--config"?; see bms-gateway run --help'],
  ['export --dbc x', 'export has no option --dbc; see bms-gateway export --help'],
  ['export -x', 'export has no option -x; see bms-gateway export --help'],
  ['run now', 'run: found "now", expected nothing but options; see bms-gateway run --help'],
  ['profiles a b', 'profiles: found "b", expected no more than 1 word; see bms-gateway profiles --help'],
  ['help nothing', 'unknown command "nothing"; see bms-gateway help'],
])('%s', async (words, message) => {
  expect(await run(...words.split(' '))).toEqual([2, `bms-gateway: ${message}\n`]);
});

test('an option without its value is named', async () => {
  const [code, text] = await run('export', '--from');
  expect(code).toBe(2);
  expect(text).toMatch(
    /^bms-gateway: export: Option '--from <value>' argument missing; see bms-gateway export --help/,
  );
});

test.each(COMMANDS.map(({ name }) => name))(
  '%s --help says how it is called and names each option',
  async name => {
    const { options, forms } = COMMANDS.find(one => one.name === name)!;
    const [code, text] = await run(name, '--help');
    expect(code).toBe(0);
    for (const form of forms) expect(text).toContain(`bms-gateway ${name} ${form}`.trim());
    for (const option of Object.keys(options)) expect(text).toContain(`--${option}`);
    for (const line of String(text).split('\n')) expect(line.length).toBeLessThanOrEqual(120);
    written = '';
    expect(await run('help', name)).toEqual([0, text]);
  },
);

test('help lists every command, in lines that fit a screen', async () => {
  const [code, text] = await run('help');
  expect(code).toBe(0);
  for (const { name } of COMMANDS) expect(text).toMatch(new RegExp(`^  ${name}\\b`, 'm'));
  for (const line of String(text).split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  written = '';
  expect(await run()).toEqual([0, text]);
});
