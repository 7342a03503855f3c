/** E-mail through a mail server that is not ours (Debian's python3-aiosmtpd): STARTTLS, login, and what goes wrong. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { emailReceiver } from '../../daemon/notify/receivers/email.ts';
import type { Delivery, Outgoing } from '../../daemon/notify/receivers/receiver.ts';
import { makeSelfSigned } from '../../daemon/server/tls/self-signed.ts';

const PYTHON = '/usr/bin/python3';
const SCRIPT = fileURLToPath(new URL('mail_server.py', import.meta.url));
const PASSWORD = 'pass word: "ü"';

const hasServer = spawnSync(PYTHON, ['-c', 'import aiosmtpd']).status === 0;
const canRun = hasServer || process.env.CI === 'true';
if (!canRun) console.log('skipped: e-mail to a real mail server needs the Debian package python3-aiosmtpd');

interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly tls: boolean;
  readonly login: boolean;
  readonly content: string;
}

const directory = mkdtempSync(join(tmpdir(), 'bms-mail-'));
const ca_file = join(directory, 'certificate.pem');
const mails: Mail[] = [];
let server: ChildProcess;
let lines: AsyncIterator<string>;
let port = 0;

async function nextLine(): Promise<string> {
  const { value, done } = await lines.next();
  if (done) throw new Error('the mail server ended');
  return value;
}

/** Resolves once it behaves so; mails that it printed meanwhile are kept. */
async function setMode(mode: string): Promise<void> {
  server.stdin?.write(`${mode}\n`);
  await until('mode');
}

async function until(word: string): Promise<void> {
  for (;;) {
    const line = await nextLine();
    if (line === word) return;
    mails.push(JSON.parse(line));
  }
}

describe.runIf(canRun)('e-mail', () => {
  beforeAll(async () => {
    const valid_from_ms = Date.now() - 86_400_000;
    const pair = makeSelfSigned({
      names: ['127.0.0.1', 'localhost'],
      valid_from_ms,
      valid_until_ms: valid_from_ms + 10 * 86_400_000,
    });
    const key = join(directory, 'key.pem');
    writeFileSync(ca_file, pair.certificate_pem);
    writeFileSync(key, pair.key_pem);
    server = spawn(PYTHON, [SCRIPT, ca_file, key, PASSWORD], { stdio: ['pipe', 'pipe', 'inherit'] });
    lines = createInterface({ input: server.stdout! })[Symbol.asyncIterator]();
    port = Number(await nextLine());
  });
  afterAll(() => {
    server?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  function receiver(fields: object = {}, password: string | undefined = PASSWORD) {
    return emailReceiver.make(
      {
        id: 'office',
        type: 'email',
        host: '127.0.0.1',
        port,
        ca_file,
        user: 'gateway',
        password_from: 'SMTP_PASSWORD',
        from: 'gateway@site.example',
        to: ['ops@site.example', 'boss@site.example'],
        ...fields,
      },
      { secret: name => (name === 'SMTP_PASSWORD' ? password : undefined), wallMs: () => 0 },
    );
  }

  const send = (fields: object = {}, password?: string, message: Partial<Outgoing> = {}): Promise<Delivery> =>
    receiver(fields, password).send({ ...MESSAGE, ...message }, new AbortController().signal);

  test('arrives whole, encrypted and after a login, with a Message-ID of the notification', async () => {
    await setMode('accept');
    mails.length = 0;
    expect(await send()).toEqual({ result: 'accepted', reply: '250 OK: queued as 7' });
    await setMode('accept');
    const [mail] = mails;
    expect(mail).toMatchObject({
      from: 'gateway@site.example',
      to: ['ops@site.example', 'boss@site.example'],
      tls: true,
      login: true,
    });
    const [head, body] = mail.content.split('\r\n\r\n');
    expect(head).toContain('Message-ID: <n-7@site.example>');
    expect(head).toContain('Auto-Submitted: auto-generated');
    expect(head).toMatch(/^X-BMS-Notification-Id: n-7\r$/im);
    expect(head).toContain('Subject: [CRITICAL] North: raised: cell voltage 3.71 V Bcc: evil@example');
    expect(head).not.toMatch(/^Bcc:/im);
    expect(body).toContain('Cell 3 is at 3.71 V');
    expect(mail.content).not.toContain(PASSWORD);
  });

  test('a wrong password, a certificate nobody vouches for, a server without STARTTLS: refused, nothing leaves', async () => {
    await setMode('accept');
    mails.length = 0;
    const wrong = await send({}, 'wrong password');
    expect(wrong).toMatchObject({ result: 'refused', reply: expect.stringMatching(/535/) });
    expect(wrong.reply).not.toContain('wrong password');
    expect(await send({ ca_file: undefined })).toMatchObject({
      result: 'refused',
      reply: expect.stringMatching(/self-signed/),
    });
    const plain = createServer(socket => {
      socket.write('220 plain.test\r\n');
      socket.on('data', data =>
        socket.write(String(data).startsWith('EHLO') ? '250 plain.test\r\n' : '502 no\r\n'),
      );
      socket.on('error', () => {});
    });
    await new Promise<void>(resolve => plain.listen(0, '127.0.0.1', resolve));
    const { port: plain_port } = plain.address() as { port: number };
    expect(await send({ port: plain_port })).toMatchObject({ result: 'refused' });
    plain.close();
    await setMode('accept');
    expect(mails).toEqual([]);
  });

  test('a server that is not there, is busy, or does not want it: refused, with its words', async () => {
    expect(await send({ port: 1 })).toMatchObject({
      result: 'refused',
      reply: expect.stringMatching(/ECONNREFUSED/),
    });
    await setMode('busy');
    expect(await send()).toMatchObject({
      result: 'refused',
      reply: expect.stringMatching(/451 4.3.0 come again/),
    });
    await setMode('refuse');
    expect(await send()).toMatchObject({
      result: 'refused',
      reply: expect.stringMatching(/554 5.7.1 not wanted/),
    });
  });

  test('no answer after the message went over: it may have arrived', async () => {
    await setMode('drop');
    expect(await send()).toMatchObject({ result: 'unknown' });
    await setMode('stall');
    const abort = new AbortController();
    const sending = receiver().send(MESSAGE, abort.signal);
    await until('stalling');
    abort.abort();
    expect(await sending).toMatchObject({ result: 'unknown' });
    await setMode('accept');
  });

  test('without its secret nothing is tried', async () => {
    const none = emailReceiver.make(
      {
        id: 'office',
        type: 'email',
        host: '127.0.0.1',
        port,
        user: 'gateway',
        password_from: 'SMTP_PASSWORD',
        from: 'gateway@site.example',
        to: ['ops@site.example'],
      },
      { secret: () => undefined, wallMs: () => 0 },
    );
    expect(none.fault).toContain('there is no secret "SMTP_PASSWORD"');
    expect(await none.send(MESSAGE, new AbortController().signal)).toMatchObject({ result: 'refused' });
  });
});

const MESSAGE: Outgoing = {
  notification_id: 'n-7',
  kind: 'alerts',
  gateway_id: 'gw',
  site_id: 'site',
  made_ms: Date.UTC(2026, 0, 1),
  subject: '[CRITICAL] North: raised: cell voltage 3.71 V\r\nBcc: evil@example',
  text: 'Cell 3 is at 3.71 V\n.\nQUIT\n',
  alerts: [],
};
