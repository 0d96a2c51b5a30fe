import type {
  Attributes,
  DecodedRecord,
  Departure,
  ExportResult,
  ExportTarget,
  Intake,
  RecordSink,
} from '../receive/record.ts';
import type { ArrivalClock, PaneOf } from '../clock/clock.ts';
import { REFUSED, type RecordFrame } from '../detect/frame.ts';
import { admit, MAX_WAITING } from '../source/admission.ts';
import { OWN_SCOPE_NAME } from '../source/decide.ts';
import { addressFrame, FrameBuilders } from '../source/frame-builder.ts';
import type { DropReason, Registry, SourceEntry } from '../source/registry.ts';
import type { ResolvedSource, SourceResolver } from '../source/source-key.ts';
import { RequestPane, type RequestSource } from './request-pane.ts';

/** Distinct panes of one request (event time only): a request of invented times must not cost more than its bytes. */
const MAX_PANES = 10_000;
/** What a Date can hold; beyond it a millisecond is no longer exact. */
const MAX_TIME_MS = 8.64e15;

export interface ArrivalOptions {
  /** False: everything is answered and counted, nothing analysed. */
  enabled: boolean;
  resolver: SourceResolver;
  registry: Registry;
  clock: ArrivalClock;
  /** Identity of a source after one more resource spoke for it. */
  identify(current: ReadonlyMap<string, string> | null, resource: Attributes): ReadonlyMap<string, string>;
  /** Resolves once the shard has the source with its state from the store; null when it has it already. */
  restoring(entry: SourceEntry): Promise<void> | null;
  waiting: Int32Array;
  patienceMs?: number;
  post(shard: number, frame: RecordFrame): void;
  onDrop(reason: DropReason, records: number, entry: SourceEntry | null): void;
  /** @param record one of the `records` that named no source; only its attributes and body fields are valid */
  onUnmapped(resource: Attributes, record: DecodedRecord, records: number): void;
}

/**
 * The arrival leg: decoded records become frames for their shards. Everything up to {@link Intake.commit} is synchronous and touches
 * nothing outside the request; `commit` is the only wait, and only for room.
 */
export function createArrival(options: ArrivalOptions): ExportTarget {
  const memory = new FrameBuilders();
  return { begin: () => new ArrivalIntake(options, memory) };
}

/** Records of one request, sorted into frames by pane and shard. A request dropped without commit counts nothing and creates nothing. */
class ArrivalIntake implements Intake, RecordSink {
  readonly sink = this;
  readonly wantedAttributes: ReadonlySet<string>;
  readonly wantedBodyFields: ReadonlySet<string>;
  readonly #options: ArrivalOptions;
  readonly #nowMs: number;
  readonly #paneOf: PaneOf;
  readonly #memory: FrameBuilders;
  #resource: Attributes = new Map();
  #scope = '';
  #lastResource: Attributes | null = null;
  #lastResolved: ResolvedSource | null = null;
  #lastSource: RequestSource | null = null;
  readonly #sources = new Map<string, RequestSource>();
  readonly #dropped = new Map<DropReason, number>();
  readonly #panes = new Map<number, RequestPane>();
  #unmapped: { resource: Attributes; record: DecodedRecord; records: number } | null = null;
  /** Outcome, filled while panes are handed over. */
  #rejected = 0;
  #fullest = '';
  #limited = 0;

  constructor(options: ArrivalOptions, memory: FrameBuilders) {
    this.#options = options;
    this.#memory = memory;
    this.wantedAttributes = options.resolver.wantedAttributes;
    this.wantedBodyFields = options.resolver.wantedBodyFields;
    this.#nowMs = options.clock.nowMs();
    this.#paneOf = options.clock.panes();
  }

  resource(attributes: Attributes): void {
    this.#resource = attributes;
  }

  scope(name: string): void {
    this.#scope = name;
  }

