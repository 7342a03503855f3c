/** What of a pack is out of service, and for moderators the way to take all of it out. */
import { useState } from 'preact/hooks';
import type { PackDetail } from '../../../../core/contract/model.ts';
import { atLeast } from '../../api/session.ts';
import { Section } from '../../parts/controls.tsx';
import { ServiceEntry, ServiceForm, useOutOfService } from '../../parts/out-of-service.tsx';
import { t } from '../../texts/texts.ts';

/** Where nobody can miss it; nothing while all is in service. */
export function PackOutOfService({ pack }: { pack: PackDetail }) {
  return (
    <>
      {useOutOfService(pack.id).map(entry => (
        <ServiceEntry key={entry.id} entry={entry} />
      ))}
    </>
  );
}

export function PackService({ pack }: { pack: PackDetail }) {
  const text = t().service;
  const [isAsking, setAsking] = useState(false);
  const isOut = useOutOfService(pack.id).some(({ rule_id }) => rule_id === null);
  if (!atLeast('moderator') || isOut) return null;
  return (
    <Section title={text.title} class="card">
      <p class="quiet">{text.packHelp}</p>
      <button type="button" class="button" aria-expanded={isAsking} onClick={() => setAsking(!isAsking)}>
        {text.takePack}
      </button>
      {isAsking && (
        <ServiceForm
          choices={[{ what: { pack_id: pack.id }, text: text.wholePack }]}
          onDone={() => setAsking(false)}
        />
      )}
    </Section>
  );
}
