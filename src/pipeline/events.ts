import type { Instruments } from '../telemetry/instruments.ts';
import type { Log } from '../telemetry/log.ts';
import type { SourceEntry } from '../source/registry.ts';
import { createUnmappedKeys } from '../source/unmapped.ts';
import type { PipelineEvents } from './options.ts';
import type { JudgedStep } from './step.ts';

export interface PipelineEventsOptions {
  log: Log;
  instruments: Instruments;
  judged(step: JudgedStep): Promise<void> | void;
  removed(entry: SourceEntry): void;
  outage(silentSources: number, stepEndMs: number): void;
  fatal(error: Error): void;
}

/** Above this many births (or removals) in a second single lines give way to a summary. */
const LINES_A_SECOND = 20;
/** Unmapped records looked at before the one warning that lists their attribute keys. */
const UNMAPPED_LOOKED_AT = 100;

/** What the service logs and counts of its pipeline. The seed's log lines are verbatim. */
export function pipelineEvents(options: PipelineEventsOptions): PipelineEvents {
  const { log, instruments } = options;
  const births = lineBudget((left) => log.info(`Created ${left} more drift detectors`));
  const removals = lineBudget((left) => log.info(`Removed ${left} more idle drift detectors`));
  const unmappedKeys = createUnmappedKeys();
  let unmappedSeen = 0;
  return {
    judged(step) {
      instruments.step.completed.add(1);
      if (step.gap) instruments.step.missed.add(1);
      instruments.step.lastTimestampSeconds.record(step.stepEndMs / 1000);
      instruments.step.lastDurationSeconds.record(step.durationMs / 1000);
      instruments.step.durationSeconds.record(step.durationMs / 1000);
      for (const reason of step.heldBack) instruments.sources.heldBackWindows.add(1, { reason });
      const { unsorted, ...evicted } = step.evictions;
      instruments.sources.unsortedRecords.add(unsorted);
      for (const [reason, count] of Object.entries(evicted)) {
        if (count > 0) instruments.sources.evictedTemplates.add(count, { reason });
      }
      return options.judged(step);
    },
    created(entry, total) {
      if (!births.take()) return;
      log.info(`Creating drift detector for source: ${entry.key} (total detectors: ${total})`);
      log.info(`Drift detector created for source: ${entry.key} (total detectors: ${total})`);
    },
    removed(entry, remaining) {
      options.removed(entry);
      if (!removals.take()) return;
      log.info(`Removing idle drift detector for source: ${entry.key}`);
      log.info(`Drift detector removed (remaining detectors: ${remaining})`);
    },
    cleanedUp: (removed) => log.info(`Cleaned up ${removed} idle drift detectors`),
    restoreFailed(key, error) {
      instruments.store.restoreErrors.add(1);
      log.warn('Stored state of a source could not be used; it starts cold', { source: key, error: String(error) });
    },
    dropped(reason, records) {
      instruments.sources.droppedRecords.add(records, { reason });
      if (reason === 'source_limit') {
        log.warnLimited(
          'source-limit',
          'Records of new sources are not analysed: logs_config.drift_detection.max_sources is reached',
          {},
        );
      }
    },
    unmapped(resource, record, records) {
      instruments.sources.unmappedRecords.add(records, { reason: 'no_rule' });
      if (unmappedSeen === UNMAPPED_LOOKED_AT) return;
      unmappedKeys.add(resource, record);
      if (++unmappedSeen === 1) setTimeout(() => log.warn(unmappedKeys.warning()), 1_000).unref();
    },
    outage(silentSources, stepEndMs) {
      if (silentSources > 0)
        log.warn('Most sources fell silent at once: taken for an outage of the sender, windows are gaps', {
          sources: silentSources,
        });
      else log.info('Sources are back after an outage of the sender');
      options.outage(silentSources, stepEndMs);
    },
    irregular: (message) => log.warn(message),
    committed: (durationMs) => instruments.store.commitDurationSeconds.record(durationMs / 1000),
    commitFailed(error) {
      instruments.store.commitErrors.add(1);
      log.warnLimited('commit', 'A checkpoint failed; it is tried again with the next step', { error: String(error) });
    },
    fatal: options.fatal,
  };
}

/** Grants so many lines a second; what was left out is reported once that second is over. */
function lineBudget(summarise: (left: number) => void): { take(): boolean } {
  let granted = 0;
  let left = 0;
  return {
    take() {
      if (granted === 0 && left === 0) {
        setTimeout(() => {
          if (left > 0) summarise(left);
          granted = left = 0;
        }, 1_000).unref();
      }
      if (granted < LINES_A_SECOND) {
        granted++;
        return true;
      }
      left++;
      return false;
    },
  };
}
