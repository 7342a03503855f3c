-- Gateway -> battery -> pack -> cell, as the gateways' configurations say. gateway_id leads every key.
-- Nothing is deleted when it leaves a configuration: its readings still belong to it.

-- How far each gateway's log has arrived. One transaction stores rows and moves last_seq: exactly once.
CREATE TABLE gateways (
  gateway_id text PRIMARY KEY,
  -- Random name of the gateway's log, made with its file.
  incarnation uuid NOT NULL,
  last_seq bigint NOT NULL DEFAULT 0,
  -- sha256 of the row last_seq: tells a copied or restored log from the one that was synced.
  last_row_digest text,
  site_id text,
  site_name text,
  created_at timestamptz NOT NULL DEFAULT now(),
  last_sync_at timestamptz
);

CREATE TABLE batteries (
  gateway_id text NOT NULL REFERENCES gateways,
  battery_id text NOT NULL,
  name text NOT NULL,
  chemistry text NOT NULL,
  PRIMARY KEY (gateway_id, battery_id)
);

CREATE TABLE packs (
  gateway_id text NOT NULL,
  pack_id text NOT NULL,
  battery_id text NOT NULL,
  name text NOT NULL,
  profile_id text NOT NULL,
  connection_id text NOT NULL,
  address integer,
  cell_count integer NOT NULL,
  sensor_count integer NOT NULL,
  -- Codes of the device's own alarms; pack_readings.device_alarms has one level per code.
  device_alarms text[] NOT NULL,
  PRIMARY KEY (gateway_id, pack_id),
  FOREIGN KEY (gateway_id, battery_id) REFERENCES batteries
);

CREATE TABLE cells (
  gateway_id text NOT NULL,
  -- pack_id/cNN, counting from 1
  cell_id text NOT NULL,
  pack_id text NOT NULL,
  cell_no integer NOT NULL CHECK (cell_no >= 1),
  PRIMARY KEY (gateway_id, cell_id),
  FOREIGN KEY (gateway_id, pack_id) REFERENCES packs
);

-- For questions that name a cell but no gateway.
CREATE INDEX cells_by_id ON cells (cell_id);
