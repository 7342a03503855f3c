/** What stands around every page: navigation, and whether the values are live. */
import type { ComponentChildren } from 'preact';
import { useLocation } from 'preact-iso/router';
import { session } from './api/session.ts';
import { formatClock, formatSpan } from './format/time.ts';
import { feed, isLive, now_ms, useRoom } from './live/live.ts';
import { Icon, type IconName } from './parts/icons.tsx';
import { t } from './texts/texts.ts';

export function Shell({ children }: { children: ComponentChildren }) {
  return (
    <div class="shell">
      <a class="skip" href="#main">
        {t().shell.skip}
      </a>
      <header class="bar">
        <a class="brand" href="/">
          <BrandMark />
          <span class="brand-name">{t().common.product}</span>
        </a>
        <LinkPill />
      </header>
      <Navigation />
      <main id="main" class="main" tabIndex={-1}>
        <OldBanner />
        {children}
      </main>
    </div>
  );
}

export function BrandMark() {
  return (
    <svg class="brand-mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect x="3" y="18" width="6" height="11" rx="1.5" class="brand-bar" />
      <rect x="13" y="11" width="6" height="18" rx="1.5" class="brand-bar" />
      <rect x="23" y="3" width="6" height="26" rx="1.5" class="brand-bar-weak" />
    </svg>
  );
}

function Navigation() {
  const { path } = useLocation();
  const text = t().shell;
  const isFleet = path === '/' || path.startsWith('/battery/') || path.startsWith('/pack/');
  return (
    <nav class="nav" aria-label={text.navigation}>
      <NavLink href="/" icon="fleet" text={text.fleet} isCurrent={isFleet} />
      <NavLink
        href="/alerts"
        icon="bell"
        text={text.alerts}
        isCurrent={path === '/alerts'}
        badge={<AlertCount />}
      />
      <NavLink href="/system" icon="system" text={text.system} isCurrent={path.startsWith('/system')} />
      <NavLink
        href="/account"
        icon="person"
        text={session.value.user?.username ?? text.account}
        isCurrent={path === '/account'}
      />
    </nav>
  );
}

interface NavLinkProps {
  readonly href: string;
  readonly icon: IconName;
  readonly text: string;
  readonly isCurrent: boolean;
  readonly badge?: ComponentChildren;
}

function NavLink({ href, icon, text, isCurrent, badge }: NavLinkProps) {
  return (
    <a class="nav-link" href={href} aria-current={isCurrent ? 'page' : undefined}>
      <span class="nav-icon">
        <Icon name={icon} size={24} />
        {badge}
      </span>
      <span class="nav-text">{text}</span>
    </a>
  );
}

function AlertCount() {
  const alerts = useRoom<'alerts'>('alerts').value.data?.alerts ?? [];
  const active = alerts.filter(alert => alert.lifecycle === 'active_unacknowledged');
  if (active.length === 0) return null;
  const isCritical = active.some(alert => alert.severity === 'critical');
  const tone = isCritical ? 'critical' : 'warning';
  return (
    <span class={`nav-badge tone-${isLive.value ? tone : 'quiet'}`}>
      {active.length > 99 ? '99+' : active.length}
      <span class="visually-hidden"> {t().shell.activeAlerts(active.length)}</span>
    </span>
  );
}

/** Live, connecting or trying again: in words, with an icon. */
function LinkPill() {
  const { phase } = feed.link.value;
  const text = t().shell;
  if (phase === 'live') {
    return (
      <span class="pill pill-live" role="status">
        <span class="live-dot" aria-hidden="true" />
        {text.live}
      </span>
    );
  }
  return (
    <span class="pill pill-lost" role="status">
      <Icon name="retry" size={16} />
      {phase === 'lost' ? text.reconnecting : text.connecting}
    </span>
  );
}

function OldBanner() {
  if (isLive.value || feed.link.value.phase !== 'lost') return null;
  return (
    <div class="old-banner" role="alert">
      <Icon name="clock" size={22} />
      <div>
        <strong>{t().shell.notLive}</strong> {t().shell.old(<OldSince />)}
      </div>
    </div>
  );
}

function OldSince() {
  const { last_message_ms } = feed.link.value;
  if (last_message_ms === undefined) return null;
  const text = t().shell;
  return (
    <span>
      {text.lastMessage(formatClock(last_message_ms))}{' '}
      <span aria-hidden="true">{text.ago(formatSpan(now_ms.value - last_message_ms))}</span>
    </span>
  );
}
