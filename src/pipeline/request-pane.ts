import type { PaneRecords } from '../clock/clock.ts';
import type { DecodedRecord } from '../receive/record.ts';
import type { AddressedFrame } from '../source/admission.ts';
import type { FrameBuilder, FrameBuilders } from '../source/frame-builder.ts';
import type { ResolvedSource } from '../source/source-key.ts';

/** A source as one request knows it. */
export interface RequestSource {
  /** In place of a handle while the request is decoded: sources are born when their records are handed over. */
  readonly index: number;
  readonly resolved: ResolvedSource;
  readonly shard: number;
  identity: ReadonlyMap<string, string>;
  late: number;
}

/** What one request brought for one pane. */
export class RequestPane implements PaneRecords {
  records = 0;
  newestMs = -Infinity;
  readonly frames: AddressedFrame[] = [];
  readonly sources = new Set<RequestSource>();
  readonly #handOver: (pane: RequestPane, nowMs: number) => Promise<void>;
  readonly #discard: (pane: RequestPane) => void;
  readonly #memory: FrameBuilders;
  #builders: (FrameBuilder | undefined)[] = [];
  #lastSource: RequestSource | null = null;

  constructor(
    memory: FrameBuilders,
    handOver: (pane: RequestPane, nowMs: number) => Promise<void>,
    discard: (pane: RequestPane) => void,
  ) {
    this.#memory = memory;
    this.#handOver = handOver;
    this.#discard = discard;
  }

  append(source: RequestSource, timeMs: number, record: DecodedRecord): void {
    const { shard } = source;
    if (source !== this.#lastSource) this.sources.add((this.#lastSource = source));
    const builder = (this.#builders[shard] ??= this.#memory.take());
    builder.append(source.index, timeMs, record);
    this.records++;
    this.newestMs = Math.max(this.newestMs, timeMs);
    if (!builder.full) return;
    this.#push(shard, builder);
    this.#builders[shard] = undefined;
  }

  close(): void {
    for (const [shard, builder] of this.#builders.entries()) {
      if (builder !== undefined && builder.count > 0) this.#push(shard, builder);
    }
    this.#builders = [];
  }

  #push(shard: number, builder: FrameBuilder): void {
    this.frames.push({ shard, frame: builder.build(), release: () => this.#memory.give(builder) });
  }

  handOver(nowMs: number): Promise<void> {
    return this.#handOver(this, nowMs);
  }

  discard(): void {
    this.#discard(this);
  }
}
