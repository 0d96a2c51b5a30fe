/**
 * Drain (He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017) the way it is usually written in a scripting
 * language: strings, regular expressions, Maps.
 */
const MASKS: [RegExp, string][] = [
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b/g, '<IP>'],
  [/\b0x[0-9a-f]+\b/gi, '<HEX>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<UUID>'],
  [/[-+]?\b\d+(?:\.\d+)?\b/g, '<NUM>'],
];
const WILDCARD = '<*>';
const SIMILARITY = 0.4;
const DEPTH = 4;
const MAX_CHILDREN = 100;

interface Cluster {
  tokens: string[];
  count: number;
}

interface Node {
  children: Map<string, Node>;
  clusters: Cluster[];
}

export class StringDrain {
  #byLength = new Map<number, Node>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(line: string): Cluster {
    for (const [pattern, mask] of MASKS) line = line.replace(pattern, mask);
    const tokens = line.trim().split(/\s+/);
    const leaf = this.#leafOf(tokens);
    let best: Cluster | null = null;
    let bestSimilarity = SIMILARITY;
    for (const cluster of leaf.clusters) {
      const similarity = similarityOf(cluster.tokens, tokens);
      if (similarity >= bestSimilarity) {
        best = cluster;
        bestSimilarity = similarity;
      }
    }
    if (best === null) {
      best = { tokens, count: 0 };
      leaf.clusters.push(best);
      this.#size++;
    } else {
      best.tokens = best.tokens.map((token, i) => (token === tokens[i] ? token : WILDCARD));
    }
    best.count++;
    return best;
  }

  #leafOf(tokens: string[]): Node {
    let node = child(this.#byLength, tokens.length);
    for (const token of tokens.slice(0, DEPTH - 2)) {
      const key = /\d/.test(token) || node.children.size >= MAX_CHILDREN ? WILDCARD : token;
      node = child(node.children, key);
    }
    return node;
  }
}

function child<K>(children: Map<K, Node>, key: K): Node {
  let node = children.get(key);
  if (node === undefined) children.set(key, (node = { children: new Map(), clusters: [] }));
  return node;
}

function similarityOf(template: string[], tokens: string[]): number {
  let same = 0;
  for (let i = 0; i < tokens.length; i++) if (template[i] === tokens[i]) same++;
  return same / tokens.length;
}
