// Shows the OpenAPI document of this server. "Try it out" sends requests to it, with the key typed under Authorize.
const place = document.getElementById("operations");
window.SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: 0,
  validatorUrl: null,
});
