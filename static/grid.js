/* The form for numbers: cursor keys and Enter move, at the end to the button; a pasted block spreads over the
   fields, changes are counted.
   Without it the form works by its buttons. */
(() => {
  const table = document.querySelector("[data-grid]");
  if (!table) return;
  const status = document.getElementById("grid-stand");
  const check = status.closest("form").querySelector("[name=pruefen]:not([hidden])");
  const rows = [...table.tBodies[0].rows]
    .map((row) => [...row.cells].slice(1).map((cell) => cell.querySelector("input")))
    .filter((fields) => fields.some(Boolean));
  const places = new Map();
  rows.forEach((fields, y) => fields.forEach((field, x) => field && places.set(field, [y, x])));

  // As in a spreadsheet: what is typed replaces a value; a second click or tap sets the cursor into it.
  let entered = null;
  table.addEventListener("focusin", ({ target }) => {
    if (!places.has(target)) return;
    entered = target;
    target.select();
  });
  table.addEventListener("click", ({ target }) => {
    if (target === entered && target.selectionStart === target.selectionEnd) target.select();
    entered = null;
  });

  const tell = () => {
    let changed = 0;
    for (const field of places.keys()) {
      const differs = field.value.trim() !== field.dataset.shown;
      field.classList.toggle("zsk-changed", differs);
      if (differs && field.value.trim()) changed += 1;
    }
    const said = changed === 0 ? status.dataset.none : changed === 1 ? status.dataset.one : status.dataset.many;
    status.textContent = said.replace("#", changed);
  };

  const go = (field, down, right) => {
    let [y, x] = places.get(field);
    do {
      y += down;
      x += right;
      const next = rows[y]?.[x];
      if (next) {
        next.focus();
        return true;
      }
    } while (rows[y] && x >= 0 && x < rows[y].length);
    return false;
  };

  const atEdge = (field, right) =>
    field.selectionStart === field.selectionEnd
      ? field.selectionStart === (right > 0 ? field.value.length : 0)
      : field.selectionEnd - field.selectionStart === field.value.length;

  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  table.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!places.has(field) || event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      if (!go(field, event.shiftKey ? -1 : 1, 0) && !event.shiftKey) check.focus();
    } else if (event.key in MOVES && !event.shiftKey) {
      const [down, right] = MOVES[event.key];
      if (right && !atEdge(field, right)) return;
      if (go(field, down, right)) event.preventDefault();
    }
  });

  const split = (text) => text.replace(/\r\n?/g, "\n").replace(/\n+$/, "").split("\n").map((line) => line.split("\t"));
  // Months, regions and quoted cells are for the server, which knows their names.
  const onlyNumbers = (block) => block.every((line) => line.every((cell) => /^\s*([\d.,\s]*|l(ö|oe)schen)\s*$/i.test(cell) && cell.replace(/\D/g, "").length < 11));

  const spread = (block, [top, left]) => {
    const targets = block.map((line, y) => line.map((_cell, x) => rows[top + y]?.[left + x]));
    const fits = targets.every((line, y) => line.every((field, x) => field || !block[y][x].trim()));
    if (!fits) {
      status.textContent = status.dataset.tooBig;
      return;
    }
    targets.forEach((line, y) => line.forEach((field, x) => {
      if (field && block[y][x].trim()) field.value = block[y][x].trim();
    }));
    tell();
  };

  table.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!places.has(event.target) || !/[\t\n\r]/.test(text.replace(/[\r\n]+$/, ""))) return;
    event.preventDefault();
    const block = split(text);
    if (onlyNumbers(block)) {
      spread(block, places.get(event.target));
      return;
    }
    const area = document.getElementById("id_tabelle");
    area.value = text;
    area.form.requestSubmit(area.form.elements.namedItem("einfuegen"));
  });

  table.addEventListener("input", tell);
  tell();
})();
