/** Names of fields in OTLP/JSON, and how they are told apart quickly. */
import { buildKeyTable, findKey, type KeyTable } from '../key-table.ts';

/** At least four bytes of ASCII, compared four at a time. */
export class Spelling {
  readonly length: number;
  readonly #words: Int32Array;
  /** Its last four bytes, which may reach into the last of `#words`. */
  readonly #lastWord: number;

  constructor(text: string) {
    const bytes = Buffer.from(text);
    this.length = bytes.length;
    this.#words = Int32Array.from({ length: bytes.length >> 2 }, (_, i) => bytes.readInt32LE(4 * i));
    this.#lastWord = bytes.readInt32LE(bytes.length - 4);
  }

  isAt(view: DataView, pos: number): boolean {
    const words = this.#words;
    const last = pos + this.length - 4;
    if (last + 4 > view.byteLength) return false;
    for (let i = 0; i < words.length; i++) if (view.getInt32(pos + 4 * i, true) !== words[i]) return false;
    return view.getInt32(last, true) === this.#lastWord;
  }
}

/**
 * The fields of one message, each in lowerCamelCase and as the .proto file has it; other receivers take both, too. Senders write the members of
 * their objects always in the same order, so the name that came next the last time is tried first.
 */
export class Names {
  readonly #table: KeyTable;
  /** Place in the table → field. */
  readonly #fields: Uint8Array;
  /** Place in the table → `"name":`. */
  readonly #spellings: readonly Spelling[];
  /** Place in the table → the one that followed it; behind the last, the one that came first. */
  readonly #following: Uint8Array;
  #last: number;

  /** The place of a name in `fields` is its number. */
  constructor(...fields: string[]) {
    const numbers = new Map<string, number>();
    fields.forEach((name, field) => {
      numbers.set(name, field);
      numbers.set(
        name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`),
        field,
      );
    });
    this.#table = buildKeyTable(numbers.keys());
    this.#fields = Uint8Array.from(numbers.values());
    this.#spellings = this.#table.keys.map((name) => new Spelling(`"${name}":`));
    this.#last = numbers.size;
    this.#following = new Uint8Array(numbers.size + 1);
  }

  /** An object begins. */
  restart(): void {
    this.#last = this.#spellings.length;
  }

  /** What probably stands at the next name. */
  get guess(): Spelling {
    return this.#spellings[this.#following[this.#last]!]!;
  }

  /** It does. Returns the field. */
  takeGuess(): number {
    const place = this.#following[this.#last]!;
    this.#last = place;
    return this.#fields[place]!;
  }

  /** The field with the name in `bytes[start, end)`, `unknown` if there is none. */
  find(bytes: Uint8Array, start: number, end: number, unknown: number): number {
    const place = findKey(this.#table, bytes, start, end);
    if (place < 0) return unknown;
    this.#following[this.#last] = place;
    this.#last = place;
    return this.#fields[place]!;
  }
}
