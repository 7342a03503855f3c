/** What a scan asks of a transport: where it can look, what it finds there, and what to say of it. */
import type { Clock } from '../../core/clock/clock.ts';
import type { Profile } from '../profiles/profile.ts';
import type { Finding } from './finding.ts';

export interface ScanTerms {
  readonly profiles: readonly Profile[];
  /** The one profile was named by a person: its devices are asked, where they speak only then. */
  readonly is_named: boolean;
  /** Addresses to ask beside those at which devices are delivered. */
  readonly units: readonly number[];
  /** How long to listen or to ask; undefined: as long as is usual. */
  readonly seconds: number | undefined;
  readonly clock: Clock;
  readonly onProgress: (line: string) => void;
}

/** `Received`: what came beside the findings; goes into JSON as it is. */
export interface ScanOutcome<C, Received = object> {
  readonly received: Received;
  /** What was done beyond listening, and what to know of the result. */
  readonly notes: readonly string[];
  readonly findings: readonly Finding[];
  /** As it has to be, which may differ from what was scanned. */
  readonly connection: C;
}

export interface Scanner<C, Received extends object = object> {
  /** How targets are written, for messages. */
  readonly target_forms: string;
  /** The connection that a text stands for; undefined where it is none of `target_forms`. */
  parseTarget(text: string): C | undefined;
  /** @throws GatewayError (nothing to listen on, no reply) */
  scan(connection: C, terms: ScanTerms): Promise<ScanOutcome<C, Received>>;
  /** `in_full`: nothing was found, every detail may help. */
  describeReceived(received: Received, in_full: boolean): readonly string[];
  /** After a scan that found nothing. */
  whatToTry(received: Received, connection: C): readonly string[];
  /** Comments for the configuration that is printed, of which `profile` is the first. */
  notesFor(connection: C, profile: Profile): readonly string[];
}
