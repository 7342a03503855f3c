-- Alerts of the gateway itself concern no battery and no pack. `alert_events` names neither.
ALTER TABLE alerts ALTER COLUMN battery_id DROP NOT NULL, ALTER COLUMN pack_id DROP NOT NULL;
