import type { Anomaly } from '../alert/anomaly.ts';
import type { Verdict } from '../detect/verdict.ts';
import { printable } from '../telemetry/log.ts';
import { align } from './align.ts';
import type { InputStats } from './inputs.ts';

interface SourceTotals {
  windows: number;
  judged: number;
  warning: number;
  critical: number;
}

/** Anomalies that are told; `--anomalies` has all of them. */
const MOST_TOLD = 10;

/** What a replay says at its end. */
export class ReplaySummary {
  records = 0;
  /** Anomalies that started. */
  episodes = 0;
  readonly #sources = new Map<string, SourceTotals>();
  readonly #dropped = new Map<string, number>();
  /** The loudest starts and escalations, in order of time. */
  #loudest: { score: number; line: string }[] = [];
  #told = 0;
  readonly #outages: { silentSources: number; stepEndMs: number }[] = [];

  verdict(verdict: Verdict): void {
    const totals = this.#of(verdict.source);
    totals.windows++;
    if (verdict.score !== null) totals.judged++;
  }

  anomaly(anomaly: Anomaly): void {
    if (anomaly.phase === 'end') return;
    if (anomaly.phase === 'start') this.episodes++;
    this.#of(anomaly.verdict.source)[anomaly.severity]++;
    this.#told++;
    const at = new Date(anomaly.verdict.windowEndMs).toISOString().slice(0, 16).replace('T', ' ');
    const line = printable(`${at}  ${anomaly.severity.padEnd(8)}  ${anomaly.message}`);
    this.#loudest.push({ score: anomaly.verdict.score ?? 0, line });
    if (this.#loudest.length <= MOST_TOLD) return;
    const least = this.#loudest.reduce((a, b) => (b.score < a.score ? b : a));
    this.#loudest = this.#loudest.filter((one) => one !== least);
  }

  dropped(reason: string, records: number): void {
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + records);
  }

  outage(silentSources: number, stepEndMs: number): void {
    if (silentSources > 0) this.#outages.push({ silentSources, stepEndMs });
  }

  json(input: Readonly<InputStats>): object {
    return {
      records: this.records,
      lines_without_time: input.linesWithoutTime,
      cut_lines: input.cutLines,
      not_analysed: Object.fromEntries(this.#dropped),
      sender_outages: this.#outages.length,
      sources: Object.fromEntries(this.#sorted()),
    };
  }

  table(input: Readonly<InputStats>): string {
    const rows = this.#sorted().map(([source, totals]) => [
      source,
      String(totals.windows),
      String(totals.judged),
      String(totals.warning),
      String(totals.critical),
    ]);
    const notes = [
      ...[...this.#dropped].map(([reason, records]) => `${records} records not analysed (${reason})`),
      ...(input.linesWithoutTime > 0 ? [`${input.linesWithoutTime} lines took the time of the line before`] : []),
      ...(input.cutLines > 0 ? [`${input.cutLines} lines were cut at 1 MiB`] : []),
      ...this.#outages.map(
        ({ silentSources, stepEndMs }) =>
          `${new Date(stepEndMs).toISOString()}: ${silentSources} sources fell silent at once, taken for an outage of the sender`,
      ),
    ];
    const table = align([['source', 'windows', 'judged', 'warning', 'critical'], ...rows]);
    const told = this.#loudest.map(({ line }) => `${line}\n`).join('');
    const more =
      this.#told > MOST_TOLD ? `These are the loudest of ${this.#told}; --anomalies FILE writes all of them.\n` : '';
    const anomalies = told === '' ? '' : `\nanomalies, by the end of their window (UTC)\n${told}${more}\n`;
    return `${table}\n${anomalies}${this.records} records\n${notes.map((note) => `${note}\n`).join('')}`;
  }

  #of(source: string): SourceTotals {
    let totals = this.#sources.get(source);
    if (totals === undefined) this.#sources.set(source, (totals = { windows: 0, judged: 0, warning: 0, critical: 0 }));
    return totals;
  }

  #sorted(): [string, SourceTotals][] {
    return [...this.#sources].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}
