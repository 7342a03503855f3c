"""A foreign Modbus TCP client: walks the SunSpec models of unit 1 and tries what must be refused."""
import json
import sys

from pymodbus.client import ModbusTcpClient

client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]), timeout=5)
assert client.connect()


def read(address, count, unit=1):
    return client.read_holding_registers(address, count, unit)


assert read(40000, 2).registers == [0x5375, 0x6E53]
models, cells, at = [], [], 40002
while True:
    model, length = read(at, 2).registers
    if model == 0xFFFF:
        break
    models.append(model)
    if model == 805:
        exponent = read(at + 42, 1).registers[0]
        exponent -= 0x10000 if exponent > 0x7FFF else 0
        for cell in range((length - 42) // 4):
            cells.append(read(at + 44 + 4 * cell, 1).registers[0] * 10.0**exponent)
    at += 2 + length

print(
    json.dumps(
        {
            "models": models,
            "cell_voltages_v": cells,
            "no_such_unit": read(40000, 2, 77).exception_code,
            "no_such_register": read(9, 1).exception_code,
            "a_write": client.write_register(40000, 1, 1).exception_code,
        }
    )
)
client.close()
