/**
 * The template miner one would write first: lines as strings, four regular expressions, split at blanks, Maps. Drain as published
 * (He et al. 2017) with its usual settings. What the byte miner is measured against.
 */

const MASKS: readonly RegExp[] = [
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g,
  /\b0x[0-9a-f]+\b|\b[0-9a-f]{16,}\b/gi,
  /(?<![\w.])[-+]?\d+(?:\.\d+)?\b/g,
];
const WILDCARD = '<*>';

export interface StringCluster {
  tokens: string[];
  count: number;
}

interface Node {
  children: Map<string, Node>;
  clusters: StringCluster[];
}

export interface StringDrainOptions {
  similarity: number;
  /** Leading tokens that are levels of the tree. */
  prefixTokens: number;
  maxChildren: number;
}

/** Returns `observe(line)`. */
export function createStringDrain(
  options: StringDrainOptions = { similarity: 0.4, prefixTokens: 2, maxChildren: 100 },
): { observe(line: string): StringCluster; clusters: StringCluster[] } {
  const root = new Map<number, Node>();
  const all: StringCluster[] = [];

  function leafOf(tokens: string[]): Node {
    let node = root.get(tokens.length);
    if (node === undefined) root.set(tokens.length, (node = { children: new Map(), clusters: [] }));
    for (const token of tokens.slice(0, options.prefixTokens)) {
      let key = /\d/.test(token) ? WILDCARD : token;
      if (!node.children.has(key) && node.children.size >= options.maxChildren) key = WILDCARD;
      let child = node.children.get(key);
      if (child === undefined) node.children.set(key, (child = { children: new Map(), clusters: [] }));
      node = child;
    }
    return node;
  }

  function observe(line: string): StringCluster {
    let masked = line;
    for (const mask of MASKS) masked = masked.replace(mask, WILDCARD);
    const tokens = masked.trim().split(/\s+/);
    const leaf = leafOf(tokens);
    let best: StringCluster | undefined;
    let bestEqual = -1;
    for (const cluster of leaf.clusters) {
      const equal = tokens.filter((token, i) => cluster.tokens[i] === token).length;
      if (equal > bestEqual) {
        best = cluster;
        bestEqual = equal;
      }
    }
    if (best !== undefined && bestEqual / tokens.length >= options.similarity) {
      best.tokens = best.tokens.map((token, i) => (token === tokens[i] ? token : WILDCARD));
    } else {
      best = { tokens, count: 0 };
      leaf.clusters.push(best);
      all.push(best);
    }
    best.count++;
    return best;
  }

  return { observe, clusters: all };
}
