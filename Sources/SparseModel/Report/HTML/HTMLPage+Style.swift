/// How pages look: in light and in dark, on a phone and on paper.
///
/// Charts take their colours from here; series also differ in dashes and marks, and cells carry their numbers.
let pageStyle: StaticString = """
  :root { color-scheme: light dark; --back: #ffffff; --panel: #f5f6f8; --text: #1b1f24; --quiet: #57606a;
    --line: #d5d9de; --heat: #2f6fdf; --heat-most: .62; --bar: #2f6fdf; --warn: #fff4d6; --warn-line: #c98a00;
    --s0: #1f5fd0; --s1: #b3440e; --s2: #12784a; --s3: #8a3ab9; --s4: #8b6500; --s5: #0a7285; --s6: #b3286b; }
  @media (prefers-color-scheme: dark) { :root { --back: #14171b; --panel: #1e2228; --text: #e7eaee;
    --quiet: #a3abb5; --line: #3a414a; --heat: #3f7df0; --heat-most: .68; --bar: #5b93ff; --warn: #37290a;
    --warn-line: #e0a52b; --s0: #78a9ff; --s1: #ff9162; --s2: #56c98b; --s3: #cf9bf5; --s4: #e0b84a; --s5: #54c7dc;
    --s6: #ff86b7; } }
  * { box-sizing: border-box; }
  body { margin: 0 auto; max-width: 70rem; padding: 1.5rem 1.25rem 3rem; background: var(--back); color: var(--text);
    font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
  header p { font-size: 1.1rem; max-width: 52rem; }
  h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .5rem; overflow-wrap: anywhere; }
  h2 { font-size: 1.25rem; margin: 2.25rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--line); }
  h1, h2, p, li, dd { text-wrap: pretty; overflow-wrap: anywhere; }
  p, ul { margin: .5rem 0; max-width: 52rem; }
  .note, footer, figcaption { color: var(--quiet); font-size: .875rem; }
  .key { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem; list-style: none;
    margin: 1.25rem 0; padding: 0; max-width: none; }
  .key li { background: var(--panel); border-radius: .5rem; padding: .75rem .9rem; }
  .key strong { display: block; font-size: 1.35rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
  .key span { color: var(--quiet); font-size: .875rem; line-height: 1.35; display: block; }
  .notice { background: var(--warn); border-left: .3rem solid var(--warn-line); border-radius: .25rem;
    padding: .5rem 1rem; margin: 1.25rem 0; }
  .scroll { overflow-x: auto; margin: .75rem 0; }
  table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
  th, td { padding: .3rem .75rem .3rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
  th { color: var(--quiet); font-weight: 600; vertical-align: bottom; }
  th.n, td.n { text-align: right; white-space: nowrap; }
  td:first-child { white-space: nowrap; } td.name:first-child { white-space: normal; }
  td.name { font-family: ui-monospace, SFMono-Regular, Consolas, "DejaVu Sans Mono", monospace; font-size: .8rem;
    overflow-wrap: anywhere; min-width: 11rem; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; margin: .75rem 0; font-size: .95rem; }
  dt { color: var(--quiet); } dd { margin: 0; }
  pre { background: var(--panel); border-radius: .5rem; padding: .75rem 1rem; margin: .75rem 0; white-space: pre-wrap;
    overflow-wrap: anywhere; }
  code { font: .85rem/1.5 ui-monospace, SFMono-Regular, Consolas, "DejaVu Sans Mono", monospace; }
  code span { display: inline-block; max-width: 100%; overflow-wrap: anywhere; white-space: pre-wrap; }
  summary { cursor: pointer; padding: .25rem 0; font-weight: 600; }
  .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr)); gap: 1.5rem 2rem;
    align-items: start; margin: 1rem 0; }
  .column > * { margin: 0 0 1.5rem; } .column > :last-child { margin-bottom: 0; }
  figure { margin: 0; max-width: 36rem; }
  figcaption { margin-bottom: .35rem; } figcaption b { color: var(--text); font-size: .95rem; display: block; }
  svg { display: block; width: 100%; height: auto; overflow: visible; }
  svg text { font: 12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: var(--text);
    font-variant-numeric: tabular-nums; }
  svg .quiet { fill: var(--quiet); font-size: 11px; } svg .small { font-size: 10.5px; }
  svg .grid { stroke: var(--line); stroke-width: 1; } svg .axis { stroke: var(--quiet); stroke-width: 1; }
  svg .mark { stroke: var(--text); stroke-width: 1.25; stroke-dasharray: 4 3; }
  svg .bar { fill: var(--bar); } svg .rest { fill: var(--line); }
  svg .cell { fill: var(--heat); stroke: var(--back); stroke-width: 1;
    fill-opacity: calc(.04 + var(--heat-most) * var(--share)); }
  svg .none { fill: var(--panel); stroke: var(--line); }
  svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
  svg .point { stroke-width: 1.25; fill: var(--back); }
  svg .s0 { stroke: var(--s0); } svg .s1 { stroke: var(--s1); stroke-dasharray: 7 3; }
  svg .s2 { stroke: var(--s2); stroke-dasharray: 2 2.5; } svg .s3 { stroke: var(--s3); stroke-dasharray: 9 3 2 3; }
  svg .s4 { stroke: var(--s4); stroke-dasharray: 4 4; } svg .s5 { stroke: var(--s5); stroke-dasharray: 12 4; }
  svg .s6 { stroke: var(--s6); stroke-dasharray: 5 2 1 2 1 2; } svg .point { stroke-dasharray: none; }
  footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .5rem; }
  @media (max-width: 30rem) { body { padding: 1rem .9rem 2rem; } h1 { font-size: 1.4rem; }
    dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; }
    .key { grid-template-columns: 1fr 1fr; } .key strong { font-size: 1.15rem; }
    svg text { font-size: 13px; } svg .quiet { font-size: 12px; } svg .small { font-size: 11.5px; } }
  @media print { @page { margin: 14mm; } :root { --back: #ffffff; --panel: #f5f6f8; --text: #000000; --quiet: #444444;
      --line: #bbbbbb; --heat: #2f6fdf; --heat-most: .62; --bar: #2f6fdf; --warn: #fff4d6; --warn-line: #c98a00;
      --s0: #1f5fd0; --s1: #b3440e; --s2: #12784a; --s3: #8a3ab9; --s4: #8b6500; --s5: #0a7285; --s6: #b3286b; }
    body { max-width: none; padding: 0; font-size: 11pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
    h2 { break-after: avoid; } figure, .notice, .key, tr { break-inside: avoid; } thead { display: table-header-group; }
    .charts { grid-template-columns: 1fr 1fr; gap: 1rem 1.5rem; } .key { grid-template-columns: repeat(5, 1fr); }
    .key strong { font-size: .95rem; } .key li { padding: .5rem .6rem; }
    .scroll { overflow: visible; } table { font-size: 8pt; } th, td { padding-right: .5rem; }
    td.name { font-size: 7pt; min-width: 0; }
    details::details-content { content-visibility: visible; height: auto; block-size: auto; } }

  """
