/**
 * A site of 5,000 packs, far more than one box is meant for: how long the program takes to start as on a box, and how
 * long the list of batteries takes that the page loads, while all packs are read. The packs are simulated by a process
 * of its own, behind 100 Modbus TCP addresses.
 */
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { logIn, startGateway } from '../test/support/gateway-process.ts';
import { startAsOnBox } from './box-program.ts';
import { processorSeconds } from './processor-time.ts';

const LINKS = 100;
const PACKS_OF_LINK = 50;
const PASSWORD = 'measured-in-thousands';
const START_GOAL_S = 10;
const LIST_GOAL_MS = 300;
const LISTS = 40;
/** Not a divisor of the interval, so that the lists fall on every part of it. */
const LIST_EVERY_MS = 730;

const number = (i: number) => String(i + 1).padStart(3, '0');
const links = Array.from({ length: LINKS }, (_, i) => `link-${number(i)}`);

export async function benchManyPacks(): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'bms-many-'));
  await chmod(directory, 0o711);
  const stops: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })];
  try {
    const virtual = join(directory, 'virtual.yaml');
    await writeFile(
      virtual,
      site(id => `{ id: ${id}, type: virtual-modbus }`),
    );
    const listen = links.flatMap(id => ['--listen', `${id}=tcp://127.0.0.1:0`]);
    const simulator = startGateway(['simulate', '--config', virtual, ...listen], {});
    stops.push(() => simulator.stop());
    await simulator.waitFor(/Ctrl-C stops/);
    const ports = [...simulator.output().matchAll(/tcp:\/\/127\.0\.0\.1:(\d+)/g)].map(([, port]) => port);
    const config = join(directory, 'config.yaml');
    await writeFile(
      config,
      site((id, i) => `{ id: ${id}, type: modbus-tcp, host: 127.0.0.1, port: ${ports[i]} }`),
    );
    return await measure(config, directory, stops);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

async function measure(config: string, state: string, stops: (() => Promise<unknown>)[]): Promise<string[]> {
  const program = startAsOnBox({
    BMS_CONFIG: config,
    BMS_STATE_DIR: state,
    BMS_HTTP_PORT: '0',
    BMS_ADMIN_PASSWORD: PASSWORD,
  });
  const begun_ms = performance.now();
  stops.push(() => program.stop());
  const [url] = await program.waitFor(/http:\/\/[\d.]+:\d+/, 120_000);
  const started_s = (performance.now() - begun_ms) / 1000;
  const start_used_s = processorSeconds(program.pid);
  const { get } = await logIn(url, 'admin', PASSWORD);
  const whole = await untilAllRead(get);
  const read_s = (performance.now() - begun_ms) / 1000;
  const took_ms: number[] = [];
  for (let i = 0; i < LISTS; i++) {
    const asked_ms = performance.now();
    await get('/api/batteries');
    took_ms.push(performance.now() - asked_ms);
    await sleep(LIST_EVERY_MS);
  }
  took_ms.sort((a, b) => a - b);
  const ms = (share: number) => `${took_ms[Math.floor(share * (LISTS - 1))].toFixed(0)} ms`;
  return [
    `serving  after ${started_s.toFixed(1)} s (goal ${START_GOAL_S}), ${start_used_s.toFixed(1)} s of processor time; all ${whole} packs read after ${read_s.toFixed(1)} s`,
    `list     of ${LINKS} batteries, ${LINKS * PACKS_OF_LINK} packs: half within ${ms(0.5)} (goal ${LIST_GOAL_MS}), nine of ten within ${ms(0.9)}, longest ${ms(1)}`,
  ];
}

interface Fleet {
  readonly batteries: readonly { readonly packs_ok: number }[];
}

async function untilAllRead(get: (path: string) => Promise<unknown>): Promise<number> {
  const wanted = LINKS * PACKS_OF_LINK;
  for (let tries = 0; tries < 120; tries++) {
    const { batteries } = (await get('/api/batteries')) as Fleet;
    const read = batteries.reduce((sum, { packs_ok }) => sum + packs_ok, 0);
    if (read === wanted) return read;
    await sleep(1000);
  }
  throw new Error(`not all of ${wanted} packs were read within two minutes`);
}

function site(connection: (id: string, i: number) => string): string {
  const batteries = links.map(
    (id, i) => `  - id: battery-${number(i)}
    name: Battery ${i + 1}
    packs:
      - { id: 'pack-${number(i)}-{01..50}', name: 'Pack {n}', connection: ${id}, profile: sunspec-battery, address: 1..50, cells: 16 }`,
  );
  return `site: { id: many, name: Many packs }
gateway_id: many
interval_ms: 10000
connections:
${links.map((id, i) => `  - ${connection(id, i)}`).join('\n')}
batteries:
${batteries.join('\n')}
`;
}
