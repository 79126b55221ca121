/** Runs inside a page: measures what people see and touch. Returns a list of complaints, empty when all is well. */
(options) => {
  const complaints = [];
  const complain = (kind, element, detail) => {
    const text = (element.getAttribute("aria-label") || element.textContent || "").trim().slice(0, 40);
    complaints.push(`${kind}: <${element.tagName.toLowerCase()} class="${element.getAttribute("class") ?? ""}"> ${text}: ${detail}`);
  };

  // --- colours: WCAG relative luminance and contrast ratio ---
  const parse = (text) => {
    const [r, g, b, a = 1] = (text.match(/[\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a),
    g: top.g * top.a + below.g * (1 - top.a),
    b: top.b * top.a + below.b * (1 - top.a),
    a: 1,
  });
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const groundOf = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.a > 0) layers.push(colour);
      if (colour.a === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const ratio = (ink, ground) => {
    const [light, dark] = [luminance(over(ink, ground)), luminance(ground)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };

  // --- texts that are visible, with their boxes ---
  const hides = (element) =>
    !element.checkVisibility() || // what a closed <details> holds has boxes, and is not seen
    element.closest(".hidden, [hidden], option, script, style, noscript") !== null ||
    getComputedStyle(element).clipPath === "inset(50%)";
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element || hides(element)) continue;
    if (options.scope && !element.closest(options.scope)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const boxes = [...range.getClientRects()].filter((box) => box.width > 0 && box.height > 0);
    if (boxes.length > 0 && getComputedStyle(element).visibility === "visible") texts.push({ node, element, boxes });
  }
  const clipped = (element, box) => {
    for (let at = element; at && at !== document.documentElement; at = at.parentElement) {
      const style = getComputedStyle(at);
      const frame = at.getBoundingClientRect();
      const beyond = (axis) =>
        axis === "x" ? box.left < frame.left - 1 || box.right > frame.right + 1 : box.top < frame.top - 3 || box.bottom > frame.bottom + 3;
      for (const axis of ["x", "y"]) {
        const flow = axis === "x" ? style.overflowX : style.overflowY;
        if (flow === "visible" || !beyond(axis)) continue;
        return flow === "auto" || flow === "scroll" ? "scrolled" : "clipped";
      }
    }
    return null;
  };
  const seen = [];
  for (const { element, boxes } of texts) {
    const style = getComputedStyle(element);
    const got = ratio(parse(style.color), groundOf(element));
    if (got < options.contrast) complain("contrast", element, `${got.toFixed(2)} below ${options.contrast}`);
    if (parseFloat(style.fontSize) < options.font - 0.1) complain("small text", element, style.fontSize);
    if (/\{\w+\}/.test(element.textContent)) complain("unfilled words", element, element.textContent);
    for (const box of boxes) {
      // Half the leading of a CJK font is air: only the middle of a line box counts as ink.
      const ink = { left: box.left, right: box.right, top: box.top + box.height * 0.24, bottom: box.bottom - box.height * 0.24 };
      const state = clipped(element, ink);
      if (state === "clipped") complain("clipped", element, JSON.stringify(box));
      if (state === null) seen.push({ element, ink });
      if (state === null && (box.left < -1 || box.right > innerWidth + 1)) complain("beside the page", element, "");
    }
  }
  for (let i = 0; i < seen.length; i += 1) {
    for (let j = i + 1; j < seen.length; j += 1) {
      const [a, b] = [seen[i].ink, seen[j].ink];
      const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (x > 2 && y > 2) complain("overlap", seen[i].element, `with ${seen[j].element.textContent.trim().slice(0, 30)}`);
    }
  }
  if (document.documentElement.scrollWidth > innerWidth + 1) complain("wider than the page", document.documentElement, "");

  // --- targets: size, and room between ---
  const frameOf = (element) => (element.matches("input[type=checkbox]") ? element.closest("label") ?? element : element);
  const targets = [...document.querySelectorAll("button:not(:disabled), a[href], input:not(:disabled), select:not(:disabled)")]
    .filter((element) => !hides(element) && !element.closest("p > a") && (!options.scope || element.closest(options.scope)))
    .map((element) => ({ element, box: frameOf(element).getBoundingClientRect() }))
    .filter(({ element, box }) => box.width > 0 && box.height > 0 && clipped(element, box) === null);
  for (const { element, box } of targets) {
    const least = element.matches(".primary") ? options.primary : options.target;
    if (box.height < least - 0.5 || box.width < options.target - 0.5) {
      complain("small target", element, `${box.width.toFixed(0)}x${box.height.toFixed(0)}`);
    }
  }
  for (let i = 0; i < targets.length; i += 1) {
    for (let j = i + 1; j < targets.length; j += 1) {
      const [a, b] = [targets[i].box, targets[j].box];
      const x = Math.max(a.left, b.left) - Math.min(a.right, b.right);
      const y = Math.max(a.top, b.top) - Math.min(a.bottom, b.bottom);
      if (x < options.gap - 0.5 && y < options.gap - 0.5) {
        complain("targets too close", targets[i].element, `${Math.max(x, y).toFixed(1)} px to ${targets[j].element.textContent.trim().slice(0, 20)}`);
      }
    }
  }
  return complaints;
};
