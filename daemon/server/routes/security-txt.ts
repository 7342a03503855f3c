/** Where to report a vulnerability of this gateway (RFC 9116), where whoever runs it has said so. */
import type { App, ServerContext } from '../options.ts';

const HOLDS_MS = 180 * 86_400_000;

export function addSecurityTxt(app: App, { services: { clock }, security_contact }: ServerContext): void {
  if (security_contact === undefined) return;
  app.get(
    '/.well-known/security.txt',
    { config: { access: 'public' }, schema: { hide: true } },
    (_request, reply) => {
      const expires = new Date(clock.wallMs() + HOLDS_MS).toISOString().replace(/\.\d+/, '');
      reply
        .type('text/plain; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(`Contact: ${security_contact}\nExpires: ${expires}\nPreferred-Languages: en\n`);
    },
  );
}
