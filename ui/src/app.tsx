/** Session and routes: who is not logged in sees the login, in place, and comes out where they wanted to go. */
import { LocationProvider, Route, Router } from 'preact-iso/router';
import { checkSession, session } from './api/session.ts';
import { ConfirmPassword } from './pages/access/confirm-password.tsx';
import { PasswordDuePage } from './pages/access/password.tsx';
import { AccountPage } from './pages/account.tsx';
import { AlertsPage } from './pages/alerts/alerts.tsx';
import { BatteryPage } from './pages/battery.tsx';
import { FleetPage } from './pages/fleet.tsx';
import { LoginPage } from './pages/login.tsx';
import { PackPage } from './pages/pack/pack.tsx';
import { SystemPage } from './pages/system/system.tsx';
import { NotFound, Notice } from './parts/notice.tsx';
import { Shell } from './shell.tsx';
import { t } from './texts/texts.ts';

export function App() {
  switch (session.value.phase) {
    case 'unknown':
      return (
        <p class="boot" role="status">
          {t().shell.asking}
        </p>
      );
    case 'unreachable':
      return <Unreachable />;
    case 'out':
      return <LoginPage />;
    case 'in':
      return session.value.must_change_password ? <PasswordDuePage /> : <Pages />;
  }
}

function Pages() {
  return (
    <LocationProvider>
      <Shell>
        <Router onRouteChange={focusContent}>
          <Route path="/" component={FleetPage} />
          <Route path="/battery/:id" component={BatteryPage} />
          <Route path="/pack/:id" component={PackPage} />
          <Route path="/alerts" component={AlertsPage} />
          <Route path="/system/:section?" component={SystemPage} />
          <Route path="/account" component={AccountPage} />
          <Route default component={NotFoundPage} />
        </Router>
      </Shell>
      <ConfirmPassword />
    </LocationProvider>
  );
}

/** A new page begins at its content, for keyboards and screen readers too. */
function focusContent(): void {
  document.getElementById('main')?.focus({ preventScroll: true });
}

function NotFoundPage() {
  return <NotFound />;
}

function Unreachable() {
  const { title, text, again } = t().notices.unreachable;
  return (
    <main class="lonely">
      <Notice icon="offline" title={title} tone="critical">
        <p>{text}</p>
        <p>
          <button type="button" class="button button-main" onClick={() => void checkSession()}>
            {again}
          </button>
        </p>
      </Notice>
    </main>
  );
}
