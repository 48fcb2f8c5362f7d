// What the pages do beyond links and forms: dates in the viewer's zone, live
// pages, unsaved changes, rows of tables. Every page works without it.
"use strict";
(() => {
  const zoned = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const precise = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  const steps = [["second", 60], ["minute", 60], ["hour", 24]];

  function ago(date) {
    let n = (date - Date.now()) / 1000;
    for (const [unit, size] of steps) {
      if (Math.abs(n) < size) return relative.format(Math.round(n), unit);
      n /= size;
    }
    return "";
  }
  function showTimes(root) {
    for (const el of root.querySelectorAll("time[datetime]")) {
      const date = new Date(el.dateTime);
      if (isNaN(date)) continue;
      el.textContent = el.dataset.form === "day" ? date.toLocaleDateString(undefined, { day: "numeric", month: "short" })
        : el.dataset.form === "hour" ? date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" })
        : ago(date) || zoned.format(date);
      el.title = precise.format(date);
    }
  }
  setInterval(() => showTimes(document), 30000);

  // Live pages: the server says that something changed, the page's pieces that
  // want to know ask again.
  const stream = document.body.dataset.live;
  if (stream) {
    let late = null;
    const tell = () => {
      late = null;
      if (!document.hidden) htmx.trigger(document.body, "changed");
    };
    const source = new EventSource(stream);
    source.addEventListener("changed", () => { late ??= setTimeout(tell, 250); });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) tell(); });
    addEventListener("pagehide", () => source.close());
  }

  // A piece that is being read or ticked is not replaced under the reader's hand.
  document.addEventListener("htmx:beforeSwap", (e) => {
    const target = e.detail.target;
    if (target.dataset.careful !== undefined && (target.querySelector("input:checked, details[open]") || target.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"))) {
      if (e.detail.requestConfig.triggeringEvent?.type === "changed") e.detail.shouldSwap = false;
    }
    // Answers that tell of a mistake are shown as well.
    if (e.detail.xhr.status >= 400 && e.detail.xhr.status !== 401 && e.detail.target.dataset.errors !== undefined) {
      e.detail.shouldSwap = true;
      e.detail.isError = false;
    }
  });

  function count(form) {
    const n = form.querySelectorAll("input[name=run]:checked").length;
    for (const el of form.querySelectorAll("[data-picked]")) el.textContent = n === 0 ? "Nothing picked" : n + " picked";
    for (const el of form.querySelectorAll("[data-needs-pick]")) el.disabled = n === 0;
  }
  function prepare(root) {
    showTimes(root);
    for (const form of document.querySelectorAll("form[data-picks]")) count(form);
  }
  document.addEventListener("DOMContentLoaded", () => prepare(document));
  document.addEventListener("htmx:afterSettle", (e) => prepare(e.detail.elt));

  // Unsaved changes.
  let dirty = false;
  function setDirty(form, on) {
    dirty = on;
    for (const el of form.querySelectorAll("[data-unsaved]")) el.hidden = !on;
  }
  document.addEventListener("input", (e) => {
    const form = e.target.closest("form");
    if (form?.dataset.watch !== undefined) setDirty(form, true);
    if (form?.dataset.picks !== undefined) {
      if (e.target.dataset.all !== undefined) for (const box of form.querySelectorAll("input[name=run]")) box.checked = e.target.checked;
      count(form);
    }
  });
  document.addEventListener("submit", (e) => {
    if (e.target.dataset.watch !== undefined) dirty = false;
    const asks = e.submitter?.dataset.ask;
    if (asks && !confirm(asks)) { e.preventDefault(); e.stopImmediatePropagation(); }
  }, true);
  addEventListener("beforeunload", (e) => { if (dirty) e.preventDefault(); });

  document.addEventListener("click", (e) => {
    const act = e.target.closest("[data-act]");
    if (act?.dataset.act === "add-row") {
      const body = document.getElementById(act.dataset.rows);
      const row = body.querySelector("tr:last-child").cloneNode(true);
      const n = body.rows.length + 1;
      for (const input of row.querySelectorAll("input, select")) {
        input.value = "";
        input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+$/, n));
      }
      body.append(row);
      row.querySelector("input, select").focus();
    }
    if (act?.dataset.act === "drop-row") {
      const row = act.closest("tr");
      for (const input of row.querySelectorAll("input, select")) { input.value = ""; input.dispatchEvent(new Event("input", { bubbles: true })); }
      if (row.parentElement.rows.length > 1) row.remove();
    }
    // A menu closes when the reader goes on elsewhere.
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(e.target)) menu.open = false;
  });
  document.addEventListener("keydown", (e) => {
    if (e.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details.menu[open]")) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  // Filters act at once.
  document.addEventListener("change", (e) => {
    const form = e.target.closest("form[data-instant]");
    if (form) form.requestSubmit();
  });
})();
