// The scan field always listens: a hardware scanner types and ends with Enter, wherever the focus is. Each scan has an id
// of its own, made here, and is sent once, in order; what cannot be sent is kept and sent again with the same id.

const PAUSE_MS = 500;
const SHORTEST_CODE = 3;
const TRY_AGAIN_MS = 4000;
const STORE = `scans:${location.pathname}`;

const queue = JSON.parse(sessionStorage.getItem(STORE) || "[]");
let sending = false;
let burst = "";
let lastKeyAt = 0;
let audio = null;

const form = () => document.querySelector("form[data-scan]");
const field = () => form()?.elements.code;

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function beep(tone) {
  audio ??= new AudioContext();
  const good = tone === "good";
  const voice = audio.createOscillator();
  const volume = audio.createGain();
  const length = good ? 0.09 : 0.35;
  voice.type = good ? "sine" : "square";
  voice.frequency.value = good ? 1320 : 196;
  volume.gain.setValueAtTime(0.2, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + length);
  voice.connect(volume).connect(audio.destination);
  voice.start();
  voice.stop(audio.currentTime + length);
  navigator.vibrate?.(good ? 40 : [120, 60, 120]);
}

// What the page can tell before the server answers: is this one of the codes of the line on the screen?
function expectedTone(code) {
  const codes = document.querySelector("[data-codes]")?.dataset.codes;
  if (!codes) return null;
  const bare = (text) => text.toUpperCase().replace(/^0+/, "");
  return codes.split(" ").some((one) => bare(one) === bare(code)) ? "good" : "bad";
}

function scanned(code) {
  const text = code.trim();
  if (!text || !form()) return;
  const scan = { code: text, id: newId(), units: form().elements.units?.value || "1" };
  if (queue.length === 0) {
    scan.heard = expectedTone(text);
    if (scan.heard) beep(scan.heard);
  }
  queue.push(scan);
  if (field()) field().value = "";
  send();
}

function keep() {
  sessionStorage.setItem(STORE, JSON.stringify(queue));
}

function send() {
  keep();
  if (sending || queue.length === 0 || !form()) return;
  sending = true;
  form().elements.code.value = queue[0].code;
  form().elements.scan_id.value = queue[0].id;
  form().dispatchEvent(new SubmitEvent("submit", { bubbles: true, cancelable: true }));
}

function sent(wasAnswered) {
  sending = false;
  const notice = document.getElementById("unsent");
  if (field()) field().value = "";
  if (wasAnswered) {
    const scan = queue.shift();
    const tone = document.querySelector("[data-tone]")?.dataset.tone;
    if (tone && scan?.heard !== tone) beep(tone);
  }
  keep();
  if (notice) {
    notice.hidden = wasAnswered || queue.length === 0;
    notice.querySelector("[data-unsent]").textContent = queue.length;
  }
  if (wasAnswered) send();
  else setTimeout(send, TRY_AGAIN_MS);
}

// Outside the fields nothing else is typed: what comes without a pause and ends with Enter is a scan.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select");
  if (typing || !form() || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.timeStamp - lastKeyAt > PAUSE_MS) burst = "";
  lastKeyAt = event.timeStamp;
  if (event.key === "Enter" && burst.length >= SHORTEST_CODE) {
    event.preventDefault();
    scanned(burst);
  }
  if (event.key === "Enter") burst = "";
  else if (event.key.length === 1 && event.key !== " ") burst += event.key;
});

// A person's Enter or tap on the button; our own submissions, which are for htmx, pass.
document.addEventListener("submit", (event) => {
  if (event.target !== form() || sending) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  scanned(field().value);
}, true);

// A refusal is an answer; a server that is away is not, nor is a session that is over: then the page asks to sign in,
// comes back here, and sends what it kept.
document.addEventListener("htmx:afterRequest", (event) => {
  const { elt, xhr } = event.detail;
  if (sending && elt === form()) sent(xhr.status > 0 && xhr.status < 500 && xhr.status !== 401);
});
window.addEventListener("online", () => send());

// With a scanner at hand the keyboard on the screen stays away; a tap brings it.
const keyboard = document.querySelector("[data-keyboard]");
if (keyboard && matchMedia("(pointer: coarse)").matches) {
  field().inputMode = "none";
  keyboard.hidden = false;
  keyboard.addEventListener("click", () => {
    field().inputMode = field().inputMode === "none" ? "text" : "none";
    field().blur();
    field().focus();
  });
}

// The camera, where the browser reads barcodes by itself.
const camera = document.querySelector("[data-camera]");
if (camera && "BarcodeDetector" in window && navigator.mediaDevices) {
  camera.hidden = false;
  camera.addEventListener("click", async () => {
    const { look } = await import("./camera.js");
    const code = await look();
    if (code) scanned(code);
  });
}

addEventListener("load", () => send());
