/** Every route as it is registered: to distinguish a wrong method from a wrong path, and for tests that forget none. */
import type { App, RouteEntry, ServerContext } from '../options.ts';

export function addRouteList(app: App, { routes }: ServerContext): void {
  app.addHook('onRoute', ({ url, method }) => {
    let entry = routes.find(known => known.url === url);
    if (!entry) {
      const pattern = url
        .replaceAll('.', '\\.')
        .replaceAll('*', '.*')
        .replace(/:[a-z_]+/g, '[^/]+');
      entry = { url, methods: [], pattern: new RegExp(`^${pattern}$`) };
      routes.push(entry);
    }
    entry.methods.push(...[method].flat());
  });
}

/** Methods possible at a path of the API; undefined when there is no such path. */
export function methodsAt(routes: readonly RouteEntry[], path: string): readonly string[] | undefined {
  return routes.find(({ url, pattern }) => !url.includes('*') && pattern.test(path))?.methods;
}
