/** Against Drain3, the reference implementation, on the same lines in the same run; skipped, and said, where Python or PyPI cannot be had. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { FORMATS } from './miner-lines.ts';

const VERSION = '0.9.11';
const LINES = 5_000;
/** Kept between runs. */
const VENV = join(tmpdir(), `logdrift-drain3-${VERSION}`);

/** Usual masks, defaults else. Best of two passes after one that learns; CPU time. */
const SCRIPT = `
import sys, time, json
from drain3 import TemplateMiner
from drain3.template_miner_config import TemplateMinerConfig
from drain3.masking import MaskingInstruction
config = TemplateMinerConfig()
config.profiling_enabled = False
config.masking_instructions = [
  MaskingInstruction(r"((?<=[^A-Za-z0-9])|^)([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})((?=[^A-Za-z0-9])|$)", "ID"),
  MaskingInstruction(r"((?<=[^A-Za-z0-9])|^)(\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3})((?=[^A-Za-z0-9])|$)", "IP"),
  MaskingInstruction(r"((?<=[^A-Za-z0-9])|^)(0x[a-f0-9A-F]+|[0-9a-f]{16,})((?=[^A-Za-z0-9])|$)", "HEX"),
  MaskingInstruction(r"((?<=[^A-Za-z0-9])|^)([\\-\\+]?\\d+)((?=[^A-Za-z0-9])|$)", "NUM"),
]
miner = TemplateMiner(config=config)
lines = open(sys.argv[1], encoding="utf-8").read().split("\\n")
best = float("inf")
for _ in range(3):
  start = time.process_time_ns()
  for line in lines: miner.add_log_message(line)
  best = min(best, (time.process_time_ns() - start) / len(lines))
print(json.dumps({"nanosPerLine": best, "templates": len(miner.drain.clusters)}))
`;

/** Python that has Drain3, null with the reason on the console. */
function python(): string | null {
  const executable = join(VENV, 'bin', 'python');
  try {
    if (!existsSync(executable)) execFileSync('python3', ['-m', 'venv', VENV], { stdio: 'pipe' });
    execFileSync(executable, ['-m', 'pip', 'install', '--quiet', `drain3==${VERSION}`], {
      stdio: 'pipe',
      timeout: 120_000,
    });
    return executable;
  } catch (error) {
    console.log(`skipped: no Drain3 from PyPI here (${(error as Error).message.split('\n')[0]!})`);
    return null;
  }
}

test('steady state: against Drain3 with masks', ({ skip }) => {
  const executable = python();
  if (executable === null) return skip();
  const directory = mkdtempSync(join(tmpdir(), 'logdrift-lines-'));
  const child = fileURLToPath(new URL('./miner-speed.ts', import.meta.url));
  try {
    for (const [name, line] of Object.entries(FORMATS)) {
      const file = join(directory, 'lines');
      writeFileSync(file, Array.from({ length: LINES }, line).join('\n'));
      const theirs = JSON.parse(execFileSync(executable, ['-c', SCRIPT, file], { encoding: 'utf8' })) as Side;
      const ours = JSON.parse(execFileSync(process.execPath, [child, file], { encoding: 'utf8' })) as Side;
      const ratio = theirs.nanosPerLine / ours.nanosPerLine;
      console.log(
        `${name}: ${ratio.toFixed(0)}x (${ours.nanosPerLine.toFixed(0)} against ${theirs.nanosPerLine.toFixed(0)} ns/line)`,
      );
      expect(ratio).toBeGreaterThan(1);
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
});

interface Side {
  nanosPerLine: number;
  templates: number;
}
