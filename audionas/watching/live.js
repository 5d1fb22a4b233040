// Asks /state whether the run's files have changed; if so, the page is loaded again, scrolled and unfolded as it was.
(function () {
  "use strict";
  var me = document.currentScript, line = document.getElementById("live");
  var version = me.dataset.version, every = Number(me.dataset.every), key = "audionas-watch";

  function details() { return Array.prototype.slice.call(document.querySelectorAll("details")); }

  function restore() {
    var kept = null;
    try { kept = JSON.parse(sessionStorage.getItem(key)); sessionStorage.removeItem(key); } catch (why) { return; }
    if (!kept) { return; }
    details().forEach(function (each, place) { each.open = kept.open.indexOf(place) >= 0; });
    window.scrollTo(0, kept.y);
  }

  function reload() {
    var open = [];
    details().forEach(function (each, place) { if (each.open) { open.push(place); } });
    try { sessionStorage.setItem(key, JSON.stringify({ y: window.scrollY, open: open })); } catch (why) { /* no storage */ }
    window.location.reload();
  }

  function look() {
    fetch("/state", { cache: "no-store" }).then(function (answer) { return answer.json(); }).then(function (state) {
      if (state.version !== version) { reload(); return; }
      line.textContent = state.line;
      if (state.is_running) { window.setTimeout(look, every); }
    }).catch(function () {
      line.textContent = "audionas watch has ended; this is the last page that it served";
      window.setTimeout(look, 5 * every);
    });
  }

  restore();
  window.setTimeout(look, every);
})();
