/** A unit of which exchanges were recorded, on a socket: it sends the recorded bytes, and refuses the rest. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../../core/clock/system-clock.ts';
import { silentLogger } from '../../../core/log.ts';
import { PackReading } from '../../../core/reading/pack-reading.ts';
import type { PackBinding } from '../../driver.ts';
import type { ModbusConnection } from '../connections.ts';
import { encodeMbap, MbapReader } from '../mbap.ts';
import { createModbusDriver } from '../modbus-driver.ts';
import { RegisterImage } from '../register-image.ts';
import { crcFits, encodeRtu } from '../rtu/crc.ts';
import { VirtualModbusHub } from '../virtual-link.ts';

export interface Exchange {
  readonly framing: string;
  readonly unit: number;
  readonly function: 3 | 4;
  readonly address: number;
  readonly count: number;
  /** The frame as it was recorded. */
  readonly reply_hex: string;
}

interface Read {
  readonly reading: PackReading;
  /** Function of each request. */
  readonly requests: readonly number[];
}

/** What the driver has after some rounds. */
export async function readWire(binding: PackBinding, exchanges: readonly Exchange[]): Promise<Read> {
  const { unit, framing } = exchanges[0];
  const tcp = framing === 'tcp';
  const known = exchanges.map(exchange => {
    const frame = Buffer.from(exchange.reply_hex, 'hex');
    return { ...exchange, frame, pdu: tcp ? frame.subarray(7) : frame.subarray(1, -2) };
  });
  const answered = known.filter(({ pdu }) => (pdu[0] & 0x80) === 0);
  const image = new RegisterImage(
    ...answered.map(({ function: code, address, count, pdu }) => ({
      code,
      address,
      registers: Uint16Array.from({ length: count }, (_, i) => pdu.readUInt16BE(2 + 2 * i)),
    })),
  );
  const requests: number[] = [];
  const recordedFor = (pdu: Uint8Array) =>
    known.find(
      ({ function: code, address, count }) =>
        pdu[0] === code && ((pdu[1] << 8) | pdu[2]) === address && ((pdu[3] << 8) | pdu[4]) === count,
    );
  const server = createServer(socket => {
    socket.on('error', () => {});
    const frames = new MbapReader();
    let waiting = Buffer.alloc(0);
    socket.on('data', (bytes: Buffer) => {
      if (tcp) {
        for (const { transaction, unit: to, pdu } of frames.push(bytes)) {
          requests.push(pdu[0]);
          const answer = recordedFor(pdu)?.pdu ?? image.answer(pdu);
          socket.write(encodeMbap(transaction, to, answer));
        }
        return;
      }
      waiting = Buffer.concat([waiting, bytes]);
      for (; waiting.length >= 8 && crcFits(waiting, 0, 8); waiting = waiting.subarray(8)) {
        const pdu = waiting.subarray(1, 6);
        requests.push(pdu[0]);
        if (waiting[0] === unit)
          socket.write(recordedFor(pdu)?.frame ?? encodeRtu(unit, image.answer(Uint8Array.from(pdu))));
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const type = tcp ? 'modbus-tcp' : 'modbus-rtu-tcp';
  const connection = { id: 'line', type, host: '127.0.0.1', port, timeout_ms: 1000 } as ModbusConnection;
  const context = {
    clock: systemClock,
    log: silentLogger,
    interval_ms: 10,
    onUpdate: () => {},
    onLink: () => {},
  };
  const plain = { ...binding.profile.registers, gap_ms: 0 } as typeof binding.profile.registers;
  const driver = createModbusDriver(
    connection,
    [{ ...binding, profile: { ...binding.profile, registers: plain } }],
    context,
    new VirtualModbusHub(),
  );
  try {
    await driver.start();
    // Ranges that were not recorded are refused, and found out by and by.
    for (let i = 0; i < 600 && (driver.health().counters.rounds ?? 0) < 12; i++) await pause(5);
    const reading = new PackReading(binding.pack, binding.shape);
    driver.packs[0].snapshotInto(reading, 0, systemClock.monoMs());
    return { reading, requests };
  } finally {
    await driver.stop();
    server.close();
  }
}
