/** Rules as a file: what was exported and is imported, or pasted into the configuration, changes nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ThresholdRule } from '../../core/alerts/rule.ts';
import { ruleDifferences } from '../../core/alerts/rule-difference.ts';
import type { Settings } from '../../core/contract/http.ts';
import type { Finding } from '../../core/schema/problem.ts';
import { runsOf } from '../../core/testing/property-runs.ts';
import { AlertSettings } from '../pipeline/alert-settings.ts';
import { MemoryDocuments, makeTestSite } from '../server/testing/test-site.ts';
import { DEFAULT_RULES } from './default-rules.ts';
import { loadConfig } from './load.ts';
import { ConfigRuleFiles } from './rule-files.ts';
import { ruleText } from './rule-text.ts';
import { type AlertRulesConfig, resolveRules } from './rules.ts';
import { quietEnvironment, testProfiles } from './testing/config.ts';

const ADA = { by: 'ada', at_ms: 1000 };
const { topology } = makeTestSite();

/** The rules of a configuration and of what an administrator changed over it. */
async function keeper(config: AlertRulesConfig = {}, documents = new MemoryDocuments()) {
  const findings: Finding[] = [];
  const settings = new AlertSettings(topology, resolveRules(config, findings), documents);
  expect(findings).toEqual([]);
  await settings.restore();
  const files = new ConfigRuleFiles(topology, {
    rules: () => settings.rules(),
    settings: () => settings.reply(),
    takeRules: async (rules, { by, at_ms }, note) => {
      await settings.take(rules, note, by, at_ms);
      return settings.reply();
    },
  });
  return { settings, files, documents };
}

const number = (min: number, max: number) =>
  fc.integer({ min: min * 100, max: max * 100 }).map(hundredths => hundredths / 100);
