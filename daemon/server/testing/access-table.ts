/** Every route, and the status that each who may knock is answered with. */
import { PASSWORD } from './test-site.ts';

export interface Line {
  readonly url: string;
  readonly body?: object;
  /** Status for everybody without login; absent: 401, and 401 for every bad token. */
  readonly anyone?: number;
  readonly user: number;
  readonly moderator: number;
  readonly admin: number;
  /** For API keys, where a person is needed; absent: as for users of the role. */
  readonly key?: number;
  /** For one who has to choose a new password first; absent: as for anyone, else 403. */
  readonly provisional?: number;
}

const all = (url: string, status = 200, body?: object): Line => ({
  url,
  user: status,
  moderator: status,
  admin: status,
  ...(body && { body }),
});
const open = (url: string, status = 200, body?: object): Line => ({
  ...all(url, status),
  anyone: status,
  ...(body && { body }),
});
const admin = (url: string, status = 200, body?: object): Line => ({
  url,
  user: 403,
  moderator: 403,
  admin: status,
  ...(body && { body }),
});
/** For people who logged in, not for API keys. */
const person = (line: Line): Line => ({ ...line, key: 403 });
/** `una` and `mo` are assigned `north` (packs n1, n2); what is in `south` does not exist for them. */
const foreign = (url: string): Line => ({ url, user: 404, moderator: 404, admin: 200 });

const spans = (url: string): Line[] => [
  ...[all(`${url}?from_ms=0&to_ms=1`), all(`${url}?from_ms=1&to_ms=1`, 400)],
  ...['battery_id=south', 'pack_id=s1'].map(one => foreign(`${url}?from_ms=0&to_ms=1&${one}`)),
];

