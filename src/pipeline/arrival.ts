import type { Attributes, DecodedRecord, ExportResult, ExportTarget, Intake, RecordSink } from '../receive/record.ts';
import type { ArrivalClock, PaneFrames } from '../clock/clock.ts';
import { admit, MAX_WAITING, type AddressedFrame } from '../source/admission.ts';
import { FrameBuilder } from '../source/frame-builder.ts';
import type { DropReason, Registry, SourceEntry } from '../source/registry.ts';
import type { ResolvedSource, SourceResolver } from '../source/source-key.ts';
import type { RecordFrame } from '../detect/frame.ts';

const OWN_SCOPE = 'logdrift';

export interface ArrivalOptions {
  /** False: everything is answered and counted, nothing analysed. */
  enabled: boolean;
  resolver: SourceResolver;
  registry: Registry;
  clock: ArrivalClock;
  /** Identity of a source after one more resource spoke for it. */
  identify(current: ReadonlyMap<string, string> | null, resource: Attributes): ReadonlyMap<string, string>;
  /** Resolves once the sources that are being restored from the store have arrived in their shard. */
  restored(): Promise<void> | null;
  waiting: Int32Array;
  patienceMs?: number;
  post(shard: number, frame: RecordFrame): void;
  onDrop(reason: DropReason, records: number, entry: SourceEntry | null): void;
  onUnmapped(resource: Attributes, record: DecodedRecord): void;
}

/**
 * The arrival leg: decoded records become frames for their shards. Everything up to {@link Intake.commit} is synchronous and takes
 * nothing; `commit` is the only wait, and only for room.
 */
export function createArrival(options: ArrivalOptions): ExportTarget {
  return { begin: () => new ArrivalIntake(options) };
}

/** What one request brought of one source. */
interface Tally {
  entry: SourceEntry;
  late: number;
}

/** Records of one request, sorted into frames by pane and shard. Counters move at commit, so that a malformed request counts nothing. */
class ArrivalIntake implements Intake, RecordSink {
  readonly sink = this;
  readonly wantedAttributes: ReadonlySet<string>;
  readonly wantedBodyFields: ReadonlySet<string>;
  readonly #options: ArrivalOptions;
  readonly #nowMs: number;
  #resource: Attributes = new Map();
  #scope = '';
  #lastResolved: ResolvedSource | null = null;
  #lastTally: Tally | null = null;
  #tallies = new Map<SourceEntry, Tally>();
  #dropped = new Map<DropReason, number>();
  #panes = new Map<number, OpenPane>();

  constructor(options: ArrivalOptions) {
    this.#options = options;
    this.wantedAttributes = options.resolver.wantedAttributes;
    this.wantedBodyFields = options.resolver.wantedBodyFields;
    this.#nowMs = options.clock.nowMs();
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
    if (this.#scope === OWN_SCOPE || record.ownEvent) return this.#drop('own_anomaly');
    const { resolver, clock } = this.#options;
    const resolved = resolver.resolve(this.#resource, this.#scope, record);
    if (resolved.excluded) return this.#drop('excluded');
    const timeMs = record.timeMs || record.observedTimeMs || this.#nowMs;
    const tally = this.#tally(resolved, record, timeMs);
    if (tally === null) return this.#drop('source_limit');
    const { entry } = tally;
    entry.lastSeenMs = Math.max(entry.lastSeenMs, clock.isEventTime ? timeMs : this.#nowMs);
    const pane = clock.paneOf(record.observedTimeMs || timeMs, timeMs);
    if (pane === null) {
      tally.late++;
      return this.#drop('late');
    }
    if (resolved.textAttribute !== null) useAttribute(record, resolved.textAttribute);
    let open = this.#panes.get(pane);
    if (open === undefined) this.#panes.set(pane, (open = new OpenPane()));
    open.append(entry, timeMs, record);
  }

  async commit(_signal: AbortSignal): Promise<ExportResult> {
    const { clock, registry, restored, onDrop } = this.#options;
    for (const [reason, records] of this.#dropped) if (reason !== 'late') onDrop(reason, records, null);
    for (const { entry, late } of this.#tallies.values()) {
      if (late === 0) continue;
      entry.paneLost += late;
      entry.late += late;
      onDrop('late', late, entry);
    }
    for (const pane of this.#panes.values()) pane.close();
    const restoring = restored();
    if (restoring !== null) await restoring;
    let rejected = 0;
    let fullest = '';
    await clock.take(this.#panes, async (frames) => {
      for (const [handle, outcome] of await admit(frames, this.#options)) {
        const entry = registry.at(handle)!;
        entry.received += outcome.admitted;
        entry.paneReceived += outcome.admitted;
        if (outcome.refused === 0) continue;
        entry.paneLost += outcome.refused;
        entry.dropped.set('waiting_limit', (entry.dropped.get('waiting_limit') ?? 0) + outcome.refused);
        rejected += outcome.refused;
        fullest = entry.key;
        onDrop('waiting_limit', outcome.refused, entry);
      }
    });
    return { rejectedLogRecords: rejected, errorMessage: this.#message(rejected, fullest) };
  }

  #drop(reason: DropReason): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  #message(rejected: number, fullest: string): string {
    if (rejected > 0) {
      return `${fullest} sends faster than it is analysed: ${rejected} records beyond ${MAX_WAITING} waiting were refused; other sources lost nothing`;
    }
    const limited = this.#dropped.get('source_limit') ?? 0;
    if (limited === 0) return '';
    return `${limited} records of new sources were accepted but not analysed: logs_config.drift_detection.max_sources is reached`;
  }

  #tally(resolved: ResolvedSource, record: DecodedRecord, timeMs: number): Tally | null {
    if (resolved === this.#lastResolved) return this.#lastTally;
    const { clock, registry, identify, onUnmapped } = this.#options;
    if (!resolved.mapped) onUnmapped(this.#resource, record);
    const nowMs = clock.isEventTime ? timeMs : this.#nowMs;
    const known = registry.get(resolved.key);
    const entry = known ?? registry.open(resolved, identify(null, this.#resource), nowMs);
    if (known !== undefined) known.identity = identify(known.identity, this.#resource);
    let tally: Tally | null = null;
    if (entry !== null) {
      tally = this.#tallies.get(entry) ?? { entry, late: 0 };
      this.#tallies.set(entry, tally);
    }
    this.#lastResolved = resolved;
    this.#lastTally = tally;
    return tally;
  }
}

/** The frames of one pane while a request is decoded. */
class OpenPane implements PaneFrames {
  frames: AddressedFrame[] = [];
  newestMs = -Infinity;
  #builders: (FrameBuilder | undefined)[] = [];

  append(entry: SourceEntry, timeMs: number, record: DecodedRecord): void {
    const builder = (this.#builders[entry.shard] ??= new FrameBuilder(64));
    builder.append(entry.handle, timeMs, record);
    this.newestMs = Math.max(this.newestMs, timeMs);
    if (!builder.full) return;
    this.frames.push({ shard: entry.shard, frame: builder.build() });
    this.#builders[entry.shard] = new FrameBuilder(builder.count);
  }

  close(): void {
    for (const [shard, builder] of this.#builders.entries()) {
      if (builder !== undefined && builder.count > 0) this.frames.push({ shard, frame: builder.build() });
    }
    this.#builders = [];
  }
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