const OWN: AlertRulesConfig = {
  rules: [
    {
      id: 'reserve_low',
      label: 'Reserve: "low" # for the crane',
      pack: 'soc_pct',
      chemistry: 'lfp',
      below: {
        warning: 25,
        critical: { over: ['temperature_c'], at: [[-10, 25]], limits: [20, 15], otherwise: 20 },
      },
      hysteresis: 5,
      during: 'rest',
      raise_after_ms: 60_000,
      inhibit_ms: 0,
      latch: true,
      next_check: 'See why:\nit was not charged',
    },
    { id: 'soc_low', label: 'Nearly empty', pack: 'soc_pct', below: { warning: 12 } },
  ],
  limits: [{ rule: 'cell_voltage_high', battery: 'north', warning: 3.55, critical: 3.7 }],
};
const configs = fc.constantFrom<AlertRulesConfig>({}, OWN, { ...OWN, default_rules: false, limits: [] });
const changes = fc.record(
  {
    soc_low: fc.record(
      {
        limits: fc.array(
          fc.record(
            { pack: fc.constantFrom('n1', 's1'), warning: number(10, 20), hysteresis: number(0, 5) },
            { requiredKeys: ['pack', 'warning'] },
          ),
          { maxLength: 4 },
        ),
        raise_after_ms: fc.integer({ min: 0, max: 1e6 }),
        latch: fc.boolean(),
      },
      { requiredKeys: [] },
    ),
    reserve_low: fc.record(
      { limits: fc.constant([{ profile: 'x-profile', warning: 30 }]) },
      { requiredKeys: [] },
    ),
    cell_voltage_high: fc.record(
      { critical_after_ms: fc.integer({ min: 0, max: 1e5 }) },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: [] },
);

const apart = (before: readonly ThresholdRule[], after: readonly ThresholdRule[]) =>
  ruleDifferences(before, after);

async function changed(config: AlertRulesConfig, change: object) {
  const kept = await keeper(config);
  const known = kept.settings.reply().rules;
  const profile = topology.packs[0].profile_id;
  const rules = Object.fromEntries(
    Object.entries(JSON.parse(JSON.stringify(change).replaceAll('x-profile', profile))).filter(
      ([id]) => id in known,
    ),
  ) as Settings['rules'];
  await kept.settings.change({ rules }, 'ada', 1);
  return kept;
}

test('what is exported and imported changes nothing, whatever the rules', async () => {
  await fc.assert(
    fc.asyncProperty(configs, changes, async (config, change) => {
      const { files, settings } = await changed(config, change);
      const before = settings.reply();
      const reply = await files.take({ yaml: files.text(), is_trial: false }, ADA);
      expect(reply.differences).toEqual([]);
      expect(settings.reply()).toEqual(before);
    }),
    { numRuns: runsOf(60) },
  );
});

test('another gateway that imports what was exported has the same rules, also after its restart', async () => {
  await fc.assert(
    fc.asyncProperty(configs, configs, changes, async (config, other, change) => {
      const { files, settings } = await changed(config, change);
      const elsewhere = await keeper(other);
      await elsewhere.files.take({ yaml: files.text(), is_trial: false }, ADA);
      expect(apart(settings.rules(), elsewhere.settings.rules())).toEqual([]);
      const after = await keeper(other, elsewhere.documents);
      expect(apart(settings.rules(), after.settings.rules())).toEqual([]);
      expect(after.files.text()).toBe(elsewhere.files.text());
    }),
    { numRuns: runsOf(60) },
  );
});

test('pasted into the configuration it passes check-config and has the same effect', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'rule-files-'));
  const file = join(directory, 'config.yaml');
  const pack = (id: string, address: number) =>
    `{ id: ${id}, connection: bus, profile: acme-can, cells: 4, address: ${address} }`;
  const fleet = `site: { id: yard }
connections: [{ id: bus, type: socketcan, interface: can0 }]
batteries:
  - { id: north, packs: [${pack('n1', 1)}] }
  - { id: south, packs: [${pack('s1', 2)}] }
`;
  try {
    for (const config of [{}, OWN, { ...OWN, default_rules: false, limits: [] }]) {
      const { files, settings } = await changed(config, {
        soc_low: { limits: [{ pack: 's1', warning: 14 }], raise_after_ms: 5 },
      });
      writeFileSync(file, `${fleet}${files.text()}`);
      const loaded = loadConfig(file, quietEnvironment, testProfiles);
      expect(loaded.warnings).toEqual([]);
      expect(apart(settings.rules(), loaded.config.alerts.rules)).toEqual([]);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('of rules as they are by default nothing is written', () => {
  expect(ruleText(DEFAULT_RULES)).toMatch(
    /^#.*\n#.*\nalerts:\n {2}default_rules: true\n {2}rules: \[\]\n {2}limits: \[\]\n$/,
  );
});

test('a trial says what would change and changes nothing; taken, it is a version that can be taken back', async () => {
  const { files, settings } = await keeper();
  const yaml = `alerts:
  rules:
    - { id: hot, label: Hot, cell: temperature_c, above: { warning: 45 } }
  limits:
    - { rule: soc_low, battery: north, warning: 20 }
`;
  const trial = await files.take({ yaml, is_trial: true, version: 0 }, ADA);
  expect(trial.differences).toMatchObject([
    {
      rule_id: 'soc_low',
      kind: 'changed',
      lines: [{ what: 'battery north: warning', before: null, after: '20' }],
    },
    { rule_id: 'hot', label: 'Hot', kind: 'added' },
  ]);
  expect(settings.reply().version).toBe(0);
  await files.take({ yaml, is_trial: false, version: 0, note: 'for summer' }, ADA);
  expect(settings.reply()).toMatchObject({
    version: 1,
    changed: { by: 'ada', note: 'for summer' },
    rules: { hot: { is_changed: true }, soc_low: { is_changed: true }, soh_low: { is_changed: false } },
  });
  await expect(files.take({ yaml, is_trial: false, version: 0 }, ADA)).rejects.toMatchObject({
    code: 'CONFLICT',
  });
  await settings.change({ rules: { hot: null, soc_low: null } }, 'ada', 2);
  expect(apart(DEFAULT_RULES, settings.rules())).toEqual([]);
});

test('a rule of the configuration that the file leaves out is removed, and can be brought back', async () => {
  const { files, settings, documents } = await keeper(OWN);
  const { differences } = await files.take({ yaml: 'alerts: { default_rules: true }', is_trial: false }, ADA);
  expect(differences.map(({ rule_id, kind }) => `${rule_id} ${kind}`).sort()).toEqual([
    'cell_voltage_high changed',
    'reserve_low removed',
    'soc_low changed',
  ]);
  const after = await keeper(OWN, documents);
  expect(after.settings.reply().removed).toEqual(['reserve_low']);
  await after.settings.change({ rules: { reserve_low: null } }, 'ada', 3);
  expect(after.settings.reply()).toMatchObject({
    removed: [],
    rules: { reserve_low: { is_changed: false } },
  });
  expect(settings.reply().removed).toEqual(['reserve_low']);
});

test('what is wrong in the file stands in the answer with its line and path, as check-config says it', async () => {
  const { files } = await keeper();
  const said = async (yaml: string) =>
    files.take({ yaml, is_trial: false }, ADA).then(
      () => '',
      (error: Error) => error.message,
    );
  expect(await said('alerts:\n  limits:\n    - { rule: soc_lo, warning: 5 }\n')).toBe(
    'rules.yaml:3:15 alerts.limits[0].rule: found "soc_lo", expected the id of a rule; did you mean "soc_low"?',
  );
  expect(await said('alerts:\n  limits:\n    - { rule: soc_low, battery: west, warning: 5 }\n')).toMatch(
    /^rules\.yaml:3:\d+ alerts\.limits\[0\]\.battery: found "west", expected the id of a battery/,
  );
  expect(
    await said('alerts:\n  rules:\n    - { id: a, label: A, pack: soc_pct, below: { warning: x } }\n'),
  ).toMatch(/^rules\.yaml:3:\d+ alerts\.rules\[0\]\.below\.warning: found "x"/);
  expect(await said('alerts: { silent_after_ms: 9000 }')).toMatch(
    /^rules\.yaml:1:\d+ alerts.*silent_after_ms/,
  );
  expect(await said('alerts: [')).toMatch(/^rules\.yaml:1:/);
  expect(await said('nothing: 1')).toMatch(/^rules\.yaml:1:/);
});
