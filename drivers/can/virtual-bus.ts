/** Placeholder types; see the CAN room. */
export class VirtualCanHub {}
