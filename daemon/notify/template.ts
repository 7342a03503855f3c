/** Templates of notifications: fields in braces are replaced, and nothing else. */

export const TEMPLATE_FIELDS = {
  site: 'name of the site',
  gateway_id: 'name of the gateway',
  battery: 'name of the battery; "Gateway" for alerts of the gateway itself, "Several batteries" for several',
  severity: 'the worst of those in it: CRITICAL, WARNING, INFO',
  event: 'what has happened: raised, worse, not acknowledged, recovered; or `digest`',
  headline: 'of one alert its message; of several how many were raised and how many have recovered',
  count: 'how many alerts it is about',
  alerts: 'each alert with its time, place, message and what to check next',
  reason: 'why it comes now, where it is a digest; else nothing',
  time: 'when it was made',
  page_url: 'address of the page, as configured',
} as const;
export type TemplateField = keyof typeof TEMPLATE_FIELDS;

export interface Templates {
  readonly subject: string;
  readonly text: string;
}

export const DEFAULT_TEMPLATES: Templates = {
  subject: '[{severity}] {battery}: {event}: {headline}',
  text: '{site}, {battery}\n{reason}\n{alerts}\n\nGateway {gateway_id}, {time}\n{page_url}\n',
};

const FIELD = /\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

/** Names in braces that are no field. */
export function unknownFields(template: string): string[] {
  return [...template.matchAll(FIELD)].map(([, name]) => name).filter(name => !isField(name));
}

export function filled(template: string, values: Readonly<Record<TemplateField, string>>): string {
  return template.replace(FIELD, (whole, name: string) => (isField(name) ? values[name] : whole));
}

const isField = (name: string): name is TemplateField => Object.hasOwn(TEMPLATE_FIELDS, name);
