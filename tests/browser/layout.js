// What is wrong with the layout of the page as it is now: a list of sentences. Evaluated in the page by test_layout.py.
() => {
  const SLACK = 2; // pixels: borders and rounding
  const NARROWEST = 200;
  const PANELS = "#content .module, #content .panel, #content section, #content .results, #content > form, #content details";
  const BLOCKS = `${PANELS}, #content-main, #content .lead-head, #content .submit-row, #content .messagelist, #content h1`;
  const root = document.documentElement;
  const width = root.clientWidth;
  const problems = [];

  const describe = (element) => {
    const id = element.id ? `#${element.id}` : "";
    const classes = [...element.classList].map((name) => `.${name}`).join("");
    return `<${element.localName}${id}${classes}> “${element.textContent.trim().replace(/\s+/g, " ").slice(0, 30)}”`;
  };
  const isShown = (element) =>
    element.checkVisibility({ visibilityProperty: true }) && !element.closest(".visually-hidden, .skip-to-content-link, #nav-sidebar");
  const box = (element) => element.getBoundingClientRect();
  const scrollsSideways = (element) => ["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(element).overflowX);

  if (root.scrollWidth > width) problems.push(`the page is ${root.scrollWidth} pixels wide`);

  const isInScroller = (element) => {
    for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) if (scrollsSideways(up)) return true;
    return false;
  };
  for (const element of document.body.querySelectorAll("*")) {
    const { left, right, width: wide } = box(element);
    if (!wide || (left >= -SLACK && right <= width + SLACK) || !isShown(element) || isInScroller(element)) continue;
    problems.push(`${describe(element)} leaves the screen: from ${Math.round(left)} to ${Math.round(right)}`);
  }

  for (const panel of document.querySelectorAll(PANELS)) {
    const wide = box(panel).width;
    if (isShown(panel) && box(panel).height && wide < NARROWEST) {
      problems.push(`${describe(panel)} is ${Math.round(wide)} pixels wide`);
    }
  }

  const blocks = [...document.querySelectorAll(BLOCKS)].filter((block) => isShown(block) && box(block).height);
  blocks.forEach((first, place) => {
    for (const second of blocks.slice(place + 1)) {
      if (first.contains(second) || second.contains(first)) continue;
      const [a, b] = [box(first), box(second)];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > SLACK && down > SLACK) problems.push(`${describe(first)} lies over ${describe(second)}`);
    }
  });

  const astray = new Set();
  for (const table of document.querySelectorAll("#content table")) {
    if (!isShown(table)) continue;
    const heads = new Map(); // the column that a header cell begins, and the cell
    let column = 0;
    for (const cell of table.tHead?.rows[table.tHead.rows.length - 1]?.cells ?? []) {
      if (cell.colSpan === 1) heads.set(column, cell);
      column += cell.colSpan;
    }
    for (const row of [...table.tBodies].flatMap((body) => [...body.rows]).slice(0, 5)) {
      column = 0;
      for (const cell of row.cells) {
        const head = heads.get(column);
        column += cell.colSpan;
        if (!head || cell.colSpan > 1 || !isShown(head) || !isShown(cell)) continue;
        const [a, b] = [box(head), box(cell)];
        const shared = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        if (shared < 0.9 * Math.max(a.width, b.width)) astray.add(`${describe(head)} is not above its column`);
        if (head.matches(".number") && getComputedStyle(cell).textAlign !== getComputedStyle(head).textAlign) {
          astray.add(`${describe(cell)} does not stand as ${describe(head)} does`);
        }
      }
    }
  }

  for (const label of document.querySelectorAll("#content label")) {
    if (!label.control || label.contains(label.control) || !isShown(label) || !isShown(label.control)) continue;
    const [a, b] = [box(label), box(label.control)];
    if (b.top >= a.bottom - SLACK && b.left < a.left - SLACK) astray.add(`${describe(label)} is parted from its field`);
  }

  for (const row of document.querySelectorAll("#content .submit-row")) {
    const buttons = [...row.querySelectorAll("a, button, input[type=submit]")].filter(isShown).map(box);
    for (const [place, b] of buttons.slice(1).entries()) {
      const a = buttons[place];
      const isBeside = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > SLACK;
      if (isBeside && Math.max(Math.abs(a.top - b.top), Math.abs(a.bottom - b.bottom)) > 1) {
        problems.push(`${describe(row)}: its buttons do not stand in a line`);
      }
      if (isBeside && b.left - a.right < SLACK * 2) problems.push(`${describe(row)}: its buttons touch`);
    }
  }
  return [...problems, ...astray];
}
