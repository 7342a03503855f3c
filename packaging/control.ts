/** What dpkg needs to know: the control file, the scripts, which files are configuration, and what is put where for systemd. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Architecture } from './architecture.ts';
import { PackagingError } from './packaging-error.ts';
import { tool } from './parts/strip.ts';
import { ROOT } from './program.ts';
import type { Tree } from './tree.ts';

const DEBIAN = join(import.meta.dirname, 'debian');
const CONFIGURATION = 'etc/bms-gateway/config.yaml';

/** Where a file of this repository stands on a box. */
const PLACES = {
  'packaging/debian/config.yaml': CONFIGURATION,
  'systemd/bms-gateway.service': 'usr/lib/systemd/system/bms-gateway.service',
  'systemd/bms-gateway.sysusers.conf': 'usr/lib/sysusers.d/bms-gateway.conf',
  'systemd/bms-gateway.sysctl.conf': 'usr/lib/sysctl.d/60-bms-gateway.conf',
  'packaging/debian/lintian-overrides': 'usr/share/lintian/overrides/bms-gateway',
};
const SCRIPTS = ['postinst', 'prerm', 'postrm'];

export interface ControlOptions {
  readonly architecture: Architecture;
  readonly version: string;
  readonly depends: readonly string[];
}

export function writeControl(tree: Tree, { architecture, version, depends }: ControlOptions): void {
  for (const [source, place] of Object.entries(PLACES)) tree.copy(join(ROOT, source), place);
  for (const name of SCRIPTS) tree.write(`DEBIAN/${name}`, readFileSync(join(DEBIAN, name)), 0o755);
  tree.write('DEBIAN/conffiles', `/${CONFIGURATION}\n`);
  const KIB = 1024;
  const installed_kib = tree
    .files()
    .filter(file => !file.startsWith('DEBIAN/'))
    .reduce((sum, file) => sum + Math.ceil(statSync(tree.path(file)).size / KIB), 0);
  const template = readFileSync(join(DEBIAN, 'control'), 'utf8');
  const values: Readonly<Record<string, string>> = {
    version,
    architecture,
    installed_kib: String(installed_kib),
    depends: depends.join(', '),
  };
  tree.write(
    'DEBIAN/control',
    template.replace(/\$\{(\w+)\}/g, (_, name: string) => values[name]),
  );
}

/** First release of GCC whose libstdc++ has the symbols of that version. */
const GCC_OF_GLIBCXX: Readonly<Record<number, string>> = {
  28: '9',
  29: '11',
  30: '12',
  31: '13',
  32: '13.2',
  33: '14',
  34: '15',
};
const OLDEST = { libc6: '2.28', libstdcxx: 28 };

/** Debian's packages that have the symbols which Node and the add-ons name: no older box is let in. */
export function neededLibraries(directory: string): string[] {
  let libc6 = OLDEST.libc6;
  let libstdcxx: number = OLDEST.libstdcxx;
  for (const file of readdirSync(directory, { recursive: true, encoding: 'utf8' })) {
    if (!/(^|\/)node$|\.node$/.test(file) || !statSync(join(directory, file)).isFile()) continue;
    const needs = tool('readelf', ['--version-info', '--wide', join(directory, file)], 'binutils');
    for (const [, version] of needs.matchAll(/\bGLIBC_(\d+\.\d+)/g))
      if (isNewer(version, libc6)) libc6 = version;
    for (const [, version] of needs.matchAll(/\bGLIBCXX_3\.4\.(\d+)/g))
      libstdcxx = Math.max(libstdcxx, Number(version));
  }
  const gcc = GCC_OF_GLIBCXX[libstdcxx];
  if (!gcc)
    throw new PackagingError(
      `no release of GCC is known that has GLIBCXX_3.4.${libstdcxx}: compile on Debian 12`,
    );
  return [`libc6 (>= ${libc6})`, 'libgcc-s1', `libstdc++6 (>= ${gcc})`];
}

function isNewer(version: string, than: string): boolean {
  const [major, minor] = version.split('.').map(Number);
  const [thanMajor, thanMinor] = than.split('.').map(Number);
  return major > thanMajor || (major === thanMajor && minor > thanMinor);
}
