/** What is inside as CycloneDX 1.6, with the checksums of the lock file: for scanners of vulnerabilities. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { distinctParts, type Part } from './licences.ts';

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
}

export function sbom(root: string, parts: readonly Part[], version: string, epoch_s: number): string {
  const integrity = integrities(root);
  const components = distinctParts(parts).map(({ name, version, licence, is_program }) => {
    const purl = is_program
      ? `pkg:generic/${name}@${version}`
      : `pkg:npm/${name.replace('@', '%40')}@${version}`;
    const sha512 = is_program ? undefined : integrity.get(`${name}@${version}`);
    return {
      type: is_program ? 'application' : 'library',
      'bom-ref': purl,
      name,
      version,
      purl,
      licenses: /\s/.test(licence)
        ? [{ expression: licence }]
        : [{ license: licence === 'NOASSERTION' ? { name: licence } : { id: licence } }],
      ...(sha512 && { hashes: [{ alg: 'SHA-512', content: Buffer.from(sha512, 'base64').toString('hex') }] }),
    };
  });
  const ref = `pkg:deb/bms-gateway@${version}`;
  const content = {
    metadata: {
      timestamp: new Date(epoch_s * 1000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': ref,
        name: 'bms-gateway',
        version,
        purl: ref,
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components,
    dependencies: [{ ref, dependsOn: components.map(component => component['bom-ref']) }],
  };
  const head = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(content))}`,
    version: 1,
  };
  return `${JSON.stringify({ ...head, ...content }, null, 1)}\n`;
}

/** By name and version, base64 of SHA-512. */
function integrities(root: string): ReadonlyMap<string, string> {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as Lock;
  const found = new Map<string, string>();
  for (const [place, { version, integrity }] of Object.entries(packages))
    if (integrity?.startsWith('sha512-'))
      found.set(`${place.split('node_modules/').at(-1)}@${version}`, integrity.slice('sha512-'.length));
  return found;
}

/** The same content has the same number (version 8 of RFC 9562). */
function uuidOf(content: string): string {
  const hex = createHash('sha256').update(content).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `8${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
