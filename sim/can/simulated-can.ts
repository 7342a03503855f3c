/** Simulated packs on CAN: nodes that broadcast or answer, and where they are served. */
import type { Clock } from '../../core/clock/clock.ts';
import type { CanFrame } from '../../drivers/can/can-bus.ts';
import { createCanEncoder } from '../../drivers/can/can-encoder.ts';
import type { IsoTpRead } from '../../drivers/can/iso-tp/iso-tp-reads.ts';
import { mapPack } from '../../drivers/can/pack-mapping.ts';
import { SocketCanBus } from '../../drivers/can/socketcan-bus.ts';
import type { SentFrame, VirtualCanHub } from '../../drivers/can/virtual-bus.ts';
import type { PackBinding } from '../../drivers/driver.ts';
import type { Bridge } from '../serve/bridge.ts';
import { PTY_FORM, type PtyTarget, parsePty, pseudoTerminal, serialPort } from '../serve/streams.ts';
import type {
  DeviceSource,
  ServedConnection,
  SimulatedTransport,
  VirtualDevice,
} from '../simulated-transport.ts';
import { CanBridge } from './can-bridge.ts';
import { LogBridge } from './log-bridge.ts';
import { SimulatedEcu } from './simulated-ecu.ts';
import { SlcanBridge } from './slcan-bridge.ts';

export type CanServeTarget =
  | { readonly kind: 'interface'; readonly interface: string }
  | { readonly kind: 'log'; readonly file: string }
  | { readonly kind: 'slcan'; readonly port: string; readonly baud_rate: number }
  | PtyTarget;

const SLCAN_BAUD = 115_200;
/** Of a message whose DBC gives no period. */
const DEFAULT_CYCLE_MS = 1000;

export const simulatedCan: SimulatedTransport<CanServeTarget, VirtualCanHub> = {
  serve_forms: [
    { form: 'vcan0', about: 'a CAN interface of the kernel, up at the bit rate of the profile' },
    { form: PTY_FORM, about: 'a pseudo terminal with an slcan (LAWICEL) adapter behind it' },
    { form: 'slcan:/dev/ttyS0[:baud]', about: `the same on a serial port (default ${SLCAN_BAUD})` },
    { form: 'log:FILE, log:-', about: 'a log as candump -l writes it; - is standard output' },
  ],
  attachDevice,
  parseServeTarget,
  makeBridge,
};

function attachDevice(
  connection_id: string,
  binding: PackBinding,
  source: DeviceSource,
  hub: VirtualCanHub,
  clock: Clock | undefined,
): VirtualDevice {
  const { messages } = createCanEncoder(binding);
  const { iso_tp, ...mapping } = mapPack(binding);
  const polls = mapping.polls.filter(({ answers }) => answers.length > 0);
  const reads = iso_tp.flatMap(link => link.reads);
  const asked = new Set([...polls.flatMap(({ answers }) => answers), ...reads.map(({ message }) => message)]);
  const broadcast = messages.filter(({ name }) => !asked.has(name));
  const due_mono_ms = new Float64Array(broadcast.length);
  const answer = (request: CanFrame) => {
    if (source.isDead()) return;
    for (const poll of polls)
      if (isSameFrame(poll, request))
        for (const message of messages)
          if (poll.answers.includes(message.name)) message.frames(source.reading, send);
    for (const ecu of ecus) ecu.take(request);
  };
  const isAsked = polls.length > 0 || iso_tp.length > 0;
  const node = hub.bus(connection_id).attach(isAsked ? answer : undefined);
  const send = node.send.bind(node);
  const replyTo = (read: IsoTpRead) => {
    let reply: Uint8Array | undefined;
    const encoder = messages.find(({ name }) => name === read.message);
    encoder?.frames(source.reading, ({ data }) => {
      reply = data.slice();
    });
    return reply;
  };
  const ecus = iso_tp.map(link => new SimulatedEcu(link, send, replyTo));
  return {
    broadcasts: broadcast.length > 0,
    publish() {
      if (source.isDead()) return;
      const now_ms = clock?.monoMs() ?? 0;
      broadcast.forEach((message, i) => {
        if (clock && now_ms < due_mono_ms[i]) return;
        due_mono_ms[i] = Math.max(due_mono_ms[i] + (message.cycle_ms ?? DEFAULT_CYCLE_MS), now_ms);
        message.frames(source.reading, send);
      });
    },
    detach: () => node.detach(),
  };
}

function isSameFrame(poll: SentFrame, frame: SentFrame): boolean {
  if (poll.id !== frame.id || poll.extended !== frame.extended || poll.length !== frame.length) return false;
  for (let i = 0; i < poll.length; i++) if (poll.data[i] !== frame.data[i]) return false;
  return true;
}

function parseServeTarget(text: string): CanServeTarget | undefined {
  const pty = parsePty(text);
  if (pty) return pty;
  const [, file] = /^log:(.+)$/.exec(text) ?? [];
  if (file !== undefined) return { kind: 'log', file };
  const [, port, baud] = /^slcan:(.+?)(?::(\d{3,7}))?$/.exec(text) ?? [];
  if (port !== undefined) return { kind: 'slcan', port, baud_rate: Number(baud ?? SLCAN_BAUD) };
  const [, name] = /^(?:can:)?([^\s/:.\\]{1,15})$/.exec(text) ?? [];
  return name === undefined || /^COM\d+$/.test(name) ? undefined : { kind: 'interface', interface: name };
}

function makeBridge(
  target: CanServeTarget,
  { connection_id, bindings, wires, clock, onLost }: ServedConnection<VirtualCanHub>,
): Bridge {
  const bus = wires.bus(connection_id);
  const bitrate_bps = bindings[0]?.profile.can?.bitrate;
  switch (target.kind) {
    case 'interface':
      return new CanBridge(bus, new SocketCanBus(target.interface, clock), clock);
    case 'log':
      return new LogBridge(bus, target.file, clock);
    case 'slcan':
      return new SlcanBridge(bus, bitrate_bps, serialPort(target.port, target.baud_rate), onLost);
    case 'pty':
      return new SlcanBridge(bus, bitrate_bps, pseudoTerminal(target.link, clock), onLost);
  }
}
