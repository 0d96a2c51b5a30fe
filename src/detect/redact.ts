import { MAX_LINE_BYTES } from './frame.ts';
import { Pattern } from './pattern/pattern.ts';

/** What replaces a secret. */
const REDACTED = '<redacted>';

/**
 * Removes what the user's patterns match before a line is mined, sampled, embedded or stored. Off, it costs nothing; on, lines
 * become strings and back. Patterns take time proportional to the line, and lines are cut at 8 KiB: before, and after each pattern, because a text may
 * grow with every match.
 */
export class Redactor {
  readonly #patterns: Pattern[];

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => new Pattern(pattern));
  }

  redact(bytes: Uint8Array, start: number, end: number): Uint8Array {
    let text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8');
    for (const pattern of this.#patterns) text = pattern.replaceAll(text, REDACTED).slice(0, MAX_LINE_BYTES);
    return Buffer.from(text, 'utf8');
  }
}
