/** The drawings: one lane a source over time, the row of faults above them, the curve of the sweep. Colours come from the page's style. */
import type { Evaluation } from '../evaluation/evaluate.ts';
import { labelName, type Fault, type Labels } from '../evaluation/labels.ts';
import { markup, type Html } from './html.ts';
import type { Lane, ReportEpisode, Timeline } from './timeline.ts';

/** Sigmas at the bottom and the top of a lane; what is beyond is drawn at the edge. */
const LOWEST = -1;
const HIGHEST = 6;
const MAX_FAULTS = 1_000;

/** A lane's drawing: x in columns, y in hundredths of its height, stretched to whatever room there is. */
export function laneChart(
  lane: Lane,
  timeline: Timeline,
  labels: Labels | null,
  thresholds: readonly [number, number],
): Html {
  const { columns } = timeline;
  const [warning, critical] = thresholds.map(yOf) as [number, number];
  const faults = (labels?.faults ?? []).slice(0, MAX_FAULTS).flatMap((fault, f) => {
    const name = labelName(lane.source, labels!.names);
    const isOwn = fault.source === '*' || fault.source === name;
    if (!isOwn && fault.affected !== '*' && !fault.affected.includes(name)) return [];
    const [from, to] = span(fault, timeline);
    return [
      markup`<rect
        class="${isOwn ? 'own' : 'touched'}"
        data-fault="${f}"
        x="${from}"
        y="0"
        width="${to - from}"
        height="100"
      />`,
    ];
  });
  const bars = timeline.episodes.flatMap((episode, e) =>
    episode.source === lane.source ? [bar(episode, e, timeline)] : [],
  );
  return markup`<svg
    class="plot"
    viewBox="0 0 ${columns} 100"
    preserveAspectRatio="none"
    role="img"
    aria-label="scores of ${lane.source}"
  >
    <rect class="band warning" x="0" y="${critical}" width="${columns}" height="${round(warning - critical)}" />
    <rect class="band critical" x="0" y="0" width="${columns}" height="${critical}" />
    ${faults}
    <line class="zero" x1="0" x2="${columns}" y1="${yOf(0)}" y2="${yOf(0)}" />
    <path class="score" d="${scorePath(lane.scores)}" />
    ${bars}
  </svg>`;
}

function bar(episode: ReportEpisode, e: number, timeline: Timeline): Html {
  const from = columnOf(episode.startMs, timeline);
  const to = columnOf(episode.endMs, timeline);
  return markup`<line class="episode ${episode.severity}" data-episode="${e}" x1="${from}" x2="${to}" y1="6" y2="6" /> `;
}

/** Numbers of the faults above the lanes, green where found in their own source, hollow where missed. */
export function faultRow(labels: Labels, evaluation: Evaluation, timeline: Timeline): Html {
  const marks = labels.faults.slice(0, MAX_FAULTS).map((fault, f) => {
    const [from, to] = span(fault, timeline);
    const { result } = outcome(evaluation, f);
    const at = round((from + to) / 2);
    return markup`<g class="mark ${result}" data-fault="${f}"
      ><title>${f + 1} ${fault.kind} in ${fault.source}: ${result}</title
      ><circle data-x="${at}" cx="${percent(at, timeline)}" cy="10" r="8" /><text
        data-x="${at}"
        x="${percent(at, timeline)}"
        y="13.5"
        >${f + 1}</text
      ></g
    >`;
  });
  return markup`<svg class="faults" aria-label="faults">${marks}</svg>`;
}

export function outcome(
  evaluation: Evaluation,
  f: number,
): { result: 'found' | 'elsewhere' | 'missed'; delay: number | null } {
  const { delay_own_source_s: own, delay_s: any } = evaluation.fault_list[f]!;
  if (own !== null) return { result: 'found', delay: own };
  return { result: any === null ? 'missed' : 'elsewhere', delay: any };
}

/** Lines between neighbours; a column without a score is a break. Relative coordinates: a third of the bytes. */
function scorePath(scores: Float64Array): string {
  let path = '';
  let y = NaN;
  for (const [x, score] of scores.entries()) {
    if (Number.isNaN(score)) {
      y = NaN;
      continue;
    }
    const next = Math.round(yOf(score));
    if (Number.isNaN(y)) path += `M${x}.5 ${next}h0`;
    else path += next === y ? 'h1' : `l1 ${next - y}`;
    y = next;
  }
  return path;
}

