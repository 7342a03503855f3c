/** Alerts: what needs somebody now, what is on the shelf, and what was. */
import { useLocation } from 'preact-iso/router';
import type { AlertView } from '../../../../core/contract/model.ts';
import { atLeast } from '../../api/session.ts';
import { type AlertFilter, alertFilter, alertsHref, isAbout } from '../../format/alert-filter.ts';
import { isOutOfService, isPutAway, mostUrgentFirst } from '../../format/alert-order.ts';
import { useRoom } from '../../live/live.ts';
import { PageHead, Segments } from '../../parts/controls.tsx';
import { Notice, RoomView } from '../../parts/notice.tsx';
import { useTitle } from '../../parts/title.ts';
import { t } from '../../texts/texts.ts';
import { AlertFigures } from './alert-figures.tsx';
import { AlertList } from './alert-row.tsx';
import { OutOfService } from './out-of-service.tsx';
import { ClearedAlerts } from './past-alerts.tsx';

export function AlertsPage() {
  const text = t().alerts;
  useTitle(text.title);
  const { query, route } = useLocation();
  const filter = alertFilter(query);
  const room = useRoom<'alerts'>('alerts');
  const open = room.value.data?.alerts.filter(alert => !isPutAway(alert) && !isOutOfService(alert));
  const shelved = room.value.data?.alerts.filter(isPutAway);
  const out = room.value.data?.alerts.filter(isOutOfService);
  const entries = room.value.data?.out_of_service;
  const listed = filter.state === 'open' ? open : filter.state === 'shelved' ? shelved : undefined;
  const show = (change: Partial<AlertFilter>) => route(alertsHref({ ...filter, ...change }), true);
  return (
    <>
      <PageHead title={text.title} />
      <div class="toolbar">
        <Segments
          label={text.which}
          value={filter.state}
          onChange={state => show({ state })}
          options={[
            { value: 'open', text: <Counted text={text.open} of={open} about={filter.about} /> },
            { value: 'shelved', text: <Counted text={text.shelved} of={shelved} about={filter.about} /> },
            {
              value: 'out_of_service',
              text: <Counted text={t().service.badge} of={entries} about={filter.about} />,
            },
            { value: 'cleared', text: text.cleared },
            ...(atLeast('moderator') ? [{ value: 'figures' as const, text: text.performance }] : []),
          ]}
        />
        {atLeast('moderator') && filter.state !== 'figures' && (
          <About filter={filter} listed={listed} onChange={about => show({ about })} />
        )}
      </div>
      {filter.about === 'gateway' && !atLeast('moderator') ? (
        <NotForYou />
      ) : filter.state === 'figures' && atLeast('moderator') ? (
        <AlertFigures />
      ) : filter.state === 'cleared' ? (
        <ClearedAlerts key={filter.about} about={filter.about} changed_ms={room.value.t_ms} />
      ) : (
        <RoomView room={room} place={text.list}>
          {() =>
            filter.state === 'out_of_service' ? (
              <OutOfService
                entries={(entries ?? []).filter(entry => isAbout(filter.about, entry))}
                alerts={(out ?? []).filter(alert => isAbout(filter.about, alert)).sort(mostUrgentFirst)}
              />
            ) : (
              <OpenAlerts alerts={listed ?? []} filter={filter} />
            )
          }
        </RoomView>
      )}
    </>
  );
}

interface AboutProps {
  readonly filter: AlertFilter;
  readonly listed: readonly AlertView[] | undefined;
  readonly onChange: (about: AlertFilter['about']) => void;
}

/** How many there are is known of open ones only. */
function About({ filter, listed, onChange }: AboutProps) {
  const text = t().alerts;
  return (
    <Segments
      label={text.whose}
      value={filter.about}
      onChange={onChange}
      options={[
        { value: 'all', text: <Counted text={text.all} of={listed} about="all" /> },
        { value: 'gateway', text: <Counted text={text.gateway} of={listed} about="gateway" /> },
      ]}
    />
  );
}

interface CountedProps {
  readonly text: string;
  readonly of: readonly Pick<AlertView, 'battery_id'>[] | undefined;
  readonly about: AlertFilter['about'];
}

function Counted({ text, of, about }: CountedProps) {
  return (
    <>
      {text}
      {of && <span class="segment-count">{of.filter(alert => isAbout(about, alert)).length}</span>}
    </>
  );
}

function NotForYou() {
  const { title, text, show } = t().alerts.forbidden;
  return (
    <Notice icon="octagon" title={title} tone="warning">
      <p>{text}</p>
      <p>
        <a class="button" href="/alerts">
          {show}
        </a>
      </p>
    </Notice>
  );
}

interface OpenAlertsProps {
  readonly alerts: readonly AlertView[];
  readonly filter: AlertFilter;
}

function OpenAlerts({ alerts, filter: { state, about } }: OpenAlertsProps) {
  const sorted = alerts.filter(alert => isAbout(about, alert)).sort(mostUrgentFirst);
  if (sorted.length > 0) return <AlertList alerts={sorted} />;
  const { none, noneShelved, noneOfGateway } = t().alerts;
  if (state === 'shelved') {
    return (
      <Notice icon="clock" title={noneShelved.title} tone="quiet">
        <p>{noneShelved.text}</p>
      </Notice>
    );
  }
  if (about === 'all') {
    return (
      <Notice icon="check" title={none.title} tone="ok">
        <p>{none.text}</p>
      </Notice>
    );
  }
  return (
    <Notice icon="check" title={noneOfGateway.title} tone="ok">
      <p>{noneOfGateway.text}</p>
      {alerts.length > 0 && (
        <p>
          <a class="button" href="/alerts">
            {noneOfGateway.showOthers(alerts.length)}
          </a>
        </p>
      )}
    </Notice>
  );
}
