/**
 * `${env:NAME}`, `${env:NAME:-default}` and `$$` (a plain `$`), as in the Collector's configuration.
 * The default stands in when the variable is not set at all; set but empty is empty.
 * `${1}` stays: `sources.rules` uses it for capture groups.
 */

export interface Expanded {
  text: string;
  /** Something came from the environment (or from a default). */
  expanded: boolean;
}

const REFERENCE = /\$\$|\$\{([^}]*)\}/g;

/** @throws Error whose message fits the configuration's problem lines: `what is wrong – what to do` */
export function expandEnvironment(text: string, env: NodeJS.ProcessEnv): Expanded {
  let expanded = false;
  const result = text.replaceAll(REFERENCE, (written: string, inside: string | undefined) => {
    if (inside === undefined) return '$';
    if (/^\d+$/.test(inside)) return written;
    if (!inside.startsWith('env:')) {
      const name = /^[A-Za-z_]\w*$/.test(inside) ? inside : 'NAME';
      throw new Error(`only \${env:…} is known – write \${env:${name}}, or $\${ for the text itself`);
    }
    if (inside.includes('${')) throw new Error('a default cannot hold another ${…} – set the variable instead');
    const cut = inside.indexOf(':-');
    const name = inside.slice('env:'.length, cut === -1 ? undefined : cut);
    if (!/^[A-Za-z_]\w*$/.test(name))
      throw new Error('the variable name is not valid – write ${env:NAME} or ${env:NAME:-default}');
    expanded = true;
    const value = env[name] ?? (cut === -1 ? undefined : inside.slice(cut + 2));
    if (value === undefined) {
      throw new Error(`environment variable ${name} is not set – set it, or give a default: \${env:${name}:-default}`);
    }
    return value;
  });
  return { text: result, expanded };
}
