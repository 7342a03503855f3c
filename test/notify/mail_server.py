"""A mail server for tests (Debian's python3-aiosmtpd): STARTTLS, AUTH, and what it is asked to do wrong.

Arguments: certificate, key, password. Prints its port, then each message that it accepts as a line of JSON. Lines on
standard input say what it does from then on: `accept`, `refuse` (554 after the message), `busy` (451 to MAIL),
`stall` (takes the message, never answers), `drop` (takes the message, accepts it, and closes without an answer).
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

certificate, key, password = sys.argv[1:4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
mode = "accept"


def check(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.login == b"gateway" and data.password == password.encode()
    return AuthResult(success=good, handled=good)


class Handler:
    async def handle_MAIL(self, server, session, envelope, address, options):
        if mode == "busy":
            return "451 4.3.0 come again later"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        if mode == "refuse":
            return "554 5.7.1 not wanted"
        if mode == "stall":
            print("stalling", flush=True)
            await asyncio.sleep(3600)
        print(
            json.dumps(
                {
                    "from": envelope.mail_from,
                    "to": envelope.rcpt_tos,
                    "tls": session.ssl is not None,
                    "login": session.authenticated,
                    "content": envelope.content.decode(),
                }
            ),
            flush=True,
        )
        if mode == "drop":
            server.transport.abort()
        return "250 OK: queued as 7"


async def main():
    global mode
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(
            Handler(),
            hostname="mail.test",
            tls_context=context,
            require_starttls=True,
            authenticator=check,
            auth_required=True,
            loop=loop,
        ),
        "127.0.0.1",
        0,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        mode = line.decode().strip()
        print("mode", flush=True)


asyncio.run(main())
