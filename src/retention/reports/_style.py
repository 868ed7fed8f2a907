"""How a page looks; colours are variables, so that light and dark differ in them alone."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1c2430; --faint: #5d6878; --line: #dbe0e8; --card: #f5f7fa;
  --link: #2462a8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181f; --ink: #e4e8ee; --faint: #98a3b3; --line: #323a46; --card: #1c222b;
    --link: #7fb4ee;
    --chart-1: #7b8192; --chart-2: #bf86e2; --chart-3: #376ef5; --chart-4: #5ccea0;
    --chart-5: #f5c132; --chart-6: #c25942; --chart-7: #b7dff5; --chart-8: #d2d67c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC",
    "WenQuanYi Micro Hei", sans-serif;
}
main { max-width: 1080px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 26px; line-height: 1.25; margin: 0 0 6px; }
h1 small { display: block; font-size: 16px; font-weight: 400; color: var(--faint); }
h2 { font-size: 20px; margin: 44px 0 14px; padding-top: 14px; border-top: 1px solid var(--line); }
h3 { font-size: 15px; margin: 22px 0 6px; }
p { margin: 6px 0; }
a { color: var(--link); }
code { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 0.92em; }
small, .note { color: var(--faint); font-size: 13px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px; margin-top: 16px; font-size: 14px; }
.tiles { display: flex; flex-wrap: wrap; gap: 12px; margin-top: 16px; }
.tiles div { flex: 1 1 180px; padding: 10px 14px; border-radius: 8px; background: var(--card); }
.tiles b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--faint); font-size: 13px; }
.wide { overflow-x: auto; margin: 12px 0; }
svg { display: block; }
@media print, (min-width: 760px) { svg { max-width: 100%; } }
table { border-collapse: collapse; width: 100%; font-size: 14px; line-height: 1.4; }
th, td { padding: 7px 14px 7px 0; text-align: left; vertical-align: top; }
th { color: var(--faint); font-weight: 600; border-bottom: 1px solid var(--line); }
td { border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
td:first-child { min-width: 120px; }
.upkeep { min-width: 720px; }
.upkeep th:nth-child(1) { width: 13%; }
.upkeep th:nth-child(2) { width: 32%; }
.upkeep th:nth-child(3) { width: 25%; }
.upkeep th:nth-child(4) { width: 30%; }
.rules th:first-child { width: 18%; }
td code { white-space: nowrap; }
td small { font-size: 12px; }
.cards {
  display: grid; gap: 14px;
  grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr));
}
.cards article { padding: 12px 16px; border-radius: 8px; background: var(--card); }
.cards h3 { margin: 0 0 4px; overflow-wrap: anywhere; font-size: 17px; }
.cards ul { margin: 2px 0 4px; padding-left: 20px; }
.cards .not { color: var(--faint); font-size: 13px; margin: 2px 0; }
@media print { .cards article, svg, tr { break-inside: avoid; } nav { display: none; } }
"""
