/** How well it is known that a profile reads its device right. */

/** From weak to strong. */
export const PROFILE_GRADES = ['bronze', 'silver', 'gold', 'platinum'] as const;

export type ProfileGrade = (typeof PROFILE_GRADES)[number];
