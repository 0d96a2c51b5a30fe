/** The page: one file, no external assets. Its policy allows exactly the inline script and style below, by hash. */
import { createHash } from 'node:crypto';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `script-src ${hash(SCRIPT)}`,
  `style-src ${hash(STYLE)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>logdrift</title>
<style>${STYLE}</style>
</head>
<body>
<svg width="0" height="0" aria-hidden="true"><linearGradient id="by-score" gradientUnits="userSpaceOnUse" x1="0" x2="0" y1="0" y2="32">
  <stop offset="43.75%" class="loud"/><stop offset="43.75%" class="calm"/>
</linearGradient></svg>
<header>
  <h1>logdrift</h1>
  <p role="status"><span id="status">connecting …</span> <span id="open"></span></p>
  <p id="updated"></p>
</header>
<form id="login" hidden>
  <label>Token of <code>admin.token_file</code> <input id="token" type="password" autocomplete="current-password"></label>
  <button>Open</button>
</form>
<main>
  <section aria-labelledby="anomalies-title">
    <h2 id="anomalies-title">Anomalies</h2>
    <ol id="anomalies"></ol>
    <button id="more-anomalies" type="button" aria-expanded="false" aria-controls="anomalies" hidden></button>
    <p id="no-anomalies" class="quiet" hidden>None so far. A source is judged from its seventh window on.</p>
  </section>
  <section aria-labelledby="sources-title">
    <h2 id="sources-title">Sources</h2>
    <table>
      <thead><tr><th scope="col">Source</th><th scope="col">State</th><th scope="col">Scores</th><th scope="col" class="number">Sigma</th><th scope="col" class="number records">Records</th></tr></thead>
      <tbody id="sources"></tbody>
    </table>
    <button id="more-sources" type="button" aria-expanded="false" aria-controls="sources" hidden></button>
    <p id="no-sources" class="quiet" hidden>No source has sent a record yet. Point the OTLP exporter of a Collector or an SDK at logdrift: port 4317 for gRPC, 4318 for HTTP, unless configured otherwise.</p>
  </section>
</main>
<dialog id="explain" aria-labelledby="explain-title">
  <div class="dialog-buttons">
    <button id="explain-earlier" type="button" aria-label="Earlier window">←</button>
    <button id="explain-later" type="button" aria-label="Later window">→</button>
    <button id="explain-close" type="button" aria-label="Close">×</button>
  </div>
  <h2 id="explain-title"></h2>
  <div id="explain-body"></div>
</dialog>
<script>${SCRIPT}</script>
</body>
</html>
`;
