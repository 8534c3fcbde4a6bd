// Counts hours and minutes down from what the server said, and marks the last half hour.

const SOON_S = 1800;

for (const shown of document.querySelectorAll("[data-left]")) {
  const end = performance.now() / 1000 + Number(shown.dataset.left);
  const show = () => {
    const left = Math.max(0, Math.round(end - performance.now() / 1000));
    const minutes = String(Math.floor((left % 3600) / 60)).padStart(2, "0");
    shown.textContent = `${Math.floor(left / 3600)}:${minutes}`;
    shown.classList.toggle("soon", left < SOON_S);
  };
  show();
  setInterval(show, 5000);
}
