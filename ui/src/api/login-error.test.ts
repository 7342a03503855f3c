/** What the login says when it fails. */
import { expect, test } from 'vitest';
import { ApiError } from './client.ts';
import { loginError } from './login-error.ts';

test('each way to fail says what to do', () => {
  expect(loginError(new ApiError(401, 'UNAUTHENTICATED', 'x'))).toBe('User name or password is wrong.');
  expect(loginError(new ApiError(429, 'RATE_LIMITED', 'x', 90))).toBe(
    'Too many attempts. Try again in 1 min.',
  );
  expect(loginError(new ApiError(429, 'RATE_LIMITED', 'x'))).toBe('Too many attempts. Wait a minute.');
  expect(loginError(new ApiError(0, '', 'The gateway does not answer.'))).toBe(
    'The gateway does not answer.',
  );
  expect(loginError(new ApiError(500, 'INTERNAL', 'The store failed'))).toBe('The store failed');
});
