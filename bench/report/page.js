"use strict";
// Hovering and sorting; the page is whole without them.

// A mark's text appears next to the pointer or the focus; arrow keys walk along a chart's marks.
const tip = document.getElementById("tip");

const place = (x, y) => {
  const gap = 14, box = tip.getBoundingClientRect();
  const left = x + gap + box.width > innerWidth ? x - gap - box.width : x + gap;
  tip.style.left = `${Math.max(4, Math.min(left, innerWidth - box.width - 4))}px`;
  tip.style.top = `${Math.max(4, y + gap + box.height > innerHeight ? y - gap - box.height : y + gap)}px`;
};

const show = (mark, x, y) => {
  tip.textContent = mark.getAttribute("aria-label");
  tip.hidden = false;
  place(x, y);
};

const hide = () => { tip.hidden = true; };

const showAtFocus = (mark) => {
  const box = mark.getBoundingClientRect();
  show(mark, box.left + box.width / 2, box.top + box.height / 2);
};

let pointer = null; // where the mouse last was, for the page may scroll below it
let dismissed = false; // by Escape, until the pointer or the focus moves

const follow = () => {
  const under = pointer && document.elementFromPoint(pointer.x, pointer.y)?.closest(".mark");
  const focused = document.activeElement?.closest(".mark");
  if (dismissed) hide();
  else if (under) show(under, pointer.x, pointer.y);
  else if (focused && focused.matches(":focus-visible")) showAtFocus(focused);
  else hide();
};

document.querySelectorAll(".mark").forEach((mark) => {
  mark.querySelector("title")?.remove(); // the browser's own tip would lie over ours
});

document.addEventListener("pointermove", (event) => {
  pointer = { x: event.clientX, y: event.clientY };
  dismissed = false;
  follow();
});
document.addEventListener("pointerdown", (event) => {
  const mark = event.target.closest?.(".mark");
  if (mark) show(mark, event.clientX, event.clientY);
  else hide();
});
document.addEventListener("focusin", (event) => {
  const mark = event.target.closest?.(".mark");
  dismissed = false;
  if (mark) showAtFocus(mark);
  else hide();
});
document.addEventListener("focusout", hide);
document.addEventListener("scroll", follow, { passive: true, capture: true });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { dismissed = true; hide(); return; }
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const mark = document.activeElement?.closest?.(".mark");
  if (!step || !mark) return;
  const marks = [...mark.parentNode.querySelectorAll(".mark")];
  const next = marks[(marks.indexOf(mark) + step + marks.length) % marks.length];
  mark.tabIndex = -1;
  next.tabIndex = 0;
  next.focus({ preventScroll: true });
  event.preventDefault();
});

// A click on a column's head sorts by it, another the other way; what has no value stays last.
const compare = (numeric, down) => (a, b) => {
  if (a.key === "" || b.key === "") return (a.key === "") - (b.key === "");
  const order = numeric ? a.key - b.key : a.key.localeCompare(b.key, undefined, { numeric: true });
  return down ? -order : order;
};

document.querySelectorAll("table[data-sortable]").forEach((table) => {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const numeric = head.classList.contains("number");
      const rows = [...body.rows].map((row) => ({ row, key: row.cells[column].dataset.sort }));
      rows.sort(compare(numeric, down));
      body.append(...rows.map(({ row }) => row));
    });
  });
});
