"""What runs inside a page under test: its audit, axe, and small scripts that watch a button or let it settle."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent
WEB = HERE.parents[1] / "edge" / "web"
AUDIT = (HERE / "audit.js").read_text(encoding="utf-8")
PAGE = (HERE / "page.js").read_text(encoding="utf-8")
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"
#: Only violations are asked for, and no style sheets are fetched again: they serve a rule that is not among these.
AXE_RUN = """async () => (await axe.run(document, {
  runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
  resultTypes: ['violations'],
  preload: {assets: ['media']},
})).violations.map((v) => [v.id, v.impact, v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160))])"""
#: The page as it comes to rest, drawn, as a picture would show it: colours and places under way are at their ends.
SETTLE = """async () => {
  await document.fonts.ready;
  for (let i = 0; i < 2; i += 1) await new Promise((drawn) => requestAnimationFrame(drawn));
  for (const one of document.getAnimations())
    if (one.effect?.getComputedTiming().endTime !== Infinity) one.finish();
}"""
#: Watches a button that is about to be held: "held" once its ring was full, "left" when it let go before, "missed" when
#: it was not pressed at all, "" as long as it is pressed.
WATCH_HOLD = """(button) => {
  let pressed = false, how = "";
  const left = () => { if (button.dataset.held === "true") how ||= "left"; };
  for (const kind of ["pointerleave", "pointercancel", "pointerup", "blur"]) button.addEventListener(kind, left);
  const wait = window.setTimeout;
  window.setTimeout = (act, ms, ...rest) =>
    wait(() => { if (ms === 1000 && button.dataset.held === "true") how ||= "held"; act(); }, ms, ...rest);
  new MutationObserver(() => {
    if (button.dataset.held === "true") pressed = true;
    else if (pressed) how ||= "left";
  }).observe(button, {attributes: true, attributeFilter: ["data-held"]});
  window.holding = () => how || (!pressed ? "missed" : button.isConnected ? "" : "left");
}"""
#: Catches the timers of rings (``HOLD_MS`` of edge/web/src/parts/Hold.tsx) until ``rings.over()``: however slow the
#: machine, none of them comes to its end. ``begun``: how many were begun; ``running``: how many were not let go.
CATCH_RINGS = """() => {
  const wait = window.setTimeout, stop = window.clearTimeout, running = new Set();
  let begun = 0;
  window.setTimeout = (act, ms, ...rest) =>
    ms === 1000 ? (running.add(-1 - begun), (begun += 1), -begun) : wait(act, ms, ...rest);
  window.clearTimeout = (id) => running.delete(id) || stop(id);
  window.rings = {
    told: () => ({begun, running: running.size}),
    over: () => { window.setTimeout = wait; window.clearTimeout = stop; },
  };
}"""
#: Two pictures were drawn: what the page had to do after the last act, it has done.
DRAWN = """async () => {
  for (let i = 0; i < 2; i += 1) await new Promise((drawn) => requestAnimationFrame(drawn));
}"""
#: Waits for half a second at most until EXPRESSION is true.
LOOK = """async () => {
  for (let i = 0; ; i += 1) {
    const seen = (EXPRESSION);
    if (seen || i === 25) return seen;
    await new Promise((again) => setTimeout(again, 20));
  }
}"""
