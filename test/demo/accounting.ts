/** The demo may not lose a record: what the service counted must be what was sent. */

/**
 * @param metrics Prometheus text of the service
 * @returns what the service says it accepted
 * @throws Error that names the difference
 */
export function assertAllAnalysed(sent: number, recorded: number, metrics: string): number {
  const accepted = sumOf(metrics, 'logdrift_receiver_accepted_log_records_total');
  const refused = sumOf(metrics, 'logdrift_receiver_refused_log_records_total');
  const dropped = sumOf(metrics, 'logdrift_dropped_records_total');
  if (sent !== recorded) throw new Error(`${sent} records were sent, the recording has ${recorded}`);
  if (refused > 0 || accepted !== sent) {
    throw new Error(`${sent} records were sent, the service accepted ${accepted} and refused ${refused}`);
  }
  if (dropped > 0)
    throw new Error(`${dropped} of ${sent} accepted records were not analysed (logdrift_dropped_records_total)`);
  return accepted;
}

/** A counter summed over its labels; 0 when it has no series yet. */
export function sumOf(metrics: string, name: string): number {
  const series = metrics.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return series.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}
