import type { Attributes } from './record.ts';

/** Senders repeat their resource in every request; a node's Collector knows some hundred pods. */
const MAX_ENTRIES = 2048;
/** Larger resources are decoded every time: 2,048 × 4 KiB bounds what the copies can take. */
const MAX_BYTES = 4096;

interface Entry {
  bytes: Uint8Array;
  attributes: Attributes;
}

/**
 * Byte-equal resource messages give the same Map object, so that decoding a resource and finding its source happen once.
 * Least recently used leaves first; two resources with one hash take turns.
 */
export class ResourceCache {
  #entries = new Map<number, Entry>();

  /** The attributes of the resource in `bytes[start, end)`, from `decode` when it is not known yet. */
  get(bytes: Uint8Array, start: number, end: number, decode: () => Attributes): Attributes {
    if (end - start > MAX_BYTES) return decode();
    // FNV-1a. A collision costs a decode, never a wrong answer, so it needs no seed.
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
    const found = this.#entries.get(hash);
    if (found !== undefined) this.#entries.delete(hash);
    if (found !== undefined && equalBytes(found.bytes, bytes, start, end)) {
      this.#entries.set(hash, found);
      return found.attributes;
    }
    const attributes = decode();
    this.#entries.set(hash, { bytes: bytes.slice(start, end), attributes });
    if (this.#entries.size > MAX_ENTRIES) this.#entries.delete(this.#entries.keys().next().value!);
    return attributes;
  }
}

function equalBytes(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false;
  return true;
}