  record(record: DecodedRecord): void {
    if (!this.#options.enabled) return this.#drop('disabled');
    // Loop guard: a Collector may route our anomalies back to us.
    if (this.#scope === OWN_SCOPE_NAME || record.ownEvent) return this.#drop('own_anomaly');
    const resolved = this.#options.resolver.resolve(this.#resource, this.#scope, record);
    if (resolved.excluded) return this.#drop('excluded');
    if (!resolved.mapped) this.#noteUnmapped(record);
    const source = this.#source(resolved);
    const observedMs = usable(record.observedTimeMs);
    const timeMs = usable(record.timeMs) || observedMs || this.#nowMs;
    const pane = this.#paneOf(observedMs || timeMs, timeMs);
    if (pane === null) {
      source.late++;
      return;
    }
    let open = this.#panes.get(pane);
    if (open === undefined) {
      if (this.#panes.size === MAX_PANES) return this.#drop('future');
      this.#panes.set(pane, (open = this.#openPane()));
    }
    if (resolved.textAttribute !== null) useAttribute(record, resolved.textAttribute);
    open.append(source, timeMs, record);
  }

  async commit(_signal: Departure): Promise<ExportResult> {
    const { clock, registry, onDrop, onUnmapped } = this.#options;
    for (const [reason, records] of this.#dropped) onDrop(reason, records, null);
    if (this.#unmapped !== null) onUnmapped(this.#unmapped.resource, this.#unmapped.record, this.#unmapped.records);
    for (const { resolved, late } of this.#sources.values()) {
      if (late === 0) continue;
      const entry = registry.get(resolved.key) ?? null;
      if (entry !== null) {
        entry.lastSeenMs = Math.max(entry.lastSeenMs, clock.nowMs());
        entry.paneLost += late;
        entry.late += late;
      }
      onDrop('late', late, entry);
    }
    for (const pane of this.#panes.values()) pane.close();
    if (this.#panes.size > 0) await clock.take(this.#panes);
    return { rejectedLogRecords: this.#rejected, errorMessage: this.#message() };
  }

  #drop(reason: DropReason, records = 1): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + records);
  }

  #message(): string {
    if (this.#rejected > 0) {
      return `${this.#fullest} sends faster than it is analysed: ${this.#rejected} records beyond ${MAX_WAITING} waiting were refused; other sources lost nothing`;
    }
    if (this.#limited === 0) return '';
    return `${this.#limited} records of new sources were accepted but not analysed: logs_config.drift_detection.max_sources is reached`;
  }

  #source(resolved: ResolvedSource): RequestSource {
    if (resolved === this.#lastResolved && this.#resource === this.#lastResource) return this.#lastSource!;
    const { registry, identify } = this.#options;
    let source = this.#sources.get(resolved.key);
    if (source === undefined) {
      const index = this.#sources.size;
      const identity = identify(null, this.#resource);
      this.#sources.set(
        resolved.key,
        (source = { index, resolved, shard: registry.shardOf(resolved.key), identity, late: 0 }),
      );
    } else source.identity = identify(source.identity, this.#resource);
    this.#lastResource = this.#resource;
    this.#lastResolved = resolved;
    this.#lastSource = source;
    return source;
  }

  /** One record a request is looked at, all are counted. */
  #noteUnmapped(record: DecodedRecord): void {
    if (this.#unmapped === null) {
      const keys = record.attributeKeys();
      const copy: DecodedRecord = {
        ...record,
        attributes: new Map(record.attributes),
        bodyFields: new Map(record.bodyFields),
        attributeKeys: () => keys,
      };
      this.#unmapped = { resource: this.#resource, record: copy, records: 0 };
    }
    this.#unmapped.records++;
  }

  #openPane(): RequestPane {
    return new RequestPane(
      this.#memory,
      (pane, nowMs) => this.#handOver(pane, nowMs),
      (pane) => this.#options.onDrop('future', pane.records, null),
    );
  }

  async #handOver(pane: RequestPane, nowMs: number): Promise<void> {
    const { restoring, onDrop } = this.#options;
    const handles = new Int32Array(this.#sources.size).fill(REFUSED);
    const entries = new Map<number, SourceEntry>();
    for (const source of pane.sources) {
      const entry = this.#entry(source, nowMs);
      if (entry === null) continue;
      handles[source.index] = entry.handle;
      entries.set(entry.handle, entry);
      entry.arriving++;
    }
    try {
      for (const entry of entries.values()) await restoring(entry);
      let limited = 0;
      for (const { frame } of pane.frames) limited += addressFrame(frame, handles);
      if (limited > 0) {
        this.#limited += limited;
        onDrop('source_limit', limited, null);
      }
      for (const [handle, { admitted, refused }] of await admit(pane.frames, this.#options)) {
        const entry = entries.get(handle)!;
        entry.received += admitted;
        entry.paneReceived += admitted;
        if (refused === 0) continue;
        entry.paneLost += refused;
        entry.dropped.set('waiting_limit', (entry.dropped.get('waiting_limit') ?? 0) + refused);
        this.#rejected += refused;
        this.#fullest = entry.key;
        onDrop('waiting_limit', refused, entry);
      }
    } finally {
      for (const entry of entries.values()) entry.arriving--;
    }
  }

  #entry({ resolved, identity }: RequestSource, nowMs: number): SourceEntry | null {
    const { registry, identify } = this.#options;
    const known = registry.get(resolved.key);
    if (known === undefined) return registry.open(resolved, identity, nowMs);
    known.identity = identify(known.identity, identity);
    known.lastSeenMs = Math.max(known.lastSeenMs, nowMs);
    return known;
  }
}

/** 0 for a time that cannot be one. */
function usable(timeMs: number): number {
  return Math.abs(timeMs) <= MAX_TIME_MS ? timeMs : 0;
}

const utf8 = new TextEncoder();

/** Some sources carry their text in an attribute (syslog: `message`). */
function useAttribute(record: DecodedRecord, key: string): void {
  const text = record.attributes.get(key) ?? record.bodyFields.get(key);
  if (text === undefined) return;
  record.text = utf8.encode(text);
  record.textStart = 0;
  record.textEnd = record.text.length;
}
