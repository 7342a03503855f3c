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
        <Success>Confirmed. Times are certain, also of the readings since this box was switched on.</Success>
      </div>
    );
  }
  if (is_certain) return null;
  return (
    <div class="confirm-clock">
      <h4>Is this the right time?</h4>
      <Clocks />
      <Failure text={failure} />
      <Answer isSending={isSending} onConfirm={() => void confirm()} />
    </div>
  );
}

function Clocks() {
  const [gateway_ms, device_ms] = [now_ms.value, systemClock.wallMs()];
  return (
    <dl class="list-facts">
      <Fact label="This gateway">
        <Moment t_ms={gateway_ms} />
      </Fact>
      <Fact label="Your device">
        <Moment t_ms={device_ms} />
      </Fact>
      <Fact label="Difference">{clockDifference(gateway_ms, device_ms).text}</Fact>
    </dl>
  );
}

function Moment({ t_ms }: { t_ms: number }) {
  return (
    <time class="value" dateTime={new Date(t_ms).toISOString()}>
      {formatDay(t_ms)}, {formatClock(t_ms)}
    </time>
  );
}

function Answer({ isSending, onConfirm }: { isSending: boolean; onConfirm: () => void }) {
  if (!clockDifference(now_ms.value, systemClock.wallMs()).is_small) {
    return (
      <p class="quiet">
        If your device is right, set the clock of the gateway first, on the box itself:{' '}
        <code>timedatectl set-time</code>. Then confirm it here.
      </p>
    );
  }
  return (
    <>
      <p class="quiet">
        Where the box has no network time, your word makes its times certain until it is switched off or its
        clock is set. Be sure that your own clock is right.
      </p>
      <button type="button" class="button" disabled={isSending || !isLive.value} onClick={onConfirm}>
        The time is right
      </button>
    </>
  );
}
