/** English: accounts, keys, sessions and what people did. */

export const users = {
  loading: 'Loading users…',
};

export const sessions = {
  loading: 'Loading sessions…',
};

export const keys = {
  loading: 'Loading API keys…',
};

export const audit = {
  loading: 'Loading audit log…',
};
