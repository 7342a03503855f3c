/** The place in a text where a page puts what is no text: a link, code, a time that ticks. */
import type { ComponentChildren } from 'preact';

export type Slot = ComponentChildren;
/** Makes an element around words of a text, such as a link. */
export type Around = (words: string) => Slot;
