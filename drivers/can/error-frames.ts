/** What SocketCAN error frames say. Layout: linux/can/error.h. */

export interface BusFault {
  readonly kind: 'bus-off' | 'recovered' | 'overflow' | 'passive' | 'errors';
  readonly text: string;
}

const BUS_OFF = 0x40;
const RESTARTED = 0x100;
const CONTROLLER = 0x04;
const NO_ACKNOWLEDGE = 0x20;

/** Bits of byte 1 of a controller error. */
const OVERFLOW = 0x03;
const WARNING = 0x0c;
const PASSIVE = 0x30;
const ACTIVE_AGAIN = 0x40;

/** `error_class`: the id of the error frame without its flag. */
export function faultIn(error_class: number, data: Uint8Array): BusFault {
  if (error_class & BUS_OFF) return { kind: 'bus-off', text: 'bus-off' };
  if (error_class & RESTARTED) return { kind: 'recovered', text: 'controller was restarted' };
  const controller = error_class & CONTROLLER ? (data[1] ?? 0) : 0;
  if (controller & OVERFLOW)
    return { kind: 'overflow', text: 'controller buffer overflowed, frames were lost' };
  if (controller & PASSIVE)
    return { kind: 'passive', text: 'controller is error-passive; check wiring, termination and bit rate' };
  if (controller & ACTIVE_AGAIN) return { kind: 'recovered', text: 'controller is error-active again' };
  if (controller & WARNING)
    return {
      kind: 'errors',
      text: 'many bus errors (error warning); check wiring, termination and bit rate',
    };
  if (error_class & NO_ACKNOWLEDGE)
    return { kind: 'errors', text: 'frames are not acknowledged; is another node on the bus?' };
  return { kind: 'errors', text: 'bus errors; check wiring, termination and bit rate' };
}
