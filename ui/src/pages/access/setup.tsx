/** The first administrator, or a lost one recovered: a set-up code, a name and a password. */
import { useState } from 'preact/hooks';
import { ApiError } from '../../api/client.ts';
import { loginError } from '../../api/login-error.ts';
import { setUp } from '../../api/session.ts';
import { Failure, NameField, PasswordField } from '../../parts/fields.tsx';

export function SetupForm({ isFirst }: { isFirst: boolean }) {
  const [error, setError] = useState('');
  const [isBusy, setBusy] = useState(false);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(fields.get(name)).trim();
    setBusy(true);
    setError('');
    try {
      await setUp({
        code: text('code'),
        username: text('username'),
        password: String(fields.get('password')),
      });
    } catch (failure) {
      setError(failure instanceof ApiError && failure.status < 429 ? failure.message : loginError(failure));
      setBusy(false);
    }
  };

  return (
    <form class="card login-form" onSubmit={submit}>
      <div>
        <h2>{isFirst ? 'Set up this gateway' : 'Recover an administrator'}</h2>
        <p class="quiet">
          {isFirst
            ? 'Nobody can log in yet. Whoever has the set-up code becomes its administrator.'
            : 'The code makes a new administrator, or gives an account of this name a new password.'}
        </p>
      </div>
      <Failure text={error} />
      <label class="field">
        <span>Set-up code</span>
        <input
          name="code"
          class="code-input"
          required
          maxLength={64}
          placeholder="xxxx-xxxx-xxxx"
          autocomplete="one-time-code"
          autocapitalize="none"
          spellcheck={false}
        />
      </label>
      <p class="quiet">
        It stands in the gateway’s journal, and <code>bms-gateway setup-code</code> shows it on the gateway.
      </p>
      <NameField isNew />
      <PasswordField label="Password, at least 8 characters" autocomplete="new-password" canBeShown />
      <button type="submit" class="button button-main button-wide" disabled={isBusy}>
        {isBusy ? 'Setting up…' : isFirst ? 'Set up' : 'Recover'}
      </button>
    </form>
  );
}
