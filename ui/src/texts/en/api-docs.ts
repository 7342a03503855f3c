/** English: the description of the API as a page. What it describes comes from the gateway, in its own words. */
import type { Around, Slot } from '../slot.ts';

export const apiDocs = {
  title: 'HTTP API',
  /** `code` sets words as code, `link` leads to the description for machines. */
  intro: (code: Around, link: Around): Slot => [
    'Times are milliseconds since 1970, UTC. Current is positive while charging. Programs send ',
    code('Authorization: Bearer'),
    ' with the token of a login or an API key. Errors are problem documents (RFC 9457). The same for machines: ',
    link('openapi.json'),
    '. The live feed is a WebSocket at ',
    code('/ws'),
    '.',
  ],
  find: 'Find a route',
  none: 'No route has this in its path or text.',
  access: {
    public: 'Open to all',
    account: 'Logged in',
    login: 'Logged in',
    login_or_local: 'Logged in, or from the machine itself',
    moderator: 'Moderators and administrators',
    admin: 'Administrators',
  },
  /** Around the link to the route itself. */
  accessAndLink: (access: string, link: Around): Slot => [access, '. ', link('Link to this route')],
  body: 'Body',
  withCurl: 'With curl',
  parameters: 'Parameters',
  inPath: ', in the path',
  optional: ', optional',
  replies: 'Replies',
  problem: (statuses: string) => `A problem document with ${statuses}.`,
  /** Types of values. */
  listOf: (type: string) => `list of ${type}`,
  objectOf: (type: string) => `object of ${type} by name`,
  anything: 'anything',
  fromTo: (low: number, high: number, unit: string) => ` from ${low} to ${high}${unit}`,
  from: (low: number, unit: string) => ` from ${low}${unit} on`,
  upTo: (high: number, unit: string) => ` up to ${high}${unit}`,
  characters: ' characters',
};
