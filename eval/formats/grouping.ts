export interface Grouping {
  /** Share of lines whose group holds exactly the lines of their event (Zhu et al., "Tools and Benchmarks for Automated Log Parsing", ICSE-SEIP 2019). */
  ga: number;
  /** F1 over groups (Jiang et al., "A Large-Scale Evaluation for Log Parsing Techniques", ISSTA 2024). */
  fga: number;
  templates: number;
  events: number;
}

/** @param ids template of each line @param events its true event */
export function scoreGrouping(ids: readonly string[], events: readonly string[]): Grouping {
  const found = groups(ids);
  const truth = new Set([...groups(events).values()].map(String));
  const right = [...found.values()].filter((lines) => truth.has(String(lines)));
  const precision = right.length / found.size;
  const recall = right.length / truth.size;
  return {
    ga: right.reduce((sum, lines) => sum + lines.length, 0) / ids.length,
    fga: right.length === 0 ? 0 : (2 * precision * recall) / (precision + recall),
    templates: found.size,
    events: truth.size,
  };
}

function groups(labels: readonly string[]): Map<string, number[]> {
  const lines = new Map<string, number[]>();
  for (const [line, label] of labels.entries()) {
    const group = lines.get(label);
    if (group === undefined) lines.set(label, [line]);
    else group.push(line);
  }
  return lines;
}
