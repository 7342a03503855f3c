/** How replies become JSON: by Fastify's own compiler, each route's when it first replies, so that a start is short. */
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler';
import type { FastifyServerOptions } from 'fastify';

type CompilersFactory = NonNullable<
  NonNullable<FastifyServerOptions['schemaController']>['compilersFactory']
>;

const compilerOf = SerializerSelector();

export const buildSerializer: CompilersFactory['buildSerializer'] = (schemas, options) => {
  const compile = compilerOf(schemas, options);
  return route => {
    let serialize: ReturnType<typeof compile> | undefined;
    return data => {
      serialize ??= compile(route);
      return serialize(data);
    };
  };
};
