// Reads one barcode with the camera, in browsers that know how; loaded when its button is tapped.

const FORMATS = ["ean_13", "ean_8", "upc_a", "upc_e", "code_128", "qr_code"];
const GIVE_UP_MS = 20000;

// Shows what the camera sees until a code is read, and returns the code, or null after a while or a tap.
export async function look() {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  const picture = document.createElement("video");
  picture.className = "camera";
  picture.srcObject = stream;
  picture.playsInline = true;
  document.querySelector("form[data-scan]").after(picture);
  await picture.play();
  let over = false;
  picture.addEventListener("click", () => { over = true; });
  try {
    return await read(picture, () => over);
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    picture.remove();
  }
}

async function read(picture, isOver) {
  const detector = new BarcodeDetector({ formats: FORMATS });
  const end = performance.now() + GIVE_UP_MS;
  while (!isOver() && performance.now() < end) {
    const [found] = await detector.detect(picture);
    if (found) return found.rawValue;
    await new Promise(requestAnimationFrame);
  }
  return null;
}
