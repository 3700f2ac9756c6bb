// Looks at a rendered page: what is wrong with it, as a list of sentences.
(() => {
  const wrong = [];
  // What is folded is looked at, too.
  for (const folded of document.querySelectorAll("details")) folded.open = true;
  const root = document.documentElement;

  // Nothing but these elements may be there: a name that became markup would be another one, or one at another place.
  const known = new Set(("html head meta link title style body header main section footer div p h1 h2 h3 span strong b i a " +
    "small time ul li dl dt dd table caption thead tbody tr th td figure figcaption script svg path rect line text desc " +
    "details summary").split(" "));
  for (const element of document.querySelectorAll("*")) {
    if (!known.has(element.localName)) wrong.push(`an element <${element.localName}>`);
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on") || name === "style") wrong.push(`an attribute ${name}=${value}`);
    }
  }
  const count = (selector, most) => {
    const found = document.querySelectorAll(selector).length;
    if (found > most) wrong.push(`${found} elements ${selector}, ${most} expected`);
  };
  count("script", 1);
  count("style", 1);
  count("link", 1);
  count("h1", 1);
  const base = document.querySelector("footer a")?.href;
  for (const link of document.querySelectorAll("a")) {
    if (!/^https?:\/\//.test(link.href) || !base || !link.href.startsWith(base)) wrong.push(`a link to ${link.href}`);
  }

  if (root.scrollWidth > root.clientWidth) {
    const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1);
    wrong.push(`it is ${root.scrollWidth} wide in a window of ${root.clientWidth}: ` +
      wide.slice(0, 5).map((e) => `${e.localName}.${e.getAttribute("class") ?? ""}`).join(", "));
  }

  // Headings in order, names of pictures, headings of tables.
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const next = Number(heading.localName[1]);
    if (next > level + 1) wrong.push(`<${heading.localName}> ${heading.textContent} follows <h${level}>`);
    level = next;
  }
  for (const picture of document.querySelectorAll("svg[role=img]")) {
    if (!picture.getAttribute("aria-label") || picture.firstElementChild?.localName !== "title") wrong.push("a picture without a name");
  }
  for (const head of document.querySelectorAll("th")) {
    if (!["col", "row"].includes(head.getAttribute("scope"))) wrong.push(`a heading of a table without scope: ${head.textContent}`);
  }
  // What a pointer shows.
  for (const chart of document.querySelectorAll(".plot svg[role=img]")) {
    const titles = [...chart.querySelectorAll("rect > title")].map((title) => title.textContent);
    if (!titles.length || !titles.every((text) => /^\d\d:\d\d–\d\d:\d\d UTC: ./.test(text))) {
      wrong.push(`a chart with the titles ${titles.slice(0, 3)}`);
    }
  }
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) wrong.push(`two elements of id ${id}`);

  // The contrast of each text with what is behind it (WCAG 2.1, 1.4.3).
  const color = (text) => {
    const [r, g, b, a = 1] = text.match(/[\d.]+/g).map(Number);
    return { r, g, b, a };
  };
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a),
    g: top.g * top.a + below.g * (1 - top.a),
    b: top.b * top.a + below.b * (1 - top.a),
    a: 1,
  });
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.push(color(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 });
  };
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  let texts = 0;
  let least = 99;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || parent.closest("script, style, title, desc")) continue;
    const style = getComputedStyle(parent);
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    // The caption of a table and the banner are there for others, or later.
    if (style.visibility !== "visible" || !range.getClientRects().length) continue;
    const back = behind(parent);
    const front = over(color(parent.closest("svg") ? style.fill : style.color), back);
    const [high, low] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    const contrast = (high + 0.05) / (low + 0.05);
    texts += 1;
    least = Math.min(least, contrast);
    if (contrast < 4.5) wrong.push(`contrast ${contrast.toFixed(2)} of "${walker.currentNode.data.trim().slice(0, 40)}"`);
    if (parseFloat(style.fontSize) < 11) wrong.push(`letters of ${style.fontSize}: "${walker.currentNode.data.trim().slice(0, 40)}"`);
  }
  if (texts < 20) wrong.push(`only ${texts} texts were found`);
  return { wrong: [...new Set(wrong)], texts, least, hostile: window.hostile === undefined };
})()
