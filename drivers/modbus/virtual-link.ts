/** Placeholder types; see the Modbus room. */
export class VirtualModbusHub {}
