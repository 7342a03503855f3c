/** Which alerts the page lists, as its address says: kept on reload, by a bookmark and on the way back. */

export interface AlertFilter {
  /** `open`: not yet back to normal. */
  readonly state: 'open' | 'shelved' | 'out_of_service' | 'cleared' | 'figures';
  /** Whose: everybody's, or only those of the gateway itself. */
  readonly about: 'all' | 'gateway';
}

const STATES = ['open', 'shelved', 'out_of_service', 'cleared', 'figures'] as const;

/** What the address does not say, or says wrongly, is as at first. */
export function alertFilter(query: Readonly<Record<string, string>>): AlertFilter {
  return {
    state: STATES.find(state => state === query.state) ?? 'open',
    about: query.about === 'gateway' ? 'gateway' : 'all',
  };
}

/** Of the page; what is as at first is left out. */
export function alertsHref({ state, about }: AlertFilter): string {
  const query = [state !== 'open' && `state=${state}`, about === 'gateway' && 'about=gateway'];
  const wanted = query.filter(Boolean).join('&');
  return wanted ? `/alerts?${wanted}` : '/alerts';
}

/** The first page of cleared alerts in the API. */
export function clearedPath(about: AlertFilter['about']): string {
  return `/api/alerts?state=cleared&limit=100${about === 'gateway' ? '&about=gateway' : ''}`;
}

/** An alert of the gateway itself is of no battery. */
export function isAbout(about: AlertFilter['about'], alert: { readonly battery_id: string | null }): boolean {
  return about === 'all' || alert.battery_id === null;
}
