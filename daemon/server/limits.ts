/** Every bound of the server in one table; tests make them smaller. */
export interface ServerLimits {
  /** Requests per minute from one address, all routes together. */
  readonly requests_per_minute: number;
  /** Histories per minute for one user: each may read through days. */
  readonly histories_per_minute: number;
  /** Exports under way at once, of one user and of all. */
  readonly exports_per_user: number;
  readonly exports: number;
  readonly body_bytes: number;
  /** Open sockets, WebSockets included; more are closed at once. */
  readonly connections: number;
  /** Of one address; a proxy on this machine itself may have them all. */
  readonly connections_per_address: number;
  /** All headers of a request with its first line, and how many there may be. */
  readonly header_bytes: number;
  readonly headers: number;
  /** All headers must have come within this, the whole request within the next. */
  readonly headers_timeout_ms: number;
  readonly request_timeout_ms: number;
  /** A reply that nobody reads is given up after this; longer than any handler takes. */
  readonly stalled_ms: number;
  /** An idle connection is kept this long for a next request. */
  readonly keep_alive_ms: number;
  /** A handler that takes longer before the first byte of its reply is answered for with 503. */
  readonly handler_timeout_ms: number;
  /** Failed logins of one name from one address within the window, then a wait for the window's end. */
  readonly login_failures_per_name: number;
  /** As above, all names from one address together. */
  readonly login_failures_per_address: number;
  /**
   * As above, one name from all addresses together: beyond it an address where the name has not logged in before has
   * fewer guesses, `login_failures_per_stranger` within the longer window. It has them whatever others do.
   */
  readonly login_failures_per_name_everywhere: number;
  readonly login_failures_per_stranger: number;
  readonly login_window_ms: number;
  readonly login_attack_window_ms: number;
  /** Open sessions of one user; one more ends the one not seen for the longest time. */
  readonly sessions_per_user: number;
  /** How long a token of the page lasts before it is renewed. */
  readonly page_token_ms: number;
  /** Users and keys are changed by a session whose password was given within this. */
  readonly confirmed_ms: number;
  readonly api_keys: number;
  /** Password hashes computed at once, and callers that may wait for their turn. */
  readonly hashes_at_once: number;
  readonly hashes_waiting: number;
  /** How long a looked-up user is believed before it is read again. */
  readonly user_cache_ms: number;
  /** One more is kept for an administrator. */
  readonly live_clients: number;
  readonly live_clients_per_user: number;
  /** Of one address, or /64 of IPv6; a proxy on this machine itself may have them all. */
  readonly live_clients_per_address: number;
  readonly live_rooms_per_client: number;
  readonly live_message_bytes: number;
  /** Messages one client may send at once, and per second in the long run. */
  readonly live_message_burst: number;
  readonly live_messages_per_second: number;
  readonly live_invalid_messages: number;
  /** Least time between two states of one room. */
  readonly live_pack_interval_ms: number;
  readonly live_summary_interval_ms: number;
  /** A burst of frames is gathered this long before the first state of it goes out. */
  readonly live_gather_ms: number;
  /** A room without a change is rendered again this often: values grow stale without a word. */
  readonly live_refresh_ms: number;
  /** Above this many unsent bytes a client is skipped; it gets the newest state when it has caught up. */
  readonly live_buffer_soft_bytes: number;
  /** Above this many unsent bytes, or behind for this long, a client is disconnected. */
  readonly live_buffer_hard_bytes: number;
  readonly live_behind_ms: number;
  readonly live_ping_ms: number;
  readonly live_idle_ms: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  requests_per_minute: 6000,
  histories_per_minute: 240,
  exports_per_user: 1,
  exports: 16,
  body_bytes: 256 * 1024,
  connections: 2000,
  connections_per_address: 500,
  header_bytes: 16 * 1024,
  headers: 100,
  headers_timeout_ms: 10_000,
  request_timeout_ms: 30_000,
  stalled_ms: 60_000,
  keep_alive_ms: 30_000,
  handler_timeout_ms: 30_000,
  login_failures_per_name: 5,
  login_failures_per_address: 30,
  login_failures_per_name_everywhere: 20,
  login_failures_per_stranger: 2,
  login_window_ms: 60_000,
  login_attack_window_ms: 5 * 60_000,
  sessions_per_user: 100,
  page_token_ms: 15 * 60_000,
  confirmed_ms: 15 * 60_000,
  api_keys: 200,
  hashes_at_once: 2,
  hashes_waiting: 32,
  user_cache_ms: 2000,
  live_clients: 500,
  live_clients_per_user: 20,
  live_clients_per_address: 100,
  live_rooms_per_client: 256,
  live_message_bytes: 4096,
  live_message_burst: 300,
  live_messages_per_second: 50,
  live_invalid_messages: 20,
  live_pack_interval_ms: 200,
  live_summary_interval_ms: 1000,
  live_gather_ms: 5,
  live_refresh_ms: 5000,
  live_buffer_soft_bytes: 256 * 1024,
  live_buffer_hard_bytes: 4 * 1024 * 1024,
  live_behind_ms: 30_000,
  live_ping_ms: 30_000,
  live_idle_ms: 75_000,
};
