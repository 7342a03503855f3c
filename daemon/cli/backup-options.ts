/** How `bms-gateway backup` is called. */

export const BACKUP_HELP = `Usage: bms-gateway backup DIRECTORY [--state-dir DIR]

A copy of what the gateway has stored (readings, alerts, settings, users, audit log) into a new directory, also while the
gateway runs. It is checked, and there under its name only once it is whole. docs/storage.md says how it is put back.

  --state-dir DIR     where the storage lies (default: BMS_STATE_DIR, or that of the installed service)

Not in it: who is logged in, the key that signs logins, the TLS key, the set-up code, the configuration.
`;
