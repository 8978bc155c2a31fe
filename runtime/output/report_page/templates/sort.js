// A click on a head sorts its table: by numbers where all cells are some, by text otherwise.
for (const table of document.querySelectorAll("table.sorts")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const body = table.tBodies[0];
    const text = row => row.cells[column].textContent.trim();
    const number = row => text(row) === "-" ? -Infinity : text(row) === "unchanged" ? 0 : parseFloat(text(row).replaceAll(",", ""));
    const rows = [...body.rows];
    const numeric = rows.every(row => !Number.isNaN(number(row)));
    const rising = head.getAttribute("aria-sort") !== "ascending";
    const order = (a, b) => numeric ? number(a) - number(b) || 0 : text(a).localeCompare(text(b), undefined, {numeric: true});
    rows.sort((a, b) => rising ? order(a, b) : order(b, a));
    heads.forEach(each => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    body.append(...rows);
  }));
}
