/** English: who is notified of alerts. */
import type { Slot } from '../slot.ts';
import { countOf } from './words.ts';

export const notifications = {
  loading: 'Loading notifications…',
  failed: 'The notifications could not be loaded',
  receivers: 'Receivers',
  noReceiver: {
    title: 'Nobody is notified',
    /** Around the section of the configuration file. */
    text: (section: Slot): Slot => [
      'Receivers stand in the section ',
      section,
      ' of the configuration file: e-mail, or a webhook.',
    ],
  },
  types: { email: 'E-mail', webhook: 'Webhook' } as Readonly<Record<string, string>>,
  to: (to: string) => `To ${to}`,
  works: 'Works',
  fails: 'Nothing goes through',
  lastSent: (moment: string) => `Last sent ${moment}`,
  neverSent: 'Nothing sent so far',
  waiting: (n: number) => `${countOf.alerts(n)} to be sent`,
  test: 'Send a test',
  testing: 'Sending…',
  accepted: (reply: string) => `Accepted. The answer: ${reply}`,
  refused: (reply: string) => `Not accepted. The answer: ${reply}`,
  answer: (reply: string) => `The answer: ${reply}`,
  log: 'What was notified',
  reload: 'Load again',
  none: 'Nothing so far.',
  digest: 'Digest',
  outcomes: {
    sent: 'Sent',
    waiting: 'Waiting',
    withdrawn: 'Not sent: over before it could be',
    failed: 'Failed',
  } as const,
  attempts: (n: number) => countOf.attempts(n),
  mayHaveArrived: 'Without an answer: it may have arrived, and comes again with the same id',
};
