/** Who is logged in on this device, how the page looks, and the way out. */
import { useState } from 'preact/hooks';
import { logOut, session } from '../api/session.ts';
import { PageHead, Section, Segments } from '../parts/controls.tsx';
import { Icon } from '../parts/icons.tsx';
import { languageChoice, themeChoice } from '../parts/preferences.ts';
import { useTitle } from '../parts/title.ts';
import { Fact } from '../parts/value.tsx';
import { LANGUAGE_CODES, nameOfLanguage } from '../texts/languages.ts';
import { t } from '../texts/texts.ts';
import { PasswordForm } from './access/password.tsx';
import { SessionList } from './access/session-list.tsx';

export function AccountPage() {
  const text = t().account;
  const words = t().roles;
  useTitle(text.title);
  const [failure, setFailure] = useState('');
  const { user } = session.value;
  const leave = () =>
    logOut().catch(error => setFailure(error instanceof Error ? error.message : String(error)));
  return (
    <>
      <PageHead title={text.title} />
      <div class="narrow">
        <Section title={text.loggedInAs} class="card">
          <dl class="list-facts">
            <Fact label={t().fields.username}>{user?.username}</Fact>
            <Fact label={text.role}>
              {user && words.withMeaning(words.words[user.role], words.meanings[user.role])}
            </Fact>
          </dl>
          {failure && (
            <p class="form-error" role="alert">
              {text.logOutFailed(failure)}
            </p>
          )}
          <button type="button" class="button" onClick={() => void leave()}>
            {t().fields.logOut}
          </button>
        </Section>
        <Section title={text.password} class="card">
          {session.value.is_central ? (
            <p class="quiet">{text.central}</p>
          ) : (
            <PasswordForm oldLabel={t().password.old} />
          )}
        </Section>
        <Section title={text.sessions} class="card">
          <SessionList path="/api/auth/sessions" />
        </Section>
        <Section title={text.appearance} class="card">
          <Segments
            label={text.theme}
            value={themeChoice.value}
            onChange={choice => {
              themeChoice.value = choice;
            }}
            options={[
              { value: 'auto', text: <ThemeText icon="auto" text={text.themes.auto} /> },
              { value: 'dark', text: <ThemeText icon="moon" text={text.themes.dark} /> },
              { value: 'light', text: <ThemeText icon="sun" text={text.themes.light} /> },
            ]}
          />
          {LANGUAGE_CODES.length > 1 && <LanguageSwitch />}
          <p class="quiet">{text.keptHere}</p>
        </Section>
      </div>
    </>
  );
}

function LanguageSwitch() {
  const { language, languageAuto } = t().account;
  return (
    <Segments
      label={language}
      value={languageChoice.value}
      onChange={choice => {
        languageChoice.value = choice;
      }}
      options={[
        { value: 'auto', text: languageAuto },
        ...LANGUAGE_CODES.map(value => ({ value, text: <span lang={value}>{nameOfLanguage(value)}</span> })),
      ]}
    />
  );
}

function ThemeText({ icon, text }: { icon: 'auto' | 'moon' | 'sun'; text: string }) {
  return (
    <>
      <Icon name={icon} size={18} /> {text}
    </>
  );
}
