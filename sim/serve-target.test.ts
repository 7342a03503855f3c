/** What can stand after `--listen`. */
import { expect, test } from 'vitest';
import { otherServedAt, simulatedTransport } from './transports.ts';

/** Of the other one. */
const TITLES = { can: 'Modbus', modbus: 'CAN' };

test.each([
  ['vcan0', { kind: 'interface', interface: 'vcan0' }, 'can'],
  ['can:vcan0', { kind: 'interface', interface: 'vcan0' }, 'can'],
  ['log:-', { kind: 'log', file: '-' }, 'can'],
  ['slcan:/dev/ttyS0', { kind: 'slcan', port: '/dev/ttyS0', baud_rate: 115_200 }, 'can'],
  ['slcan:/dev/ttyS0:921600', { kind: 'slcan', port: '/dev/ttyS0', baud_rate: 921_600 }, 'can'],
  ['tcp://127.0.0.1:1502', { kind: 'tcp', host: '127.0.0.1', port: 1502 }, 'modbus'],
  ['tcp://[::1]:0', { kind: 'tcp', host: '::1', port: 0 }, 'modbus'],
  ['rtu://localhost:1503', { kind: 'rtu-tcp', host: 'localhost', port: 1503 }, 'modbus'],
  ['/dev/ttyUSB0:19200', { kind: 'serial', port: '/dev/ttyUSB0', baud_rate: 19_200 }, 'modbus'],
  ['pty', { kind: 'pty', link: undefined }, undefined],
  ['pty:/tmp/battery', { kind: 'pty', link: '/tmp/battery' }, undefined],
] as const)('%s', (text, target, transport) => {
  for (const name of ['can', 'modbus'] as const) {
    const fits = transport === undefined || transport === name;
    expect(simulatedTransport(name).parseServeTarget(text)).toEqual(fits ? target : undefined);
    expect(otherServedAt(text, name)).toBe(transport === name ? undefined : TITLES[name]);
  }
});

test.each(['', 'http://x', 'rtu://x', 'a.log', 'tcp://', 'vcan0 vcan1', 'slcan:'])('%j is none', text => {
  for (const name of ['can', 'modbus'] as const) {
    expect(simulatedTransport(name).parseServeTarget(text)).toBeUndefined();
    expect(otherServedAt(text, name)).toBeUndefined();
  }
});
