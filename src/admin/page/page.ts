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
<header>
  <h1>logdrift</h1>
  <p id="status" role="status">connecting …</p>
</header>
<form id="login" hidden>
  <label>Token <input id="token" type="password" autocomplete="current-password"></label>
  <button>Open</button>
</form>
<main>
  <section aria-labelledby="sources-title">
    <h2 id="sources-title">Sources</h2>
    <table>
      <thead><tr><th>Source</th><th>Scores</th><th class="number">Sigma</th><th class="number">Records</th><th>State</th></tr></thead>
      <tbody id="sources"></tbody>
    </table>
    <p id="no-sources" class="quiet" hidden>No source has sent a record yet.</p>
  </section>
  <section aria-labelledby="anomalies-title">
    <h2 id="anomalies-title">Anomalies</h2>
    <ol id="anomalies"></ol>
    <p id="no-anomalies" class="quiet" hidden>None so far.</p>
  </section>
</main>
<dialog id="explain" aria-labelledby="explain-title">
  <button id="explain-close" type="button" aria-label="Close">×</button>
  <h2 id="explain-title"></h2>
  <div id="explain-body"></div>
</dialog>
<script>${SCRIPT}</script>
</body>
</html>
`;
