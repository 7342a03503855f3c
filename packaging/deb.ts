/**
 * `npm run deb`: the Debian package of the gateway, with everything it needs at run time and nothing else (decision 026).
 * Two builds of one commit give the same bytes: each file has the commit's time, members are sorted, no name of a
 * machine or a directory gets in.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ARCHITECTURES, type Architecture, isArchitecture } from './architecture.ts';
import { archive } from './archive.ts';
import { neededLibraries, writeControl } from './control.ts';
import { writeDocuments } from './documents.ts';
import { PackagingError } from './packaging-error.ts';
import { layOutProgram, ROOT } from './program.ts';
import { Tree } from './tree.ts';

export interface DebOptions {
  readonly architecture: Architecture;
  /** Where the package is put; made when it is not there. */
  readonly directory: string;
  /** Seconds since 1970: the time of every file, and part of the version. */
  readonly epoch_s: number;
  /** A released version has its number alone. */
  readonly is_release: boolean;
  /** Compressed less, in a third of the time: for tests. */
  readonly is_fast: boolean;
}

/** Path of the package that was made. @throws PackagingError: nothing is left that is not whole */
export async function buildDeb(options: DebOptions): Promise<string> {
  const { architecture, directory, epoch_s } = options;
  for (const made of ['dist/bms-gateway.mjs', 'ui/dist/index.html'])
    if (!existsSync(join(ROOT, made))) throw new PackagingError(`${made} is not there: run npm run build`);
  const version = debianVersion(epoch_s, options.is_release);
  const work = mkdtempSync(join(tmpdir(), 'bms-gateway-deb-'));
  try {
    const tree = new Tree(join(work, 'package'));
    const contents = layOutProgram(tree, architecture);
    await writeDocuments(tree, { contents, version, epoch_s });
    writeControl(tree, { architecture, version, depends: neededLibraries(tree.root) });
    mkdirSync(directory, { recursive: true });
    const file = join(directory, `bms-gateway_${version}_${architecture}.deb`);
    archive(tree, file, epoch_s, options.is_fast ? 1 : 6);
    return file;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Builds on the way to a release sort before it, the later one after the earlier. */
function debianVersion(epoch_s: number, is_release: boolean): string {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  if (is_release) return version;
  const [day, time] = new Date(epoch_s * 1000).toISOString().split('T');
  return `${version}~${day.replaceAll('-', '')}.${time.slice(0, 8).replaceAll(':', '')}`;
}

function epochOfCommit(): number {
  const given = process.env.SOURCE_DATE_EPOCH;
  if (given !== undefined) {
    if (/^\d{1,12}$/.test(given)) return Number(given);
    throw new PackagingError(`SOURCE_DATE_EPOCH: found "${given}", expected seconds since 1970`);
  }
  try {
    return Number(
      execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] }),
    );
  } catch {
    throw new PackagingError(
      'this is no git clone: set SOURCE_DATE_EPOCH to the time of the sources, in seconds',
    );
  }
}

const USAGE = `Usage: npm run deb [-- --arch ${Object.keys(ARCHITECTURES).join('|')}] [--out DIR] [--release] [--fast]

  --arch      of the box (default: that of this machine)
  --out       where the package is put (default: deb/)
  --release   the version's number alone; without it the commit's time is part of the version
  --fast      compressed less, in a third of the time: for tests
`;

if (import.meta.main) {
  try {
    const { values } = parseArgs({
      options: {
        arch: { type: 'string', default: process.arch === 'x64' ? 'amd64' : process.arch },
        out: { type: 'string', default: join(ROOT, 'deb') },
        release: { type: 'boolean', default: false },
        fast: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) process.stdout.write(USAGE);
    else if (!isArchitecture(values.arch))
      throw new PackagingError(
        `--arch: found "${values.arch}", expected ${Object.keys(ARCHITECTURES).join(' or ')}`,
      );
    else {
      const file = await buildDeb({
        architecture: values.arch,
        directory: values.out,
        epoch_s: epochOfCommit(),
        is_release: values.release,
        is_fast: values.fast,
      });
      process.stdout.write(`${file}\n`);
    }
  } catch (error) {
    const is_expected =
      error instanceof PackagingError || (error as { code?: string }).code?.startsWith('ERR_PARSE');
    if (!is_expected) throw error;
    process.stderr.write(`No package was made: ${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}
