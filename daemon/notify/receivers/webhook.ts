/** A webhook: JSON by POST, signed. docs/notifications.md says how the signature is verified. */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { resolve } from 'node:path';
import Type, { type Static } from 'typebox';
import { describeError } from '../../../core/errors.ts';
import { lookupAllowed } from './allowed-addresses.ts';
import { closed, receiverFields, SecretName } from './fields.ts';
import { type Delivery, noSecret, type Outgoing, type ReceiverKind, withoutSecrets } from './receiver.ts';

const TIMEOUT_MS = 10_000;
/** Of a reply this much is read, for the log. */
const MAX_REPLY_BYTES = 2000;

export const WebhookReceiver = Type.Object(
  {
    ...receiverFields,
    type: Type.Literal('webhook', { description: 'JSON by HTTP POST, signed' }),
    url: Type.String({
      pattern: '^https?://[^\\s@]{1,1900}$',
      title: 'a URL that begins with http:// or https://, without a user',
      description:
        'Where to; never loopback, link-local, multicast or unspecified addresses, unless the URL names the address itself; redirects are not followed',
    }),
    secret_from: SecretName(
      'Where the secret of the signature is: a file in the credentials directory, or an environment variable',
    ),
    ca_file: Type.Optional(
      Type.String({
        minLength: 1,
        description:
          'PEM of the authority that signed the certificate of the server, where it is one of your own',
      }),
    ),
    timeout_ms: Type.Optional(
      Type.Integer({
        minimum: 100,
        maximum: 60_000,
        description: `From connecting to the reply (default ${TIMEOUT_MS})`,
      }),
    ),
  },
  closed,
);
export type WebhookReceiver = Static<typeof WebhookReceiver>;

export const webhookReceiver: ReceiverKind<WebhookReceiver> = {
  schema: WebhookReceiver,
  secrets: ({ secret_from }) => [{ key: 'secret_from', name: secret_from }],
  prepare: (config, directory) =>
    config.ca_file === undefined ? config : { ...config, ca_file: resolve(directory, config.ca_file) },
  findings: ({ url }) =>
    URL.canParse(url) ? [] : [{ key: 'url', found: 'text that is not a URL', expected: 'https://host/path' }],
  make(config, { secret, wallMs }) {
    const key = secret(config.secret_from);
    const fault = key === undefined ? noSecret(config.secret_from) : undefined;
    return {
      to: new URL(config.url).host,
      fault,
      async send(message, signal) {
        if (key === undefined) return { result: 'refused', reply: noSecret(config.secret_from) };
        try {
          const delivery = await post(config, key, message, signal, wallMs());
          return { ...delivery, reply: withoutSecrets(delivery.reply, [key]) };
        } catch (error) {
          // A certificate that is gone, a header that cannot be sent: nothing has left.
          return { result: 'refused', reply: withoutSecrets(describeError(error), [key]) };
        }
      },
    };
  },
};

/** The body of a message; the same bytes in every copy. */
export function bodyOf(message: Outgoing): string {
  const { notification_id, kind, gateway_id, site_id, made_ms, subject, text, alerts } = message;
  return JSON.stringify({ notification_id, kind, gateway_id, site_id, made_ms, subject, text, alerts });
}

/** HMAC-SHA-256, in hexadecimal digits, over the time stamp, a dot, and the body. */
export function signatureOf(key: string, timestamp: string, body: string): string {
  return createHmac('sha256', key).update(`${timestamp}.${body}`).digest('hex');
}

function post(
  { url, ca_file, timeout_ms = TIMEOUT_MS }: WebhookReceiver,
  key: string,
  message: Outgoing,
  signal: AbortSignal,
  wall_ms: number,
): Promise<Delivery> {
  const body = bodyOf(message);
  const timestamp = String(Math.floor(wall_ms / 1000));
  const isTls = url.startsWith('https:');
  const ca = isTls && ca_file !== undefined ? readFileSync(ca_file) : undefined;
  return new Promise(done => {
    let is_connected = false;
    const request = (isTls ? requestHttps : requestHttp)(url, {
      method: 'POST',
      // No connection is kept: whoever is asked rarely forgets the old ones.
      agent: false,
      lookup: lookupAllowed(),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]),
      ...(ca && { ca }),
      minVersion: 'TLSv1.2',
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        'user-agent': 'bms-gateway',
        'bms-notification-id': message.notification_id,
        'bms-timestamp': timestamp,
        'bms-signature': `sha256=${signatureOf(key, timestamp, body)}`,
      },
    });
    // Until then nothing of the body has left.
    request.once('socket', socket => {
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        is_connected = true;
      });
    });
    request.once('error', error => {
      const cause = signal.aborted
        ? 'the gateway stopped'
        : error.name === 'TimeoutError' || (error as { code?: string }).code === 'ABORT_ERR'
          ? `no reply within ${timeout_ms} ms`
          : describeError(error);
      done({ result: is_connected ? 'unknown' : 'refused', reply: cause });
    });
    request.once('response', response => {
      readSome(response).then(text => done(deliveryOf(response, text)));
    });
    request.end(body);
  });
}

function deliveryOf({ statusCode: status = 0, headers }: IncomingMessage, text: string): Delivery {
  const answer = `HTTP ${status}${text ? `: ${text}` : ''}`;
  if (status >= 200 && status < 300) return { result: 'accepted', reply: answer };
  if (status >= 300 && status < 400)
    return {
      result: 'refused',
      reply: `HTTP ${status}: a redirect to ${headers.location ?? 'nowhere'}, which is not followed`,
    };
  // What stands behind a proxy that fails may have taken it all the same.
  return { result: status >= 500 ? 'unknown' : 'refused', reply: answer };
}

/** Whatever comes of it; the status has arrived, and decides. */
function readSome(response: IncomingMessage): Promise<string> {
  return new Promise(done => {
    let text = '';
    const end = () => done(text.slice(0, 200));
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_REPLY_BYTES) response.destroy();
    });
    response.once('end', end);
    response.once('error', end);
    response.once('close', end);
  });
}
