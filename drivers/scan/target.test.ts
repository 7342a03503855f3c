/** What a person may point a scan at. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parseTarget } from './target.ts';

test.each([
  ['can0', { type: 'socketcan', interface: 'can0' }],
  ['bus.log', { type: 'candump', file: resolve('bus.log') }],
  ['/tmp/can0/dump', { type: 'candump', file: '/tmp/can0/dump' }],
  ['/dev/ttyUSB0', { type: 'modbus-rtu', port: '/dev/ttyUSB0', baud_rate: 9600 }],
  ['/dev/ttyUSB0:115200', { type: 'modbus-rtu', port: '/dev/ttyUSB0', baud_rate: 115_200 }],
  [
    '/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0:19200',
    { port: '/dev/serial/by-path/pci-0000:00:14.0-usb-0:2:1.0-port0', baud_rate: 19_200 },
  ],
  ['slcan:/dev/ttyACM0', { type: 'slcan', port: '/dev/ttyACM0', bitrate_bps: 500_000 }],
  ['slcan:/dev/ttyACM0:250000', { type: 'slcan', port: '/dev/ttyACM0', bitrate_bps: 250_000 }],
  ['tcp://10.0.0.5', { type: 'modbus-tcp', host: '10.0.0.5', port: 502 }],
  ['tcp://bms.local:1502/', { type: 'modbus-tcp', host: 'bms.local', port: 1502 }],
  ['tcp://[fe80::1]:502', { type: 'modbus-tcp', host: 'fe80::1', port: 502 }],
  ['rtu://10.0.0.6:8899', { type: 'modbus-rtu-tcp', host: '10.0.0.6', port: 8899 }],
])('%s', (text, connection) => {
  expect(parseTarget(text)).toMatchObject(connection);
});

test.each([
  '',
  'an interface',
  'tcp://',
  'tcp://host:99999',
  'tcp://host/path',
  'rtu://host',
  'slcan:/dev/x:7777',
])('"%s" is none', text => {
  expect(parseTarget(text)).toBeUndefined();
});
