/** Over our own schemas too the walk decides as TypeBox decides. */
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { findingsOf } from '../../core/schema/check.ts';
import { nearly } from '../../core/schema/testing/yaml.ts';
import { runsOf } from '../../core/testing/property-runs.ts';
import { ProfileFile } from '../../drivers/profiles/profile.ts';
import { ConnectionConfig } from '../../drivers/transports.ts';
import { SimulationConfig } from '../../sim/simulation-config.ts';
import { RuleConfig } from './rule-schema.ts';
import { Config, PackConfig } from './schema.ts';

const SCHEMAS = { Config, ConnectionConfig, PackConfig, RuleConfig, SimulationConfig, ProfileFile };

test.each(Object.entries(SCHEMAS))('%s', (_name, schema) => {
  fc.assert(
    fc.property(nearly(schema), value => {
      expect(findingsOf(schema, value).length === 0).toBe(Value.Check(schema, value));
    }),
    { numRuns: runsOf(300) },
  );
});
