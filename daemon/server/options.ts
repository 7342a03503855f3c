/** What a caller chooses, and what every route and plugin is given. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider } from 'fastify';
import type { Static, TSchema } from 'typebox';
import type { Access, Viewer } from './auth/access.ts';
import type { ApiKeys } from './auth/api-keys.ts';
import type { Authenticator } from './auth/authenticator.ts';
import type { CentralUsers } from './auth/central-users.ts';
import type { LoginGuard } from './auth/login-guard.ts';
import type { Argon2Cost } from './auth/passwords.ts';
import type { Sessions } from './auth/sessions.ts';
import type { Setup } from './auth/setup.ts';
import type { SigningKeys } from './auth/signing-keys.ts';
import type { UserDirectory } from './auth/users.ts';
import type { VisibleTopology } from './auth/visible.ts';
import type { ServerLimits } from './limits.ts';
import type { LiveHub } from './live/hub.ts';
import type { ServerCounters } from './metrics.ts';
import type { GatewayServices } from './services.ts';
import type { CertificateFiles } from './tls/certificate.ts';

export interface ServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly tls?: CertificateFiles | undefined;
  /** Where a certificate of our own making is kept; without it there is none. */
  readonly certificate_directory?: string | undefined;
  /** Allows plain HTTP beyond loopback. */
  readonly insecure_http: boolean;
  /** Addresses and networks of reverse proxies: what they say of whom they ask for, and how, is believed. */
  readonly trusted_proxies?: readonly string[] | undefined;
  /** A URI for /.well-known/security.txt; without it there is none. */
  readonly security_contact?: string | undefined;
  readonly session_hours: number;
  /** At least 8 characters; without it a secret is made once and kept in the documents. */
  readonly jwt_secret?: string | undefined;
  /** Where the set-up code lies; without it there is no set-up over the page. */
  readonly state_dir?: string | undefined;
  /** The page's bundle, `ui/dist`; without it the page says how to build it. */
  readonly ui_directory: string;
  /** For tests: smaller bounds and cheap hashes. */
  readonly limits?: Partial<ServerLimits>;
  readonly argon2?: Argon2Cost;
}

/** What a handler knows better than the audit plugin. */
export interface AuditNote {
  /** Where nobody is logged in yet, or any more. */
  readonly actor?: string | null;
  readonly target?: string | null;
  readonly old?: unknown;
  readonly new?: unknown;
}

export interface RouteEntry {
  readonly url: string;
  readonly methods: string[];
  readonly pattern: RegExp;
}

export interface ServerContext {
  readonly services: GatewayServices;
  readonly limits: ServerLimits;
  readonly tls: boolean;
  readonly isTrustedProxy: (address: string | undefined) => boolean;
  readonly security_contact: string | undefined;
  readonly ui_directory: string;
  readonly users: UserDirectory;
  readonly sessions: Sessions;
  readonly api_keys: ApiKeys;
  readonly signing_keys: SigningKeys;
  readonly authenticator: Authenticator;
  readonly setup: Setup;
  readonly central_users: CentralUsers;
  readonly login_guard: LoginGuard;
  readonly visible: VisibleTopology;
  readonly hub: LiveHub;
  readonly counters: ServerCounters;
  readonly routes: RouteEntry[];
}

/** Lets TypeBox schemas type the handlers' requests and replies. */
export interface TypeBoxTypes extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypes>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who the route is for. Every route must say; the application refuses to start otherwise. */
    access?: Access;
    /** A session must have given its password lately; an API key has none, and needs its role alone. */
    confirm?: boolean;
    /** What its use is called in the audit log; false: not there. Without it every change is, and no reading. */
    audit?: string | false;
  }
  interface FastifyRequest {
    viewer: Viewer | undefined;
    /** What the handler adds to the audit log. */
    audited: AuditNote | undefined;
  }
}
