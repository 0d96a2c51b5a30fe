export const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1c2330, #e4e8ef); --quiet: light-dark(#5d6778, #97a1b3); --paper: light-dark(#fbfbfc, #14181f);
  --card: light-dark(#fff, #1b212b); --line: light-dark(#dfe3ea, #2d3542); --accent: light-dark(#2563a8, #7ab3ee);
  --warning: light-dark(#a15c00, #f0b04a); --critical: light-dark(#b42318, #ff8076); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 1rem; }
#open:not(:empty)::before { content: '· '; }
h1 { font-size: 1.3rem; margin: 0; }
h2 { font-size: 1rem; margin: 0 0 .5rem; }
h3 { font-size: .9rem; margin: 1rem 0 .25rem; }
p { margin: 0; }
header p, .quiet, time, th { color: var(--quiet); }
section, form { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin-top: 1rem; overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 500; font-size: .85rem; }
td, th { padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: middle; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { display: block; width: 180px; height: 32px; }
polyline { fill: none; stroke: url(#by-score); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
stop.loud { stop-color: var(--critical); } stop.calm { stop-color: var(--accent); }
svg[aria-hidden] { position: absolute; width: 0; height: 0; }
svg line { stroke: var(--quiet); stroke-dasharray: 1 3; vector-effect: non-scaling-stroke; }
ol { list-style: none; margin: 0; padding: 0; }
li { border-bottom: 1px solid var(--line); padding: .5rem 0; }
.sample { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; color: var(--quiet); }
.name { min-width: 10rem; unicode-bidi: isolate; overflow-wrap: anywhere; }
td { vertical-align: top; } .templates .number, .levels { white-space: nowrap; } #sources td { vertical-align: middle; }
.detail { margin-top: .15rem; padding-left: 1rem; color: var(--quiet); font-size: .85rem; overflow-wrap: anywhere; }
code { unicode-bidi: isolate; font: .85rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
button { font: inherit; color: inherit; background: none; border: 1px solid var(--line); border-radius: 6px; padding: .15rem .6rem; cursor: pointer; }
.link { unicode-bidi: isolate; border: 0; padding: 0; text-align: left; color: var(--accent); overflow-wrap: anywhere; }
.link:hover { text-decoration: underline; }
.badge { font-size: .8rem; padding: 0 .45rem; border: 1px solid currentColor; border-radius: 99px; margin-right: .4rem; }
.warning { color: var(--warning); } .critical { color: var(--critical); }
.badge.open { color: var(--card); } .open.warning { background: var(--warning); } .open.critical { background: var(--critical); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
dialog { width: min(60rem, 94vw); max-height: 90vh; overflow: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--card); color: var(--ink); }
.bars { display: grid; grid-template-columns: 2.5rem 1fr; align-items: center; min-width: 8rem; } .bar { height: .5rem; border-radius: 2px; background: var(--accent); }
dialog::backdrop { background: rgb(0 0 0 / .4); }
form { overflow-wrap: anywhere; } input { font: inherit; max-width: 100%; }
section > button { margin-top: .5rem; }
.dialog-buttons { float: right; margin-left: .5rem; }
@media (max-width: 40rem) {
  body { padding: .5rem; } section, form { padding: .75rem; }
  .records { display: none; } .bars { min-width: 4.5rem; }
  section thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  #sources tr { display: grid; grid-template-columns: 1fr auto; gap: .1rem .75rem; align-items: center; padding: .4rem 0; border-bottom: 1px solid var(--line); }
  #sources td { border: 0; padding: 0; } .state { text-align: right; }
}
`;
