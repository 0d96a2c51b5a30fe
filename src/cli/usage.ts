export type CommandName = 'serve' | 'validate' | 'replay' | 'test-anomaly' | 'top';

interface OptionText {
  /** `--config FILE` */
  form: string;
  meaning: string;
}

const CONFIG: OptionText[] = [
  { form: '--config FILE', meaning: 'configuration file; without it everything has its default' },
  {
    form: '--set KEY=VALUE',
    meaning: 'one key over the file, for example --set telemetry.endpoint=127.0.0.1:18888; repeatable',
  },
];

const COMMANDS: Record<CommandName, { form: string; meaning: string; options: OptionText[] }> = {
  serve: {
    form: 'logdrift serve [OPTIONS]',
    meaning:
      'Receive logs over OTLP (127.0.0.1:4317 gRPC, :4318 HTTP), report sources that drift; page on http://127.0.0.1:8090/. SIGTERM or Ctrl-C stops it.',
    options: CONFIG,
  },
  validate: {
    form: 'logdrift validate --config FILE [OPTIONS]',
    meaning: 'Check a configuration and exit: 0 when it is good, 78 with every problem when it is not.',
    options: CONFIG,
  },
  replay: {
    form: 'logdrift replay INPUT… [OPTIONS]',
    meaning:
      'Analyse recorded logs on their own time, as fast as possible: OTLP/JSON lines or plain log files, .gz and .zst too.',
    options: [
      ...CONFIG,
      {
        form: '--source KEY',
        meaning: 'source of plain log files, for example file:nginx (default: file:<file name>)',
      },
      {
        form: '--timezone ZONE',
        meaning: 'time zone of times that name none, for example Europe/Berlin (default: UTC)',
      },
      { form: '--scores FILE', meaning: 'write one JSON line per source and window; - is stdout' },
      { form: '--anomalies FILE', meaning: 'write one JSON line per anomaly record; - is stdout' },
      { form: '--labels FILE', meaning: 'score the run against known faults: what was found, how soon, at what price' },
      { form: '--report FILE', meaning: 'write one HTML page: scores over time, anomalies, and faults with --labels' },
      { form: '--json', meaning: 'print the summary as JSON' },
    ],
  },
  'test-anomaly': {
    form: 'logdrift test-anomaly [OPTIONS]',
    meaning:
      'Send one record, marked as a test, to where the configuration sends anomalies; exit 0 when it was accepted, else 1.',
    options: CONFIG,
  },
  top: {
    form: 'logdrift top [OPTIONS]',
    meaning:
      'Show the sources of a running service, those that need attention first, every second until q or Ctrl-C; once where stdout is no terminal.',
    options: [
      { form: '--admin URL', meaning: 'admin port of the service (default: admin.endpoint, http://127.0.0.1:8090)' },
      { form: '--config FILE', meaning: 'configuration of the service: admin.endpoint and admin.token_file are used' },
      CONFIG[1]!,
    ],
  },
};

export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];

/** Help for one command, or the overview. */
export function usage(command?: CommandName): string {
  if (command === undefined) {
    const lines = COMMAND_NAMES.map((name) => `  ${COMMANDS[name].form}\n      ${COMMANDS[name].meaning}`);
    return `Usage:\n${lines.join('\n')}\n\n  logdrift COMMAND --help    options of a command\n  logdrift --version\n`;
  }
  const { form, meaning, options } = COMMANDS[command];
  const width = Math.max(...options.map((option) => option.form.length));
  const lines = options.map((option) => `  ${option.form.padEnd(width)}  ${option.meaning}`);
  return `Usage: ${form}\n\n${meaning}\n\nOptions:\n${lines.join('\n')}\n`;
}
