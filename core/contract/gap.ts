/** A gap: readings that were taken and are lost. One record in the log, so that the centre learns of every loss. */

/**
 * no_room: removed before the centre had them, as the disk was full. queue_full: the disk could not keep up.
 * write_failed: a commit was given up. damaged: bytes on the disk cannot be read any more. storage_lost: the whole file
 * was unreadable and was quarantined. older_copy: an older copy of the file was put in its place; the centre has what it lacks.
 */
export type GapReason = 'no_room' | 'queue_full' | 'write_failed' | 'damaged' | 'storage_lost' | 'older_copy';

export interface GapRecord {
  readonly reason: GapReason;
  /** For a person: which file or part, and what was seen. */
  readonly detail: string;
  /** Times and numbers between which readings are missing, both ends included; null: not known. */
  readonly from_ms: number | null;
  readonly to_ms: number | null;
  readonly first_seq: number | null;
  readonly last_seq: number | null;
  /** null: not known. */
  readonly readings: number | null;
  /** By pack, as far as it is known. */
  readonly packs: readonly { readonly pack_id: string; readonly readings: number }[];
}
