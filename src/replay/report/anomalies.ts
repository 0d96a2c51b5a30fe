/** What each anomaly said, as it was sent when it was worst: opened by a click, here or in the drawing. */
import { truncate } from '../../alert/message.ts';
import { CHANNELS } from '../../detect/channels/channels.ts';
import type { TopTemplate } from '../../detect/verdict.ts';
import { count, Html, markup, utc } from './html.ts';
import type { ReportEpisode, Timeline } from './timeline.ts';

const MAX_TEMPLATES = 4;
const MAX_MESSAGE_CHARACTERS = 500;
const MAX_TEMPLATE_CHARACTERS = 240;
/** Full length of a channel's bar, unless one has more. */
const USUAL_NATS = 12;

export function anomalySection({ episodes }: Timeline): Html {
  const told = episodes.flatMap((episode, e) => (episode.told === null ? [] : [anomalyDetails(episode, e)]));
  return markup`<section>
    <h2>Anomalies${told.length < episodes.length ? `, the ${count(told.length)} loudest` : ''}</h2>
    ${told.length === 0 ? new Html('<p class="quiet">None.</p>') : [new Html('<p class="quiet">By the end of their window (UTC).</p>'), ...told]}
  </section>`;
}

function anomalyDetails({ severity, startMs, endMs, isOpen, peakScore, told }: ReportEpisode, e: number): Html {
  const { message, verdict } = told!;
  const minutes = Math.round((endMs - startMs) / 60_000);
  const most = Math.max(USUAL_NATS, ...Object.values(verdict.channels ?? {}));
  const channels = CHANNELS.flatMap((channel) => {
    const nats = verdict.channels?.[channel];
    return nats === undefined
      ? []
      : [
          markup`<span>${channel}</span><meter max="${most.toFixed(2)}" value="${nats.toFixed(2)}"></meter
            ><span class="number">${nats.toFixed(1)}</span>`,
        ];
  });
  return markup`<details id="e${e}">
    <summary>
      <span class="quiet">${utc(verdict.windowEndMs)}</span>
      <span class="badge ${severity}">${severity}</span> ${truncate(message, MAX_MESSAGE_CHARACTERS)}
    </summary>
    <div class="detail">
      <p class="quiet">
        peak ${peakScore.toFixed(1)} σ,
        ${isOpen ? 'not over at the end of the recording' : `over after ${count(minutes)} min`}; window
        ${verdict.windowId}, ${count(verdict.records)} records, gates: ${verdict.gates.join(', ') || 'none'}
      </p>
      ${channels.length === 0 ? new Html('') : markup`<div class="nats">${channels}</div>`}
      ${templates(verdict.topTemplates)}
    </div>
  </details> `;
}

function templates(top: readonly TopTemplate[]): Html {
  if (top.length === 0) return new Html('');
  const rows = top.slice(0, MAX_TEMPLATES).map(
    ({ template, count: now, usualCount, share: part, samples }) =>
      markup`<tr>
        <td class="number">${usualCount}</td>
        <td class="number">${now}</td>
        <td class="number">${Math.round(100 * part)} %</td>
        <td>
          <code>${truncate(template, MAX_TEMPLATE_CHARACTERS)}</code
          >${samples.length === 0 ? new Html('') : markup`<br /><code class="quiet">${truncate(samples[0]!, MAX_TEMPLATE_CHARACTERS)}</code>`}
        </td>
      </tr> `,
  );
  return markup`<table>
    <thead>
      <tr>
        <th class="number">usual</th>
        <th class="number">now</th>
        <th class="number">share</th>
        <th>template, and a line of it</th>
      </tr>
    </thead>
    <tbody>
      ${rows}
    </tbody>
  </table>`;
}
