/** For administrators: the gateway's clock beside this device's, and the word that it is right. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { systemClock } from '../../../../core/clock/system-clock.ts';
import type { ComponentStatus } from '../../../../core/contract/http.ts';
import { ask } from '../../api/session.ts';
import { messageOf } from '../../api/use-ask.ts';
import { clockDifference } from '../../format/clock-difference.ts';
import { formatClock, formatDay } from '../../format/time.ts';
import { isLive, now_ms } from '../../live/live.ts';
import { Failure, Success } from '../../parts/fields.tsx';
import { Fact } from '../../parts/value.tsx';
import { t } from '../../texts/texts.ts';

/** Stays beside a clock that is certain, so that what was confirmed is still shown. */
export function ConfirmClock({ is_certain }: { is_certain: boolean }) {
  const [isConfirmed, setConfirmed] = useState(false);
  const [isSending, setSending] = useState(false);
  const [failure, setFailure] = useState('');
  const confirmed = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!is_certain) setConfirmed(false);
  }, [is_certain]);
  useEffect(() => {
    // The button that had the focus is gone.
    if (isConfirmed) confirmed.current?.focus();
  }, [isConfirmed]);
  const confirm = async () => {
    setFailure('');
    setSending(true);
    try {
      const body = { client_clock_ms: systemClock.wallMs() };
      await ask<ComponentStatus>('/api/system/clock/confirm', { method: 'POST', body });
      setConfirmed(true);
    } catch (error) {
      setFailure(messageOf(error));
    }
    setSending(false);
  };
  if (isConfirmed) {
    return (
      <div ref={confirmed} tabIndex={-1}>
        <Success>{t().confirmClock.confirmed}</Success>
      </div>
    );
  }
  if (is_certain) return null;
  return (
    <div class="confirm-clock">
      <h4>{t().confirmClock.title}</h4>
      <Clocks />
      <Failure text={failure} />
      <Answer isSending={isSending} onConfirm={() => void confirm()} />
    </div>
  );
}

function Clocks() {
  const text = t().confirmClock;
  const [gateway_ms, device_ms] = [now_ms.value, systemClock.wallMs()];
  return (
    <dl class="list-facts">
      <Fact label={text.thisGateway}>
        <Moment t_ms={gateway_ms} />
      </Fact>
      <Fact label={text.yourDevice}>
        <Moment t_ms={device_ms} />
      </Fact>
      <Fact label={text.difference}>{clockDifference(gateway_ms, device_ms).text}</Fact>
    </dl>
  );
}

function Moment({ t_ms }: { t_ms: number }) {
  return (
    <time class="value" dateTime={new Date(t_ms).toISOString()}>
      {t().times.dayAndTime(formatDay(t_ms), formatClock(t_ms))}
    </time>
  );
}

function Answer({ isSending, onConfirm }: { isSending: boolean; onConfirm: () => void }) {
  const text = t().confirmClock;
  if (!clockDifference(now_ms.value, systemClock.wallMs()).is_small) {
    return <p class="quiet">{text.setFirst(<code>timedatectl set-time</code>)}</p>;
  }
  return (
    <>
      <p class="quiet">{text.help}</p>
      <button type="button" class="button" disabled={isSending || !isLive.value} onClick={onConfirm}>
        {text.confirm}
      </button>
    </>
  );
}
