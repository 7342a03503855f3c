/**
 * Mistakes that a program could have, each made on purpose between the product and its storage, or at the centre: the
 * simulation must find every one (alert-mistakes.test.ts).
 */
import type { Alert } from '../../core/alerts/alert.ts';
import type { StoredNotification } from '../../daemon/notify/stored-notification.ts';
import type { Store } from '../../daemon/store/store.ts';

export const ALERT_MISTAKES = [
  'change_not_stored',
  'alert_lost_at_restart',
  'alerts_begin_again',
  'acknowledgement_lost',
  'shelving_lost',
  'notes_lost',
  'delays_begin_again',
  'delay_skipped',
  'sending_not_stored',
  'sent_not_stored',
  'notified_forgotten',
  'new_id_at_restart',
  'lost_answer_taken_for_yes',
  'lost_answer_taken_for_no',
  'acknowledged_escalated',
  'shelved_notified',
  'centre_lacks_event',
  'centre_keeps_old_state',
  'centre_forgets_who',
] as const;
export type AlertMistake = (typeof ALERT_MISTAKES)[number];

type AlertStore = Pick<Store, 'appendAlert' | 'alerts' | 'pastAlerts' | 'documents' | 'flush'>;

export function mistaken(mistake: AlertMistake | undefined, store: AlertStore) {
  const { documents } = store;
  let changes = 0;
  const change = (alert: Alert): Alert => {
    if (mistake === 'acknowledgement_lost') return { ...alert, acknowledged: null };
    if (mistake === 'shelving_lost') return { ...alert, shelved: null };
    return mistake === 'notes_lost' ? { ...alert, notes: [] } : alert;
  };
  return {
    ...store,
    appendAlert(alert: Alert) {
      changes++;
      if (mistake !== 'change_not_stored' || changes % 5 !== 0) store.appendAlert(alert);
    },
    async alerts(request: Parameters<AlertStore['alerts']>[0]) {
      const found = (await store.alerts(request)).map(change);
      if (mistake === 'alerts_begin_again') return [];
      return mistake === 'alert_lost_at_restart' ? found.slice(1) : found;
    },
    documents: {
      ...documents,
      get: async (kind: string, id: string) =>
        mistake === 'delays_begin_again' && kind === 'alerts' ? undefined : documents.get(kind, id),
      async list(kind: string) {
        const found = await documents.list(kind);
        if (kind !== 'notification') return found;
        if (mistake === 'notified_forgotten') return [];
        if (mistake !== 'new_id_at_restart') return found;
        return found.map(({ id, body }) => {
          const { state, id: known } = body as StoredNotification;
          return { id, body: { ...(body as object), id: state === 'sent' ? known : `${known}-again` } };
        });
      },
    },
    /** As the notifier sees what is open. */
    announced(open: readonly Alert[]): readonly Alert[] {
      if (mistake === 'acknowledged_escalated') return open.map(alert => ({ ...alert, acknowledged: null }));
      return mistake === 'shelved_notified' ? open.map(alert => ({ ...alert, shelved: null })) : open;
    },
  };
}

/** A document of the notifier that is called stored, and is not. */
export function isLeftOut(
  mistake: AlertMistake | undefined,
  stored: StoredNotification | undefined,
): boolean {
  if (mistake === 'sending_not_stored') return stored?.state === 'sending';
  return mistake === 'sent_not_stored' && stored?.state === 'sent';
}

/** What is changed at the centre behind the back of the gateway. */
export const AT_CENTRE: { readonly [M in AlertMistake]?: string } = {
  centre_lacks_event:
    'DELETE FROM alert_events WHERE gateway_id = $1 AND seq = (SELECT max(seq) FROM alert_events WHERE gateway_id = $1)',
  centre_keeps_old_state: `UPDATE alerts SET lifecycle = 'active_unacknowledged', occurrences = 1 WHERE gateway_id = $1`,
  centre_forgets_who: 'UPDATE alert_events SET changed_by = NULL WHERE gateway_id = $1',
};
