/** The API's description, generated from the schemas that check it. */
import { createHash } from 'node:crypto';
import swagger from '@fastify/swagger';
import type { App, ServerContext } from '../options.ts';

export async function addOpenApi(app: App, { services }: ServerContext): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'BMS Gateway',
        version: services.version,
        description:
          'Errors are problem documents (RFC 9457). The live feed is a WebSocket at /ws; see docs/http-api.md.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          cookie: { type: 'apiKey', in: 'cookie', name: 'bms_session' },
        },
      },
      security: [{ bearer: [] }, { cookie: [] }],
    },
    transform: ({ schema, url, route }) => {
      const access = route.config?.access;
      return { url, schema: { tags: [tagOf(url)], 'x-access': access, ...schema } as typeof schema };
    },
  });
  let made: { readonly text: string; readonly etag: string } | undefined;
  app.get('/api/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, (request, reply) => {
    made ??= described(app);
    // It changes with the program only: asked again, and not sent again.
    reply.header('etag', made.etag).header('cache-control', 'no-cache');
    if (request.headers['if-none-match']?.includes(made.etag)) return reply.code(304).send();
    return reply.type('application/json; charset=utf-8').send(made.text);
  });
}

function described(app: App) {
  const text = JSON.stringify(withTables(app.swagger() as Described));
  return { text, etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` };
}

interface Described {
  readonly paths?: Record<string, Record<string, DescribedRoute>>;
}
interface DescribedRoute {
  readonly parameters?: readonly { readonly name?: string }[];
  readonly responses?: Record<string, { content?: Record<string, object> }>;
}

/** What takes `format=csv` replies with a table too; the schemas alone do not show it. */
function withTables(description: Described): Described {
  for (const route of Object.values(description.paths ?? {}).flatMap(methods => Object.values(methods))) {
    const content = route.responses?.['200']?.content;
    if (content && route.parameters?.some(({ name }) => name === 'format'))
      content['text/csv'] = { schema: { type: 'string' } };
  }
  return description;
}

/** `/api/admin/users/:username` -> `admin`; `/healthz` -> `system`. */
function tagOf(url: string): string {
  const part = /^\/api\/([a-z-]+)/.exec(url)?.[1];
  const ONE_PART: Record<string, string> = { battery: 'batteries', packs: 'batteries' };
  return part === undefined ? 'system' : (ONE_PART[part] ?? part);
}
