-- People who may log in at the centre. Not keyed by gateway: one list for all sites (Citus: a reference table).
CREATE TABLE users (
  username text PRIMARY KEY CHECK (username ~ '^[a-z0-9][a-z0-9_.-]{0,31}$'),
  password_hash text NOT NULL,
  role text NOT NULL CHECK (role IN ('user', 'moderator', 'admin')),
  -- Battery ids; an admin sees all whatever stands here.
  batteries text[] NOT NULL DEFAULT '{}',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now()
);
