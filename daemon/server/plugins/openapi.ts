/** The API's description, generated from the schemas that check it. */
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
  });
  app.get('/api/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, async () =>
    app.swagger(),
  );
}
