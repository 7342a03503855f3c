/** A new password for oneself; and the page of those who must choose one before anything else. */
import { useState } from 'preact/hooks';
import { changePassword, logOut, session } from '../../api/session.ts';
import { messageOf } from '../../api/use-ask.ts';
import { Failure, PasswordField, Success } from '../../parts/fields.tsx';
import { useTitle } from '../../parts/title.ts';
import { BrandMark } from '../../shell.tsx';
import { t } from '../../texts/texts.ts';

export function PasswordForm({ oldLabel }: { oldLabel: string }) {
  const [failure, setFailure] = useState('');
  const [isChanged, setChanged] = useState(false);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const fields = new FormData(form);
    setFailure('');
    setChanged(false);
    try {
      await changePassword({
        old_password: String(fields.get('old_password')),
        new_password: String(fields.get('new_password')),
      });
      form.reset();
      setChanged(true);
    } catch (error) {
      setFailure(messageOf(error));
    }
  };

  return (
    <form class="form" onSubmit={submit}>
      {/* For password managers: whose password this is. */}
      <input type="hidden" name="username" autocomplete="username" value={session.value.user?.username} />
      <PasswordField label={oldLabel} name="old_password" autocomplete="current-password" />
      <PasswordField
        label={t().fields.newPassword}
        name="new_password"
        autocomplete="new-password"
        canBeShown
      />
      <Failure text={failure} />
      {isChanged && <Success>{t().password.changed}</Success>}
      <button type="submit" class="button button-main">
        {t().password.change}
      </button>
    </form>
  );
}

export function PasswordDuePage() {
  const text = t().password;
  useTitle(text.dueTitle);
  return (
    <main class="login">
      <div class="login-brand">
        <BrandMark />
        <h1>{t().common.product}</h1>
      </div>
      <div class="card login-form">
        <div>
          <h2>{text.due}</h2>
          <p class="quiet">{text.dueHelp(session.value.user?.username ?? '')}</p>
        </div>
        <PasswordForm oldLabel={text.given} />
      </div>
      <button type="button" class="button" onClick={() => void logOut().catch(() => undefined)}>
        {t().fields.logOut}
      </button>
    </main>
  );
}
