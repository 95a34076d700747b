/* Shows the OpenAPI description with Swagger UI: everything from this server, and the
   CSRF token sent along, so that a signed-in user can try calls that write. */
const place = document.getElementById("api-docs");
const dark = matchMedia("(prefers-color-scheme: dark)");

function followScheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

function withToken(request) {
  const own = new URL(request.url, location.href).origin === location.origin;
  if (own && request.method && request.method !== "GET") {
    request.headers["X-CSRFToken"] = place.dataset.csrf;
  }
  return request;
}

dark.addEventListener("change", followScheme);
followScheme();
window.SwaggerUIBundle({
  url: place.dataset.schema,
  domNode: place,
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  requestInterceptor: withToken,
  tryItOutEnabled: false,
  validatorUrl: null,
});
