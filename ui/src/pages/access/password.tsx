/** A new password for oneself; and the page of those who must choose one before anything else. */
import { useState } from 'preact/hooks';
import { changePassword, logOut, session } from '../../api/session.ts';
import { messageOf } from '../../api/use-ask.ts';
import { Failure, PasswordField, Success } from '../../parts/fields.tsx';
import { useTitle } from '../../parts/title.ts';
import { BrandMark } from '../../shell.tsx';

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
        label="New password, at least 8 characters"
        name="new_password"
        autocomplete="new-password"
        canBeShown
      />
      <Failure text={failure} />
      {isChanged && <Success>Changed. All your other sessions have ended.</Success>}
      <button type="submit" class="button button-main">
        Change password
      </button>
    </form>
  );
}

export function PasswordDuePage() {
  useTitle('New password');
  return (
    <main class="login">
      <div class="login-brand">
        <BrandMark />
        <h1>BMS Gateway</h1>
      </div>
      <div class="card login-form">
        <div>
          <h2>Choose your own password</h2>
          <p class="quiet">
            An administrator gave you the one you came with, {session.value.user?.username}. Nobody but you
            should know the next.
          </p>
        </div>
        <PasswordForm oldLabel="The password you were given" />
      </div>
      <button type="button" class="button" onClick={() => void logOut().catch(() => undefined)}>
        Log out
      </button>
    </main>
  );
}
