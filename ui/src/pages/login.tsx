/** The login. It stands in place of the page asked for, so that page is there once logged in. */
import { useRef, useState } from 'preact/hooks';
import { loginError } from '../api/login-error.ts';
import { logIn, session } from '../api/session.ts';
import { Icon } from '../parts/icons.tsx';
import { BrandMark } from '../shell.tsx';

export function LoginPage() {
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);
  const password = useRef<HTMLInputElement>(null);

  const show = (isShown: boolean) => {
    if (password.current) password.current.type = isShown ? 'text' : 'password';
  };

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setError('');
    try {
      await logIn({ username: String(form.get('username')).trim(), password: String(form.get('password')) });
    } catch (failure) {
      setError(loginError(failure));
      setBusy(false);
      password.current?.focus();
      password.current?.select();
    }
  };

  return (
    <main class="login">
      <div class="login-brand">
        <BrandMark />
        <h1>BMS Gateway</h1>
      </div>
      <form class="card login-form" onSubmit={submit}>
        {session.value.has_expired && !error && (
          <p class="form-note" role="status">
            <Icon name="clock" /> Your session has ended. Log in to go on where you were.
          </p>
        )}
        {error && (
          <p class="form-error" role="alert">
            <Icon name="octagon" /> {error}
          </p>
        )}
        <label class="field">
          <span>User name</span>
          <input
            name="username"
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
            maxLength={64}
          />
        </label>
        <label class="field">
          <span>Password</span>
          <input
            ref={password}
            name="password"
            type="password"
            autocomplete="current-password"
            required
            maxLength={1024}
          />
        </label>
        <label class="check">
          <input type="checkbox" onChange={event => show(event.currentTarget.checked)} />
          <span>Show password</span>
        </label>
        <button type="submit" class="button button-main button-wide" disabled={isBusy}>
          {isBusy ? 'Logging in…' : 'Log in'}
        </button>
      </form>
      <p class="login-hint">
        First time here? The gateway printed the password of user <code>admin</code> when it was started for
        the first time. Other accounts come from your administrator.
      </p>
    </main>
  );
}
