/**
 * Runs before the scripts of every page under test: how fast the page's own time passes, which decides when it calls
 * its line dead or an answer lost, and how much its live stream has told. A test machine that starves a page for seconds must look like
 * what it is, not like a dead box; and what a page does after 3 s of silence must be seen without measuring seconds.
 */
(() => {
  const real = performance.now.bind(performance);
  let speed = 1, since = 0, base = 0;
  performance.now = () => base + (real() - since) * speed;
  /** From now on time passes at `next` of its speed (0: it stands), after a jump of `skipMs`. */
  window.pace = (next, skipMs = 0) => {
    base = performance.now() + skipMs;
    since = real();
    speed = next;
  };
  try {
    window.pace(Number(sessionStorage.getItem("test.pace") ?? 1));
  } catch {
    // A page without an origin keeps nothing.
  }
  // The page's long deadlines (an answer, a word that is shown for a while, a board that turns) are of the same time.
  const LONG_MS = 5000;
  const stretched = (ms) => (speed > 0 ? Math.min(ms / speed, 1e9) : 1e9);
  const wait = window.setTimeout.bind(window);
  window.setTimeout = (act, ms, ...rest) => wait(act, ms > LONG_MS ? stretched(ms) : ms, ...rest);
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => timeout(stretched(ms));
  window.heard = { view: 0, pulse: 0 };
  const add = EventSource.prototype.addEventListener;
  EventSource.prototype.addEventListener = function (kind, tell) {
    add.call(this, kind, (event) => {
      tell.call(this, event);
      if (kind in window.heard) window.heard[kind] += 1;
    });
  };
  addEventListener("securitypolicyviolation", (event) => console.error(`CSP ${event.blockedURI}`));
})();
