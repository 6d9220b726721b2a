"use strict";
// Keeps an open page current: fetches it again when the daemon says that there is something new, and counts ages.
(() => {
  const STEPS = [[60, 1, "s"], [3600, 60, "min"], [172800, 3600, "h"], [Infinity, 86400, "d"]];
  const SETTLE = 150, RETRY = 5000, TICK = 1000, ROUNDING = 0.05;
  const root = document.documentElement;
  let stream = null, settling = 0, retrying = 0;

  function age(element) {
    const seconds = (Date.now() - Date.parse(element.dateTime)) / 1000 + skew + ROUNDING;
    const [, unit, name] = STEPS.find(([below]) => Math.abs(seconds) < below);
    const span = `${Math.floor(Math.abs(seconds) / unit)} ${name}`;
    return seconds >= 0 ? `${span} ago` : `in ${span}`;
  }

  function tick() {
    for (const element of document.querySelectorAll("time[data-age]")) {
      const text = age(element);
      if (element.textContent !== text) element.textContent = text;
    }
  }

  function buttons() {
    for (const button of document.querySelectorAll("[data-copy]")) {
      button.hidden = !(navigator.clipboard && window.isSecureContext);
    }
  }

  // This clock and the daemon's may differ; ages are counted by the daemon's.
  let skew = 0;
  function compare() {
    const made = document.querySelector("[data-now]");
    if (made) skew = Number(made.dataset.now) - Date.now() / 1000;
  }

  function refresh() {
    clearTimeout(settling);
    settling = setTimeout(() => window.htmx.trigger("#page", "published"), SETTLE);
  }

  function open() {
    const page = document.getElementById("page");
    if (stream || document.hidden || !page || !page.dataset.live) return;
    stream = new EventSource(page.dataset.live);
    stream.addEventListener("published", refresh);
    stream.addEventListener("open", () => root.classList.remove("offline"));
    stream.addEventListener("error", () => {
      root.classList.add("offline");
      if (stream && stream.readyState === EventSource.CLOSED) {
        close();
        retrying = setTimeout(open, RETRY);
      }
    });
  }

  function close() {
    clearTimeout(retrying);
    if (stream) stream.close();
    stream = null;
  }

  function ready() {
    buttons();
    tick();
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  document.addEventListener("htmx:after:swap", ready);
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.closest("figure").querySelector("pre").textContent);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  compare();
  ready();
  setInterval(tick, TICK);
  open();
})();