function yOf(score: number): number {
  return round((100 * (HIGHEST - Math.min(HIGHEST, Math.max(LOWEST, score)))) / (HIGHEST - LOWEST));
}

export function columnOf(ms: number, { startMs, columnMs, columns }: Timeline): number {
  return round(Math.min(columns, Math.max(0, (ms - startMs) / columnMs)));
}

function span({ startMs, endMs }: Fault, timeline: Timeline): [number, number] {
  return [columnOf(startMs, timeline), columnOf(endMs, timeline)];
}

function percent(column: number, { columns }: Timeline): string {
  return `${round((100 * column) / columns)}%`;
}

function round(x: number): number {
  return Math.round(x * 100) / 100;
}

const WIDTH = 560;
const HEIGHT = 300;
const MARGIN = { left: 44, right: 16, top: 14, bottom: 40 };
/** False windows per source and hour at the two ends of the axis. */
const RATES = [0.01, 10] as const;
const LABELLED_THRESHOLDS = [1, 2, 3, 4];

/** Faults found against false windows per source and hour, a point a threshold; chance beside it. */
export function sweepChart({ sweep, random }: Evaluation): Html {
  const x = (rate: number): number => {
    const share = Math.log(Math.max(RATES[0], Math.min(RATES[1], rate)) / RATES[0]) / Math.log(RATES[1] / RATES[0]);
    return round(MARGIN.left + share * (WIDTH - MARGIN.left - MARGIN.right));
  };
  const y = (recall: number): number => round(MARGIN.top + (1 - recall) * (HEIGHT - MARGIN.top - MARGIN.bottom));
  const known = sweep.filter((row) => row.fa_per_source_hour !== null);
  const line = (points: readonly (readonly [number, number])[]): string =>
    points.map(([rate, recall], i) => `${i === 0 ? 'M' : 'L'}${x(rate)} ${y(recall)}`).join('');
  const curve = (value: 'recall' | 'recall_own_source') =>
    known.map((row) => [row.fa_per_source_hour!, row[value]] as const);
  const chance = Object.entries(random.recall_own_source_at)
    .map(([rate, recall]) => [Number(rate), recall] as const)
    .sort(([a], [b]) => a - b);
  const ticks = [0.01, 0.1, 1, 10].map(
    (rate) =>
      markup`<line class="grid" x1="${x(rate)}" x2="${x(rate)}" y1="${y(1)}" y2="${y(0)}" /><text
          class="middle"
          x="${x(rate)}"
          y="${HEIGHT - 22}"
          >${rate === 0.01 ? '≤ 0.01' : String(rate)}</text
        >`,
  );
  const levels = [0, 0.5, 1].map(
    (recall) =>
      markup`<line
          class="grid"
          x1="${MARGIN.left}"
          x2="${WIDTH - MARGIN.right}"
          y1="${y(recall)}"
          y2="${y(recall)}"
        /><text class="end" x="${MARGIN.left - 6}" y="${y(recall) + 4}">${100 * recall} %</text>`,
  );
  // Thresholds that find the same at the same price share a point.
  const points = Array.from(
    Map.groupBy(
      known.filter(({ threshold }) => LABELLED_THRESHOLDS.includes(threshold)),
      (row) => `${x(row.fa_per_source_hour!)} ${y(row.recall_own_source)}`,
    ).values(),
    (rows) => {
      const [px, py] = [x(rows[0]!.fa_per_source_hour!), y(rows[0]!.recall_own_source)];
      const name = rows.map(({ threshold }) => threshold).join(', ');
      return markup`<circle cx="${px}" cy="${py}" r="4" /><text x="${px + 7}" y="${py + 14}">${name} σ</text>`;
    },
  );
  return markup`<svg
    class="sweep"
    viewBox="0 0 ${WIDTH} ${HEIGHT}"
    role="img"
    aria-label="faults found against false windows"
  >
    ${ticks}${levels}
    <path class="any" d="${line(curve('recall'))}" />
    <path class="own" d="${line(curve('recall_own_source'))}" />
    <path class="chance" d="${line(chance)}" />
    ${points}
    <text class="middle" x="${(WIDTH + MARGIN.left) / 2}" y="${HEIGHT - 4}">
      windows above the threshold without a fault, per source and hour
    </text>
  </svg>`;
}
