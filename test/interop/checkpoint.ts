/** What a logdrift that is not running any more left in `storage.directory`. */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export interface Checkpoint {
  /** Counted in all windows, each under its template; of use where windows do not overlap (`window_size` = `window_step`). */
  records: number;
  /** Number of the newest window, null = there is none. */
  newestWindow: number | null;
  templates: string[];
}

export function checkpoint(directory: string): Checkpoint {
  const database = new DatabaseSync(join(directory, 'logdrift.db'));
  try {
    const windows = database
      .prepare('SELECT blob FROM windows')
      .all()
      .map(({ blob }) => Buffer.from(blob as Uint8Array));
    const newest = database.prepare('SELECT max(window_id) AS newest FROM windows').get()!['newest'];
    const templates = database.prepare('SELECT blob FROM templates WHERE number >= 0').all();
    return {
      // A window begins with its records (`detect/persist.ts`).
      records: windows.reduce((sum, window) => sum + window.readDoubleBE(0), 0),
      newestWindow: newest as number | null,
      templates: templates.map(({ blob }) => (JSON.parse(new TextDecoder().decode(blob as Uint8Array)) as Row).text),
    };
  } finally {
    database.close();
  }
}

interface Row {
  text: string;
}
