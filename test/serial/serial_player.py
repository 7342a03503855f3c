"""A serial device in bytes: a pty whose far end answers Modbus RTU requests as configured, rightly or wrongly.

The first argument is JSON: units (id, reply_id, blocks of code, address, step, words), echo, baud (then bytes
take the time they would on a line, at ten bits each), and faults by the number of the request, counting from 1. Prints the path of the port. Knows nothing of the gateway.
"""
import json
import os
import sys
import time
import tty


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return bytes([value & 0xFF, value >> 8])


def reply_to(frame, units):
    unit = units.get(frame[0])
    if unit is None:
        return None
    code, address, count = frame[1], frame[2] << 8 | frame[3], frame[4] << 8 | frame[5]
    for block in unit["blocks"]:
        offset = (address - block["address"]) / block.get("step", 1)
        if block["code"] != code or offset != int(offset) or offset < 0:
            continue
        words = block["words"][int(offset) : int(offset) + count]
        if len(words) < count:
            continue
        if code <= 2:
            data = bytearray((count + 7) // 8)
            for i, word in enumerate(words):
                data[i // 8] |= (word & 1) << (i % 8)
        else:
            data = b"".join(word.to_bytes(2, "big") for word in words)
        body = bytes([unit["reply_id"], code, len(data)]) + bytes(data)
        return body + crc(body)
    body = bytes([unit["reply_id"], code | 0x80, 2])
    return body + crc(body)


def main():
    play = json.loads(sys.argv[1])
    units = {unit["id"]: unit for unit in play["units"]}
    faults = {fault["request"]: fault for fault in play.get("faults", [])}
    master, slave = os.openpty()
    tty.setraw(master)
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)
    number = 0
    received = b""
    while True:
        received += os.read(master, 256)
        begun = time.monotonic()
        while len(received) >= 8:
            frame, received = received[:8], received[8:]
            if crc(frame[:6]) != frame[6:]:
                received = frame[1:] + received
                continue
            number += 1
            if play.get("echo"):
                os.write(master, frame)
            reply = reply_to(frame, units)
            if reply is not None and play.get("baud"):
                ends = begun + 10 * (len(frame) + len(reply)) / play["baud"]
                time.sleep(max(0, ends - time.monotonic()))
            answer(master, reply, faults.get(number, {}))


def answer(master, reply, fault):
    kind = fault.get("kind")
    if reply is None or kind == "silence":
        return
    if kind == "late":
        time.sleep(fault["ms"] / 1000)
    if kind == "truncated":
        reply = reply[: len(reply) // 2]
    if kind == "wrong_crc":
        reply = reply[:-1] + bytes([reply[-1] ^ 0x55])
    if kind == "garbage":
        reply = bytes([0x00, 0xFF, reply[0], reply[1], 0x81, 0x13]) + reply
    if kind == "pieces":
        for byte in reply:
            os.write(master, bytes([byte]))
            time.sleep(0.001)
        return
    os.write(master, reply)


main()
