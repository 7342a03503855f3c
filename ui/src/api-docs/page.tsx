/** All routes of the API: what each is for, who may use it, what it takes and gives. */
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { t } from '../texts/texts.ts';
import {
  type ApiDescription,
  accessText,
  curlOf,
  jsonSchemaOf,
  linesOf,
  type Operation,
  type Route,
  routeId,
  routesByTag,
  type Schema,
  typeText,
} from './description.ts';

export function ApiDocs() {
  const [description, setDescription] = useState<ApiDescription>();
  const [failure, setFailure] = useState('');
  useEffect(() => {
    fetch('/api/openapi.json')
      .then(async reply => setDescription((await reply.json()) as ApiDescription))
      .catch(() => setFailure(t().errors.noAnswer));
  }, []);
  if (failure) return <p class="docs-notice">{failure}</p>;
  if (!description) return <p class="docs-notice">{t().shell.asking}</p>;
  return <Docs description={description} />;
}

function Docs({ description }: { description: ApiDescription }) {
  const text = t().apiDocs;
  const [wanted, setWanted] = useState('');
  const groups = useMemo(() => routesByTag(description), [description]);
  const matching = [...groups].flatMap(([tag, routes]) => {
    const found = routes.filter(route => matches(route, wanted));
    return found.length > 0 ? [{ tag, routes: found }] : [];
  });
  // An address with a route's name leads there, now that it is drawn.
  useEffect(() => {
    const opened = document.getElementById(location.hash.slice(1));
    if (opened instanceof HTMLDetailsElement) opened.open = true;
    opened?.scrollIntoView();
  }, []);
  return (
    <div class="docs">
      <header class="docs-head">
        <p>
          <a href="/">{t().common.product}</a> {description.info.version}
        </p>
        <h1>{text.title}</h1>
        <p class="quiet">
          {text.intro(
            words => (
              <code>{words}</code>
            ),
            words => (
              <a href="/api/openapi.json">{words}</a>
            ),
          )}
        </p>
        <label class="docs-search">
          <span class="visually-hidden">{text.find}</span>
          <input
            type="search"
            placeholder={text.find}
            value={wanted}
            onInput={event => setWanted(event.currentTarget.value)}
          />
        </label>
      </header>
      <main>
        {matching.length === 0 && <p class="quiet">{text.none}</p>}
        {matching.map(({ tag, routes }) => (
          <section key={tag} aria-labelledby={`tag-${tag}`}>
            <h2 id={`tag-${tag}`}>{tag}</h2>
            {routes.map(route => (
              <RouteDetails key={routeId(route)} route={route} />
            ))}
          </section>
        ))}
      </main>
    </div>
  );
}

function matches({ method, path, operation }: Route, wanted: string): boolean {
  const text = `${method} ${path} ${operation.summary ?? ''} ${operation.description ?? ''}`;
  return text.toLowerCase().includes(wanted.trim().toLowerCase());
}

function RouteDetails({ route }: { route: Route }) {
  const { method, path, operation } = route;
  const id = routeId(route);
  const body = jsonSchemaOf(operation.requestBody?.content);
  const text = t().apiDocs;
  return (
    <details id={id} class="route">
      <summary>
        <span class={`method method-${method.toLowerCase()}`}>{method}</span>
        <code class="path">{breakable(path)}</code>
        <span class="route-summary">{operation.summary}</span>
      </summary>
      <div class="route-body">
        {operation.description && <p>{operation.description}</p>}
        <p class="quiet">
          {text.accessAndLink(accessText(operation['x-access']), words => (
            <a href={`#${id}`}>{words}</a>
          ))}
        </p>
        <Parameters operation={operation} />
        {body && (
          <Part title={text.body}>
            <SchemaLines schema={body} />
          </Part>
        )}
        <Replies operation={operation} />
        <Part title={text.withCurl}>
          <pre>{curlOf(route, location.origin)}</pre>
        </Part>
      </div>
    </details>
  );
}

const breakable = (path: string) => path.replaceAll('/', '/\u200b');

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Parameters({ operation: { parameters = [] } }: { operation: Operation }) {
  const text = t().apiDocs;
  if (parameters.length === 0) return null;
  return (
    <Part title={text.parameters}>
      <ul class="lines">
        {parameters.map(({ name, in: place, required, description, schema }) => (
          <li key={name}>
            <code>{name}</code>{' '}
            <span class="type">
              {typeText(schema)}
              {place === 'path' ? text.inPath : !required && text.optional}
            </span>
            {description && <Said text={description} />}
          </li>
        ))}
      </ul>
    </Part>
  );
}

/** A description; what stands between backticks is code. */
function Said({ text }: { text: string }) {
  const parts = text.split('`');
  return <p class="said">{parts.map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</p>;
}

function Replies({ operation: { responses } }: { operation: Operation }) {
  const done = Object.entries(responses).filter(([status]) => status < '400');
  const refused = Object.keys(responses).filter(status => status >= '400');
  return (
    <Part title={t().apiDocs.replies}>
      {done.map(([status, { content }]) => {
        const schema = jsonSchemaOf(content);
        return (
          <div key={status}>
            <p>
              <strong>{status}</strong>
            </p>
            {schema && <SchemaLines schema={schema} />}
          </div>
        );
      })}
      {refused.length > 0 && <p class="quiet">{t().apiDocs.problem(refused.join(', '))}</p>}
    </Part>
  );
}

function SchemaLines({ schema }: { schema: Schema }) {
  const lines = linesOf(schema);
  if (lines.length === 0) return <p class="type">{typeText(schema)}</p>;
  return (
    <ul class="lines">
      {lines.map((line, i) => (
        <li key={i} class={`depth-${Math.min(line.depth, 5)}`}>
          <code>{line.name}</code>{' '}
          <span class="type">
            {line.type}
            {line.is_optional && t().apiDocs.optional}
          </span>
          {line.description && <Said text={line.description} />}
        </li>
      ))}
    </ul>
  );
}
