// The reason for leaving something here is asked only when something is left here.

const form = document.querySelector("form[data-counter]");

function ask() {
  const left = [...form.querySelectorAll("[data-asked]")].some((taken) => taken.value !== taken.dataset.asked);
  form.querySelector(".refusal").hidden = !left;
}

if (form) {
  form.addEventListener("change", ask);
  ask();
}
