// Loaded before the first paint, so that a chosen theme never flashes the other one.
(() => {
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("tokenweir-theme") ?? "auto";
  } catch {
    // Storage is off: the system's theme holds.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
