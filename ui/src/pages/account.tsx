/** Who is logged in on this device, how the page looks, and the way out. */
import { useState } from 'preact/hooks';
import { logOut, session } from '../api/session.ts';
import { PageHead, Section, Segments } from '../parts/controls.tsx';
import { Icon } from '../parts/icons.tsx';
import { themeChoice } from '../parts/preferences.ts';
import { useTitle } from '../parts/title.ts';
import { Fact } from '../parts/value.tsx';
import { PasswordForm } from './access/password.tsx';
import { ROLE_MEANINGS, ROLE_WORDS } from './access/roles.tsx';
import { SessionList } from './access/session-list.tsx';

export function AccountPage() {
  useTitle('Account');
  const [failure, setFailure] = useState('');
  const { user } = session.value;
  const leave = () =>
    logOut().catch(error => setFailure(error instanceof Error ? error.message : String(error)));
  return (
    <>
      <PageHead title="Account" />
      <div class="narrow">
        <Section title="Logged in as" class="card">
          <dl class="list-facts">
            <Fact label="User name">{user?.username}</Fact>
            <Fact label="Role">{user && `${ROLE_WORDS[user.role]}: ${ROLE_MEANINGS[user.role]}`}</Fact>
          </dl>
          {failure && (
            <p class="form-error" role="alert">
              Logging out failed: {failure}
            </p>
          )}
          <button type="button" class="button" onClick={() => void leave()}>
            Log out
          </button>
        </Section>
        <Section title="Password" class="card">
          {session.value.is_central ? (
            <p class="quiet">
              Your account is kept at the centre, for all gateways. The administrator there changes the
              password.
            </p>
          ) : (
            <PasswordForm oldLabel="Old password" />
          )}
        </Section>
        <Section title="Sessions" class="card">
          <SessionList path="/api/auth/sessions" />
        </Section>
        <Section title="Appearance" class="card">
          <Segments
            label="Theme"
            value={themeChoice.value}
            onChange={choice => {
              themeChoice.value = choice;
            }}
            options={[
              { value: 'auto', text: <ThemeText icon="auto" text="As device" /> },
              { value: 'dark', text: <ThemeText icon="moon" text="Dark" /> },
              { value: 'light', text: <ThemeText icon="sun" text="Light" /> },
            ]}
          />
          <p class="quiet">Kept on this device.</p>
        </Section>
      </div>
    </>
  );
}

function ThemeText({ icon, text }: { icon: 'auto' | 'moon' | 'sun'; text: string }) {
  return (
    <>
      <Icon name={icon} size={18} /> {text}
    </>
  );
}
