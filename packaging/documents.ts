/** What people and programs read about the gateway on the box: man pages, completion, documents, licences, examples. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { COMMANDS } from '../daemon/cli/commands.ts';
import { configSections } from '../daemon/config/reference.ts';
import { Config } from '../daemon/config/schema.ts';
import { loadProfiles } from '../drivers/profiles/load.ts';
import { bashCompletion } from './completion.ts';
import { configurationPage } from './man/configuration-page.ts';
import { programPage } from './man/program-page.ts';
import { copyrightFile } from './parts/copyright.ts';
import type { Part } from './parts/licences.ts';
import { sbom } from './parts/sbom.ts';
import { ROOT } from './program.ts';
import type { Tree } from './tree.ts';

export const DOCS = 'usr/share/doc/bms-gateway';
/** For whoever works on the gateway, not beside it. */
const NOT_FOR_A_BOX = [
  'ARCHITECTURE.md',
  'README.md',
  'dependencies.md',
  'edge-box-tests.md',
  'testing-faults.md',
];
const MAINTAINER = 'BMS Gateway <bms-gateway@localhost>';

export interface DocumentOptions {
  readonly contents: readonly Part[];
  readonly version: string;
  readonly epoch_s: number;
}

export async function writeDocuments(
  tree: Tree,
  { contents, version, epoch_s }: DocumentOptions,
): Promise<void> {
  const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
  const { description } = JSON.parse(read('package.json')) as { description: string };
  const program = await programPage({
    commands: COMMANDS,
    description,
    configurationDocs: read('docs/configuration.md'),
    version,
    epoch_s,
  });
  tree.writeCompressed('usr/share/man/man1/bms-gateway.1', program);
  const example = read('docs/examples/can-jk.yaml');
  const configuration = configurationPage({ sections: configSections(Config), example, version, epoch_s });
  tree.writeCompressed('usr/share/man/man5/bms-gateway.yaml.5', configuration);
  const profiles = [...loadProfiles().profiles.keys()];
  tree.write('usr/share/bash-completion/completions/bms-gateway', bashCompletion(COMMANDS, profiles));

  tree.write(`${DOCS}/copyright`, copyrightFile(contents));
  tree.write(`${DOCS}/bms-gateway.cdx.json`, sbom(ROOT, contents, version, epoch_s));
  tree.writeCompressed(`${DOCS}/changelog`, changelog(version, epoch_s));
  tree.writeCompressed(`${DOCS}/NEWS.md`, read('CHANGELOG.md'));
  for (const name of readdirSync(join(ROOT, 'docs')))
    if (name.endsWith('.md') && !NOT_FOR_A_BOX.includes(name))
      tree.copy(join(ROOT, 'docs', name), `${DOCS}/${name}`);
  tree.copy(join(ROOT, 'docs/examples'), `${DOCS}/examples`);
  tree.copy(join(ROOT, 'systemd/80-can0.network'), `${DOCS}/examples/80-can0.network`);
}

/** In dpkg's form; what changed for people is in NEWS.md. */
function changelog(version: string, epoch_s: number): string {
  const date = new Date(epoch_s * 1000).toUTCString().replace('GMT', '+0000');
  return `bms-gateway (${version}) stable; urgency=medium

  * What changed is in NEWS.md.gz beside this file.

 -- ${MAINTAINER}  ${date}
`;
}
