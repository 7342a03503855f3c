/** E-mail by SMTP. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { NodemailerError } from 'nodemailer';
import Type, { type Static } from 'typebox';
import { describeError } from '../../../core/errors.ts';
import { closed, receiverFields, SecretName } from './fields.ts';
import { noSecret, type Outgoing, type ReceiverKind, withoutSecrets } from './receiver.ts';

const TIMEOUT_MS = 30_000;
/** From the first packet to the last; a server that says a word now and then never ends else. */
const WHOLE_TIMEOUT_MS = 60_000;

const ADDRESS = '^[^\\s<>@,;:"]{1,64}@[^\\s<>@,;:"]{1,253}$';
const Address = (description: string) =>
  Type.String({ pattern: ADDRESS, title: 'an e-mail address', description });

export const EmailReceiver = Type.Object(
  {
    ...receiverFields,
    type: Type.Literal('email', { description: 'E-mail by SMTP' }),
    host: Type.String({ minLength: 1, maxLength: 253, description: 'Mail server' }),
    port: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_535, description: 'Default 587, with `security: tls` 465' }),
    ),
    security: Type.Optional(
      Type.Enum(['starttls', 'tls', 'none'], {
        description:
          'starttls: encrypted after the greeting, or nothing is sent; tls: from the first byte; none: readable on the network, for a relay on this machine (default starttls)',
      }),
    ),
    ca_file: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'PEM of the authority that signed the certificate of the server, where it is one of your own',
      }),
    ),
    user: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Name for the login' })),
    password_from: Type.Optional(
      SecretName('Where its password is: a file in the credentials directory, or an environment variable'),
    ),
    from: Address('Sender'),
    to: Type.Array(Address('Recipient'), { minItems: 1, maxItems: 50, description: 'Recipients' }),
  },
  closed,
);
export type EmailReceiver = Static<typeof EmailReceiver>;

export const emailReceiver: ReceiverKind<EmailReceiver> = {
  schema: EmailReceiver,
  secrets: ({ password_from }) =>
    password_from === undefined ? [] : [{ key: 'password_from', name: password_from }],
  prepare: (config, directory) =>
    config.ca_file === undefined ? config : { ...config, ca_file: resolve(directory, config.ca_file) },
  findings({ user, password_from, security }) {
    if (user !== undefined && password_from === undefined)
      return [{ key: 'user', found: 'a user without a password', expected: '`password_from` beside it' }];
    if (user === undefined && password_from !== undefined)
      return [{ key: 'password_from', found: 'a password without a user', expected: '`user` beside it' }];
    if (user !== undefined && security === 'none')
      return [{ key: 'security', found: 'none', expected: 'starttls or tls, where there is a password' }];
    return [];
  },
  make(config, { secret }) {
    const { password_from, to, host } = config;
    const password = password_from === undefined ? undefined : secret(password_from);
    const fault = password_from !== undefined && password === undefined ? noSecret(password_from) : undefined;
    return {
      to: `${to.join(', ')} by ${host}`,
      fault,
      async send(message, signal) {
        if (fault !== undefined) return { result: 'refused', reply: fault };
        const handed = { over: false };
        try {
          const reply = await submit(config, password, message, signal, handed);
          return { result: 'accepted', reply: withoutSecrets(reply, [password]) };
        } catch (error) {
          // A refusal is an answer; without one it counts whether the server had asked for the message.
          const isAnswered = (error as NodemailerError).responseCode !== undefined;
          const result = handed.over && !isAnswered ? 'unknown' : 'refused';
          return { result, reply: withoutSecrets(describeError(error), [password]) };
        }
      },
    };
  },
};

async function submit(
  { host, port, security = 'starttls', ca_file, user, from, to }: EmailReceiver,
  pass: string | undefined,
  message: Outgoing,
  signal: AbortSignal,
  handed: { over: boolean },
): Promise<string> {
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host,
    port: port ?? (security === 'tls' ? 465 : 587),
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(user !== undefined && { auth: { user, pass: pass ?? '' }, forceAuth: true }),
    // A relay on this machine alone: without it no address family counts while the network is down.
    allowInternalNetworkInterfaces: true,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    dnsTimeout: TIMEOUT_MS,
    tls: { minVersion: 'TLSv1.2', ...(ca_file !== undefined && { ca: readFileSync(ca_file) }) },
    disableFileAccess: true,
    disableUrlAccess: true,
    // Nothing is logged: from here comes that the server asks for the message.
    transactionLog: true,
    logger: watchFor354(() => {
      handed.over = true;
    }),
  });
  const ended = AbortSignal.any([signal, AbortSignal.timeout(WHOLE_TIMEOUT_MS)]);
  try {
    const sent = await transport.sendMail({
      from,
      to,
      subject: message.subject,
      text: message.text,
      messageId: `<${message.notification_id}@${from.slice(from.lastIndexOf('@') + 1)}>`,
      date: new Date(message.made_ms),
      headers: {
        'Auto-Submitted': 'auto-generated',
        'X-BMS-Notification-Id': message.notification_id,
        'X-BMS-Gateway-Id': message.gateway_id,
      },
      signal: ended,
    });
    const { response, rejected = [] } = sent;
    const left_out = rejected.length > 0 ? `; not to ${rejected.map(String).join(', ')}` : '';
    return `${response}${left_out}`;
  } finally {
    transport.close();
  }
}

/** RFC 5321, section 4.3.2: 354 is the reply to DATA, after which the message goes over. */
function watchFor354(on354: () => void) {
  const ignore = () => {};
  const debug = (entry: unknown, text: unknown) => {
    const { tnx } = entry as { tnx?: string };
    if (tnx === 'server' && String(text).startsWith('354')) on354();
  };
  return { trace: ignore, debug, info: ignore, warn: ignore, error: ignore, fatal: ignore, level: ignore };
}
