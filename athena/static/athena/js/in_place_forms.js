// Sends forms marked `data-in-place` without leaving the page: the response replaces the page's main part. If nothing could
// be saved, the form stays as it is, says why, and can be sent again. Without JavaScript it is an ordinary form.

const MAIN = "#content-start";
const LOGIN = "/admin/login/";
const MESSAGES = {
  logged_out: "Not saved: you are logged out. What you typed is still here. Log in again, then choose Try again.",
  csrf: "Not saved: you logged in again after this page was opened. What you typed is still here.",
  too_large: "Not saved: this is too large to send at once. What you typed is still here.",
  unavailable: "Not saved: Athena is unavailable for a moment. What you typed is still here.",
  offline: "Not saved: Athena can't be reached. Are you offline? What you typed is still here.",
  other: "Not saved: something went wrong on our side. What you typed is still here.",
};

const parse = (text) => new DOMParser().parseFromString(text, "text/html");

/** The reason why the response is not the requested page; an empty string if it is. */
function failureReason(response, page) {
  if (new URL(response.url).pathname === LOGIN || page.querySelector("#login-form")) return "logged_out";
  const name = page.querySelector('meta[name="athena-error"]')?.content;
  if (name) return name in MESSAGES ? name : "other";
  if (response.status === 413) return "too_large";
  return response.ok && page.querySelector(MAIN) ? "" : "other";
}

async function send(form, submitter) {
  const body = new FormData(form, submitter);
  submitter?.setAttribute("aria-busy", "true");
  form.inert = true;
  let reason = "offline";
  try {
    const response = await fetch(submitter?.getAttribute("formaction") ?? form.getAttribute("action"), { method: "POST", body, credentials: "same-origin" });
    const page = parse(await response.text());
    reason = failureReason(response, page);
    if (!reason) return showPage(page, response.url);
  } catch {
    // `reason` holds what is known
  }
  form.inert = false;
  submitter?.removeAttribute("aria-busy");
  showFailure(form, submitter, reason);
}

function showPage(page, address) {
  document.querySelector(MAIN).replaceWith(document.adoptNode(page.querySelector(MAIN)));
  document.title = page.title;
  history.replaceState(null, "", address);
  const message = document.querySelector(`${MAIN} .messagelist, ${MAIN} .errornote, ${MAIN} .errorlist`);
  if (message) {
    message.setAttribute("role", "status");
    message.tabIndex = -1;
    message.focus({ preventScroll: true });
  }
  document.dispatchEvent(new Event("athena:page"));
}

/** Say at the top of the form what happened and how to go on. */
function showFailure(form, submitter, reason) {
  form.querySelector(".unsaved.refused")?.remove();
  const notice = Object.assign(document.createElement("p"), { className: "unsaved refused", tabIndex: -1 });
  notice.setAttribute("role", "alert");
  notice.append(MESSAGES[reason]);
  if (reason === "logged_out") {
    notice.append(Object.assign(document.createElement("a"), { href: LOGIN, target: "_blank", textContent: "Log in again in a new tab" }));
  }
  const retryButton = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "Try again" });
  retryButton.addEventListener("click", async () => {
    await renewToken(form);
    form.requestSubmit(submitter);
  });
  notice.append(retryButton);
  form.prepend(notice);
  notice.focus({ preventScroll: true });
  notice.scrollIntoView({ block: "nearest" });
}

/** Logging in changes the CSRF token of forms; fetch the page again for the new one. */
async function renewToken(form) {
  try {
    const page = parse(await (await fetch(location.href, { credentials: "same-origin" })).text());
    const fresh = !page.querySelector("#login-form") && page.querySelector("input[name=csrfmiddlewaretoken]");
    if (fresh) form.elements.csrfmiddlewaretoken.value = fresh.value;
  } catch {
    // sending the form shows what is wrong
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-in-place]") || event.defaultPrevented) return;
  event.preventDefault();
  send(form, event.submitter);
});
