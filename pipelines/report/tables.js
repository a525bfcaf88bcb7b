"use strict";
(() => {
  const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

  // The number that a cell begins with; null where it begins with none.
  const numberOf = (text) => {
    const plain = text.trim().replaceAll("−", "-").replaceAll(",", "");
    const match = /^(<\s*)?(-?\d+(?:\.\d+)?)(?: × 10(-?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+))?/.exec(plain);
    if (!match) return null;
    const power = match[4] ? Number([...match[4]].map((sign) => SUPERSCRIPTS.indexOf(sign)).join("")) : 0;
    const value = Number(match[2]) * 10 ** (match[3] ? -power : power);
    return match[1] ? value - 1e-9 : value;
  };

  const valueOf = (row, column) => row.cells[column].textContent.trim();

  // Rows without a number come last, whichever way the others go.
  const compare = (column, sign) => (one, other) => {
    const [a, b] = [valueOf(one, column), valueOf(other, column)];
    const [x, y] = [numberOf(a), numberOf(b)];
    if (x !== null && y !== null) return sign * (x - y);
    if (x !== null || y !== null) return x === null ? 1 : -1;
    return sign * a.localeCompare(b);
  };

  for (const table of document.querySelectorAll("table")) {
    const body = table.tBodies[0];
    if (body.rows.length < 2) continue;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const ascending = head.getAttribute("aria-sort") !== "ascending";
        for (const one of heads) one.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
        body.append(...[...body.rows].sort(compare(column, ascending ? 1 : -1)));
      });
    });
  }

  // A table that goes on beyond the right edge says so, until it was scrolled to its end.
  const watch = new ResizeObserver((entries) => entries.forEach(({ target }) => cue(target)));
  const cue = (box) => {
    const more = box.scrollWidth - box.clientWidth - box.scrollLeft > 4;
    box.parentElement.classList.toggle("more", more);
  };
  for (const box of document.querySelectorAll(".scroll")) {
    box.addEventListener("scroll", () => cue(box), { passive: true });
    watch.observe(box);
  }

  // What is folded away on the screen is printed.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });

  // A link to what is folded away opens it.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let one = target; one; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  reveal();
})();
