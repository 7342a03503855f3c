/** The way in. It stands in place of the page asked for, so that page is there once logged in. */
import { useEffect, useState } from 'preact/hooks';
import type { SetupReply } from '../../../core/contract/access.ts';
import { request } from '../api/client.ts';
import { loginError } from '../api/login-error.ts';
import { logIn, session } from '../api/session.ts';
import { Failure, NameField, PasswordField } from '../parts/fields.tsx';
import { Icon } from '../parts/icons.tsx';
import { BrandMark } from '../shell.tsx';
import { t } from '../texts/texts.ts';
import { SetupForm } from './access/setup.tsx';

export function LoginPage() {
  const [setup, setSetup] = useState<SetupReply>();
  const [isSettingUp, setSettingUp] = useState(false);
  const text = t().login;
  useEffect(() => {
    request<SetupReply>('/api/auth/setup').then(
      found => {
        setSetup(found);
        setSettingUp(found.open && found.first);
      },
      // The login says by itself when the gateway does not answer.
      () => undefined,
    );
  }, []);

  return (
    <main class="login">
      <div class="login-brand">
        <BrandMark />
        <h1>{t().common.product}</h1>
      </div>
      {isSettingUp ? <SetupForm isFirst={setup?.first ?? false} /> : <LoginForm />}
      {setup?.open && !setup.first && (
        <button type="button" class="button" onClick={() => setSettingUp(!isSettingUp)}>
          {isSettingUp ? text.backToLogin : text.enterCode}
        </button>
      )}
      {!isSettingUp && <p class="login-hint">{text.hint(<code>bms-gateway setup-code --new</code>)}</p>}
    </main>
  );
}

function LoginForm() {
  const text = t().login;
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    setBusy(true);
    setError('');
    try {
      await logIn({
        username: String(fields.get('username')).trim(),
        password: String(fields.get('password')),
      });
    } catch (failure) {
      setError(loginError(failure));
      setBusy(false);
      const password = form.elements.namedItem('password') as HTMLInputElement;
      password.focus();
      password.select();
    }
  };

  return (
    <form class="card login-form" onSubmit={submit}>
      {session.value.has_expired && !error && (
        <p class="form-note" role="status">
          <Icon name="clock" /> {text.expired}
        </p>
      )}
      <Failure text={error} />
      <NameField />
      <PasswordField label={t().fields.password} autocomplete="current-password" canBeShown />
      <button type="submit" class="button button-main button-wide" disabled={isBusy}>
        {isBusy ? text.loggingIn : text.logIn}
      </button>
    </form>
  );
}
