/** The dialog that asks for the password once more, wherever on the page something waits for it. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { wanted } from '../../api/confirmation.ts';
import { confirmPassword, session } from '../../api/session.ts';
import { messageOf } from '../../api/use-ask.ts';
import { Failure, PasswordField } from '../../parts/fields.tsx';
import { t } from '../../texts/texts.ts';

export function ConfirmPassword() {
  return wanted.value ? <Dialog /> : null;
}

function Dialog() {
  const text = t().confirmPassword;
  const dialog = useRef<HTMLDialogElement>(null);
  const [failure, setFailure] = useState('');
  useEffect(() => dialog.current?.showModal(), []);

  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget as HTMLFormElement);
    setFailure('');
    try {
      await confirmPassword(String(fields.get('password')));
    } catch (error) {
      setFailure(messageOf(error));
    }
  };
  const cancel = () => wanted.value?.cancel();

  return (
    <dialog ref={dialog} class="card confirm-password" aria-labelledby="confirm-password" onCancel={cancel}>
      <form class="form" onSubmit={submit}>
        <h2 id="confirm-password">{text.title}</h2>
        <p class="quiet">{text.help}</p>
        <input type="hidden" name="username" autocomplete="username" value={session.value.user?.username} />
        <PasswordField label={text.yours} autocomplete="current-password" canBeShown />
        <Failure text={failure} />
        <div class="form-row">
          <button type="submit" class="button button-main">
            {text.goOn}
          </button>
          <button type="button" class="button" onClick={cancel}>
            {t().common.cancel}
          </button>
        </div>
      </form>
    </dialog>
  );
}