/** Of those who handle alerts. */
const handler = (url: string, status: number, body?: object): Line => ({
  url,
  user: 403,
  moderator: status,
  admin: status,
  ...(body && { body }),
});
export const TABLE: Record<string, Line[]> = {
  'POST /api/auth/login': [
    open('/api/auth/login', 200, { username: 'una', password: PASSWORD }),
    open('/api/auth/login', 400, { username: 'una' }),
  ],
  'POST /api/auth/logout': [open('/api/auth/logout', 204)],
  'POST /api/auth/renew': [open('/api/auth/renew', 401)],
  'GET /api/auth/setup': [open('/api/auth/setup')],
  'POST /api/auth/setup': [
    open('/api/auth/setup', 403, { code: 'a', username: 'x', password: PASSWORD }),
    open('/api/auth/setup', 400, { code: 'a' }),
  ],
  'GET /api/auth/me': [{ ...all('/api/auth/me'), provisional: 200 }],
  'PUT /api/auth/password': [
    person(all('/api/auth/password', 403, { old_password: 'wrong', new_password: PASSWORD })),
    {
      ...person(all('/api/auth/password', 400, { old_password: PASSWORD, new_password: PASSWORD })),
      provisional: 400,
    },
  ],
  'POST /api/auth/confirm': [
    person(all('/api/auth/confirm', 200, { password: PASSWORD })),
    person(all('/api/auth/confirm', 403, { password: 'wrong' })),
    all('/api/auth/confirm', 400, {}),
  ],
  'GET /api/auth/sessions': [person(all('/api/auth/sessions'))],
  'DELETE /api/auth/sessions': [person(all('/api/auth/sessions', 204))],
  'DELETE /api/auth/sessions/:id': [all('/api/auth/sessions/none', 404)],
  'GET /api/admin/sessions': [admin('/api/admin/sessions')],
  'DELETE /api/admin/sessions/:id': [admin('/api/admin/sessions/none', 404)],
  'GET /api/admin/keys': [admin('/api/admin/keys')],
  'POST /api/admin/keys': [
    admin('/api/admin/keys', 201, { name: 'plc', role: 'user', batteries: ['north'] }),
    admin('/api/admin/keys', 409, { name: 'plc', role: 'user' }),
    admin('/api/admin/keys', 400, { name: 'other', role: 'user', batteries: ['west'] }),
    admin('/api/admin/keys', 400, { name: 'other', role: 'user', expires_ms: 1 }),
  ],
  'DELETE /api/admin/keys/:id': [admin('/api/admin/keys/none', 404)],
  'GET /api/admin/audit': [
    admin('/api/admin/audit'),
    admin('/api/admin/audit?action=user&limit=3'),
    admin('/api/admin/audit?limit=0', 400),
  ],
  'POST /api/admin/signing-keys': [admin('/api/admin/signing-keys', 409)],
  'GET /api/batteries': [all('/api/batteries')],
  'GET /api/battery/:id': [
    all('/api/battery/north'),
    foreign('/api/battery/south'),
    all('/api/battery/none', 404),
  ],
  'GET /api/packs/:id': [all('/api/packs/n2'), foreign('/api/packs/s1'), all('/api/packs/none', 404)],
  'GET /api/packs/:id/estimates': [all('/api/packs/n2/estimates'), foreign('/api/packs/s1/estimates')],
  'GET /api/reports/lifetime/:id': [
    all('/api/reports/lifetime/n2'),
    foreign('/api/reports/lifetime/s1'),
    all('/api/reports/lifetime/none', 404),
  ],
  'GET /api/reports/annex-vii/:id': [
    all('/api/reports/annex-vii/north'),
    all('/api/reports/annex-vii/north?format=csv'),
    all('/api/reports/annex-vii/north?format=xml', 400),
    foreign('/api/reports/annex-vii/south'),
  ],
  'GET /api/packs/:id/history': [
    all('/api/packs/n1/history'),
    all('/api/packs/n1/history?max_points=0', 400),
    foreign('/api/packs/s1/history'),
  ],
  'GET /api/alerts': [
    all('/api/alerts'),
    all('/api/alerts?state=active&limit=3'),
    all('/api/alerts?format=csv'),
    all('/api/alerts?cursor=x', 400),
    foreign('/api/alerts?battery_id=south'),
    foreign('/api/alerts?pack_id=s1'),
    { url: '/api/alerts?about=gateway', user: 403, moderator: 200, admin: 200 },
    all('/api/alerts?about=pack', 400),
  ],
  'POST /api/alerts/:id/acknowledge': [
    handler('/api/alerts/none/acknowledge', 404, {}),
    handler('/api/alerts/none/acknowledge', 400, { note: '' }),
  ],
  'POST /api/alerts/:id/note': [
    handler('/api/alerts/none/note', 404, { text: 'seen' }),
    handler('/api/alerts/none/note', 400, {}),
  ],
  'POST /api/alerts/:id/shelve': [
    handler('/api/alerts/none/shelve', 404, { reason: 'repair', duration_ms: 60_000 }),
    handler('/api/alerts/none/shelve', 400, { reason: 'repair', duration_ms: 1e12 }),
  ],
  'POST /api/alerts/:id/unshelve': [handler('/api/alerts/none/unshelve', 404)],
  'GET /api/out-of-service': [all('/api/out-of-service')],
  'POST /api/out-of-service': [
    handler('/api/out-of-service', 201, { pack_id: 'n2', reason: 'replaced' }),
    handler('/api/out-of-service', 201, { pack_id: 'n2', rule_id: 'cell_high', reason: 'replaced' }),
    handler('/api/out-of-service', 400, { pack_id: 'n1', rule_id: 'none', reason: 'replaced' }),
    handler('/api/out-of-service', 400, { pack_id: 'n1', reason: 'replaced', until_ms: 0 }),
    handler('/api/out-of-service', 400, { reason: 'replaced' }),
    handler('/api/out-of-service', 404, { alert_id: 'none', reason: 'replaced' }),
    {
      url: '/api/out-of-service',
      body: { pack_id: 's1', rule_id: 'pack_silent', reason: 'replaced' },
      user: 403,
      moderator: 404,
      admin: 201,
    },
  ],
  'DELETE /api/out-of-service/:id': [handler('/api/out-of-service/none', 404)],
  'GET /api/export': [all('/api/export?from_ms=0&to_ms=1&format=ndjson&pack_id=n1'), ...spans('/api/export')],
  'GET /api/export/alerts': spans('/api/export/alerts'),
  'GET /api/reports/completeness': [
    { url: '/api/reports/completeness', user: 403, moderator: 200, admin: 200 },
    { url: '/api/reports/completeness?from_ms=9&to_ms=8', user: 403, moderator: 400, admin: 400 },
  ],
  'GET /api/reports/alerts': [
    { url: '/api/reports/alerts', user: 403, moderator: 200, admin: 200 },
    { url: '/api/reports/alerts?from_ms=9&to_ms=8', user: 403, moderator: 400, admin: 400 },
  ],
  'GET /api/reports/fleet': [{ url: '/api/reports/fleet', user: 403, moderator: 200, admin: 200 }],
  'GET /api/admin/users': [admin('/api/admin/users')],
  'POST /api/admin/users': [
    admin('/api/admin/users', 201, { username: 'new', password: PASSWORD, role: 'user' }),
    admin('/api/admin/users', 409, { username: 'ada', password: PASSWORD, role: 'user' }),
  ],
  'PUT /api/admin/users/:username': [
    admin('/api/admin/users/new', 200, { batteries: ['south'] }),
    admin('/api/admin/users/ada', 409, { role: 'user' }),
    admin('/api/admin/users/nobody', 404, { role: 'user' }),
  ],
  'DELETE /api/admin/users/:username': [
    admin('/api/admin/users/new', 204),
    admin('/api/admin/users/ada', 409),
  ],
  'GET /api/admin/settings': [admin('/api/admin/settings')],
  'PUT /api/admin/settings': [
    admin('/api/admin/settings', 200, {
      rules: { cell_high: { limits: [{ critical: 3.7 }] } },
    }),
    admin('/api/admin/settings', 400, {
      rules: { unknown: { limits: [{ critical: 3.7 }] } },
    }),
  ],
  'GET /api/admin/settings/export': [admin('/api/admin/settings/export')],
  'POST /api/admin/settings/import': [
    admin('/api/admin/settings/import', 200, { yaml: 'alerts: {}', is_trial: true }),
    admin('/api/admin/settings/import', 400, { yaml: 'alerts: 7', is_trial: true }),
    admin('/api/admin/settings/import', 409, { yaml: 'alerts: {}', is_trial: true, version: 99 }),
  ],
  'POST /api/admin/settings/preview': [
    admin('/api/admin/settings/preview', 200, { rules: { cell_high: { limits: [{ critical: 3.7 }] } } }),
    admin('/api/admin/settings/preview', 400, { rules: {}, from_ms: 2, to_ms: 1 }),
    admin('/api/admin/settings/preview', 400, { rules: { unknown: { raise_after_ms: 1 } } }),
  ],
  'GET /api/admin/notifications': [admin('/api/admin/notifications')],
  'POST /api/admin/notifications/test': [
    admin('/api/admin/notifications/test', 200, { receiver: 'office' }),
    admin('/api/admin/notifications/test', 404, { receiver: 'nobody' }),
    admin('/api/admin/notifications/test', 400, { receiver: '' }),
  ],
  'GET /api/system/status': [all('/api/system/status')],
  'POST /api/system/clock/confirm': [
    admin('/api/system/clock/confirm', 409, { client_clock_ms: 0 }),
    admin('/api/system/clock/confirm', 400, { client_clock_ms: 'now' }),
  ],
  'GET /healthz': [open('/healthz')],
  'GET /metrics': [all('/metrics')],
  'GET /api/openapi.json': [open('/api/openapi.json')],
  'GET /api/docs': [open('/api/docs', 503)],
  'GET /api/admin/simulation/faults': [admin('/api/admin/simulation/faults')],
  'POST /api/admin/simulation/faults': [
    admin('/api/admin/simulation/faults', 201, { kind: 'weak_cell' }),
    admin('/api/admin/simulation/faults', 400, { mind: 'weak_cell' }),
  ],
  'DELETE /api/admin/simulation/faults/:id': [
    admin('/api/admin/simulation/faults/f1', 204),
    admin('/api/admin/simulation/faults/f1', 404),
  ],
  'GET /ws': [all('/ws', 400)],
  'GET /*': [open('/', 503), open('/packs/n1', 503), open('/assets/gone.js', 404), open('/api/gone', 404)],
};
