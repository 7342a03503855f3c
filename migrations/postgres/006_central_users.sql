-- Users are pulled by the gateways, which know them also while the centre is out of reach.
ALTER TABLE users
  ADD COLUMN disabled boolean NOT NULL DEFAULT false,
  -- Where they may log in; NULL: at every gateway.
  ADD COLUMN gateway_ids text[];

COMMENT ON COLUMN users.password_hash IS 'argon2id as a PHC string: bms-gateway hash-password';
COMMENT ON COLUMN users.batteries IS 'battery_id, at every gateway; or gateway_id/battery_id, at that one';
