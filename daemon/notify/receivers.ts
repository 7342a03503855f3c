/** The table of receivers. A further one is a file in `receivers/` and its lines here. */
import Type, { type Static } from 'typebox';
import { EmailReceiver, emailReceiver } from './receivers/email.ts';
import type { Receiver, ReceiverContext, ReceiverKind } from './receivers/receiver.ts';
import { WebhookReceiver, webhookReceiver } from './receivers/webhook.ts';

const RECEIVERS = { email: emailReceiver, webhook: webhookReceiver };

export const ReceiverConfig = Type.Union([EmailReceiver, WebhookReceiver]);
export type ReceiverConfig = Static<typeof ReceiverConfig>;

export function receiverKind({ type }: ReceiverConfig): ReceiverKind<ReceiverConfig> {
  return RECEIVERS[type] as unknown as ReceiverKind<ReceiverConfig>;
}

export function makeReceiver(config: ReceiverConfig, context: ReceiverContext): Receiver {
  return receiverKind(config).make(config, context);
}
