"""Serves a register image on Modbus TCP with pymodbus 3.0: a server that is not ours.

Usage: pymodbus_server.py IMAGE.json UNIT. Prints the port it listens on (loopback) and serves until killed.
"""

import asyncio
import json
import logging
import sys
from unittest.mock import MagicMock

for serial in ("serial", "serial_asyncio"):
    # Only recommended by Debian's python3-pymodbus, imported by it always, and not needed for TCP.
    try:
        __import__(serial)
    except ModuleNotFoundError:
        sys.modules[serial] = MagicMock()

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusTcpServer


async def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        image = json.load(file)
    block = ModbusSequentialDataBlock(image["base_address"], image["registers"])
    slave = ModbusSlaveContext(hr=block, zero_mode=True)
    context = ModbusServerContext(slaves={int(sys.argv[2]): slave}, single=False)
    server = ModbusTcpServer(context, address=("127.0.0.1", 0))
    serving = asyncio.ensure_future(server.serve_forever())
    await server.serving
    print(server.server.sockets[0].getsockname()[1], flush=True)
    await serving


# It calls a client that leaves an error; real ones end the script with a traceback.
logging.disable(logging.ERROR)
asyncio.run(main())
