/** What routes share in describing their replies. */
import Type from 'typebox';
import { Problem } from '../../../core/contract/http.ts';

export const NoContent = Type.Null({ description: 'Done' });

/** Declares problem documents for the description of the API; how they are made: problems.ts. */
export function problems(...statuses: number[]): Record<number, object> {
  return Object.fromEntries(
    statuses.map(status => [
      status,
      { description: 'A problem document', content: { 'application/problem+json': { schema: Problem } } },
    ]),
  );
}
