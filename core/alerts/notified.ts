/** What people and programs are notified of an alert. */
export const NOTIFIED_EVENTS = ['raised', 'worsened', 'escalated', 'recovered'] as const;
export type NotifiedEvent = (typeof NOTIFIED_EVENTS)[number];
