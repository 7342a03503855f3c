/** The table of simulated transports; the compiler asks for one for each of the drivers'. */
import type { TransportName } from '../drivers/profiles/profile.ts';
import { allTransports, TRANSPORTS } from '../drivers/transports.ts';
import { simulatedCan } from './can/simulated-can.ts';
import { simulatedModbus } from './modbus/simulated-modbus.ts';
import type { ServeForm, SimulatedTransport } from './simulated-transport.ts';

const SIMULATED = {
  can: simulatedCan,
  modbus: simulatedModbus,
} satisfies Record<TransportName, SimulatedTransport>;

export const SERVE_FORMS = allTransports()
  .map(([name, { title }]) => {
    const forms = SIMULATED[name].serve_forms.map(({ form }) => form);
    return `${forms.join(', ')} (${title} profiles)`;
  })
  .join('; ');

/** For the help of the command, in columns. */
export function describeServeForms(): string[] {
  const groups = allTransports().map(([name, { title }]) => ({
    heading: `${title} profiles`,
    forms: SIMULATED[name].serve_forms as readonly ServeForm[],
  }));
  const heading_width = Math.max(...groups.map(({ heading }) => heading.length));
  const form_width = Math.max(...groups.flatMap(({ forms }) => forms.map(({ form }) => form.length)));
  const line = (heading: string, form: string, about: string) =>
    `  ${heading.padEnd(heading_width)}  ${form.padEnd(form_width)}  ${about}`;
  return [
    ...groups.flatMap(({ heading, forms }) =>
      forms.map(({ form, about }, i) => line(i === 0 ? heading : '', form, about)),
    ),
    line(
      '',
      'LINK is a path at which the terminal is to be found; pty needs the program socat.',
      '',
    ).trimEnd(),
  ];
}

export function simulatedTransport(name: TransportName): SimulatedTransport {
  return SIMULATED[name];
}

/** The first other transport that can be served there; undefined where the text is no target at all. */
export function otherServedAt(text: string, name: TransportName): string | undefined {
  const names = Object.keys(SIMULATED) as TransportName[];
  const other = names.find(one => one !== name && SIMULATED[one].parseServeTarget(text) !== undefined);
  return other && TRANSPORTS[other].title;
}
