/** Fields that several forms share, and how a form says what went wrong or well. */
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import { t } from '../texts/texts.ts';
import { Icon } from './icons.tsx';

/** The name of a user; a new one has a form of its own. */
export function NameField({ isNew = false }: { isNew?: boolean }) {
  const form = isNew
    ? {
        pattern: '[a-z0-9][a-z0-9_.\\-]{0,31}',
        title: t().fields.nameRule,
      }
    : { maxLength: 64 };
  return (
    <label class="field">
      <span>{t().fields.username}</span>
      <input
        name="username"
        required
        autocomplete="username"
        autocapitalize="none"
        spellcheck={false}
        {...form}
      />
    </label>
  );
}

interface PasswordFieldProps {
  readonly label: string;
  readonly name?: string;
  readonly autocomplete: 'current-password' | 'new-password';
  readonly isRequired?: boolean;
  /** With a switch that shows it: gloves and small keys make many mistakes. */
  readonly canBeShown?: boolean;
}

export function PasswordField(props: PasswordFieldProps) {
  const { label, name = 'password', autocomplete, isRequired = true, canBeShown = false } = props;
  const input = useRef<HTMLInputElement>(null);
  const show = (isShown: boolean) => {
    if (input.current) input.current.type = isShown ? 'text' : 'password';
  };
  return (
    <>
      <label class="field">
        <span>{label}</span>
        <input
          ref={input}
          name={name}
          type="password"
          required={isRequired}
          minLength={autocomplete === 'new-password' ? 8 : undefined}
          maxLength={1024}
          autocomplete={autocomplete}
        />
      </label>
      {canBeShown && (
        <label class="check">
          <input type="checkbox" onChange={event => show(event.currentTarget.checked)} />
          <span>{t().fields.showPassword}</span>
        </label>
      )}
    </>
  );
}

export function Failure({ text }: { text: string }) {
  if (!text) return null;
  return (
    <p class="form-error" role="alert">
      <Icon name="octagon" /> {text}
    </p>
  );
}

export function Success({ children }: { children: ComponentChildren }) {
  return (
    <p class="form-good" role="status">
      <Icon name="check" /> <span>{children}</span>
    </p>
  );
}
