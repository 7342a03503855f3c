/** The first administrator, or a lost one recovered: a set-up code, a name and a password. */
import { useState } from 'preact/hooks';
import { ApiError } from '../../api/client.ts';
import { loginError } from '../../api/login-error.ts';
import { setUp } from '../../api/session.ts';
import { Failure, NameField, PasswordField } from '../../parts/fields.tsx';
import { t } from '../../texts/texts.ts';

const CODE_SHAPE = 'xxxx-xxxx-xxxx';

export function SetupForm({ isFirst }: { isFirst: boolean }) {
  const words = t().setup;
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
        <h2>{isFirst ? words.first : words.recover}</h2>
        <p class="quiet">{isFirst ? words.firstHelp : words.recoverHelp}</p>
      </div>
      <Failure text={error} />
      <label class="field">
        <span>{words.code}</span>
        <input
          name="code"
          class="code-input"
          required
          maxLength={64}
          placeholder={CODE_SHAPE}
          autocomplete="one-time-code"
          autocapitalize="none"
          spellcheck={false}
        />
      </label>
      <p class="quiet">{words.whereCode(<code>bms-gateway setup-code</code>)}</p>
      <NameField isNew />
      <PasswordField label={t().fields.firstPassword} autocomplete="new-password" canBeShown />
      <button type="submit" class="button button-main button-wide" disabled={isBusy}>
        {isBusy ? words.busy : isFirst ? words.doFirst : words.doRecover}
      </button>
    </form>
  );
}
