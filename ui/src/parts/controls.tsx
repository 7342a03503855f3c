/** Small controls used on several pages. */
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { t } from '../texts/texts.ts';

interface SegmentsProps<V extends string> {
  readonly label: string;
  readonly options: readonly { readonly value: V; readonly text: ComponentChildren }[];
  readonly value: V;
  readonly onChange: (value: V) => void;
}

/** One of a few, all visible: radio buttons that look like one switch. */
export function Segments<V extends string>({ label, options, value, onChange }: SegmentsProps<V>) {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">{label}</legend>
      {options.map(option => (
        <label key={option.value} class={option.value === value ? 'segment is-chosen' : 'segment'}>
          <input
            type="radio"
            name={label}
            value={option.value}
            checked={option.value === value}
            onChange={() => onChange(option.value)}
          />
          {option.text}
        </label>
      ))}
    </fieldset>
  );
}

interface SectionProps {
  readonly title: string;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
  readonly class?: string;
}

export function Section({ title, aside, children, class: className = '' }: SectionProps) {
  const id = useId();
  return (
    <section class={`section ${className}`} aria-labelledby={id}>
      <div class="section-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

interface PageHeadProps {
  readonly title: ComponentChildren;
  readonly trail?: readonly { readonly href: string; readonly text: string }[];
  readonly badge?: ComponentChildren;
  readonly children?: ComponentChildren;
}

export function PageHead({ title, trail, badge, children }: PageHeadProps) {
  return (
    <header class="page-head">
      {trail && (
        <nav class="trail" aria-label={t().common.breadcrumb}>
          {trail.map(({ href, text }) => (
            <a key={href} href={href}>
              {text}
            </a>
          ))}
        </nav>
      )}
      <div class="page-title">
        <h1>{title}</h1>
        {badge}
      </div>
      {children && <div class="page-sub">{children}</div>}
    </header>
  );
}
