import { deserialize, serialize } from 'node:v8';
import type { SourceDelta } from '../detect/persist.ts';

/**
 * Deltas of some sources on their way to the store: one buffer each, however many objects went in. The main thread, which must answer requests meanwhile,
 * passes them on unread; as objects, they and the verdicts of a thousand sources were a fourth of what it allocated, and lived through its garbage collections.
 */
export type PackedDeltas = Uint8Array;

/** So much content goes into one buffer, and more only of a source that alone has more. */
export const PART_BYTES = 262_144;

export function packDeltas(deltas: readonly SourceDelta[]): PackedDeltas[] {
  return [...packInParts(deltas)];
}

/** As they are asked for: packing the whole state of a thousand sources takes seconds. */
export function* packInParts(deltas: readonly SourceDelta[]): Generator<PackedDeltas, void> {
  let part: SourceDelta[] = [];
  let bytes = 0;
  for (const delta of deltas) {
    part.push(delta);
    bytes += contentBytes(delta);
    if (bytes < PART_BYTES) continue;
    yield serialize(part);
    part = [];
    bytes = 0;
  }
  if (part.length > 0) yield serialize(part);
}

/** In the order they were packed in. Blobs are views: each keeps the whole buffer it came in. */
export function unpackDeltas(packed: readonly PackedDeltas[]): SourceDelta[] {
  return packed.flatMap((part) => deserialize(part) as SourceDelta[]);
}

function contentBytes({ meta, windows, templates }: SourceDelta): number {
  let bytes = meta.length;
  for (const { blob } of windows) bytes += blob.length;
  for (const { blob } of templates) bytes += blob.length;
  return bytes;
}
