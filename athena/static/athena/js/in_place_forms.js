// A form marked `data-in-place` is sent without leaving the page: what comes back takes the place of the page's main part.
// When nothing could be saved, the form stays as it is, says why, and can be sent again.
// Without JavaScript the same form is an ordinary one.

const MAIN = "#content-start";
const LOGIN = "/admin/login/";
const WHY = {
  logged_out: "Not saved: you are logged out. What you typed is still here. Log in again, then try again.",
  csrf: "Not saved: you have logged in again since this page was opened. What you typed is still here.",
  too_large: "Not saved: this is too much to send at once. What you typed is still here.",
  unavailable: "Not saved: Athena is away for a moment. What you typed is still here.",
  offline: "Not saved: Athena can't be reached. Are you offline? What you typed is still here.",
  other: "Not saved: something went wrong on our side. What you typed is still here.",
};

const parse = (text) => new DOMParser().parseFromString(text, "text/html");

/** Why the answer is not the page that was asked for; nothing where it is. */
function refusal(answer, page) {
  if (new URL(answer.url).pathname === LOGIN || page.querySelector("#login-form")) return "logged_out";
  const name = page.querySelector('meta[name="athena-error"]')?.content;
  if (name) return name in WHY ? name : "other";
  if (answer.status === 413) return "too_large";
  return answer.ok && page.querySelector(MAIN) ? "" : "other";
}

async function send(form, submitter) {
  const body = new FormData(form, submitter);
  submitter?.setAttribute("aria-busy", "true");
  form.inert = true;
  let why = "offline";
  try {
    const answer = await fetch(submitter?.getAttribute("formaction") ?? form.getAttribute("action"), { method: "POST", body, credentials: "same-origin" });
    const page = parse(await answer.text());
    why = refusal(answer, page);
    if (!why) return show(page, answer.url);
  } catch {
    // `why` says what is known
  }
  form.inert = false;
  submitter?.removeAttribute("aria-busy");
  explain(form, submitter, why);
}

function show(page, address) {
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

/** Beside the form: what happened, and how to go on. */
function explain(form, submitter, why) {
  form.querySelector(".unsaved.refused")?.remove();
  const notice = Object.assign(document.createElement("p"), { className: "unsaved refused", tabIndex: -1 });
  notice.setAttribute("role", "alert");
  notice.append(WHY[why]);
  if (why === "logged_out") {
    notice.append(Object.assign(document.createElement("a"), { href: LOGIN, target: "_blank", textContent: "Log in again in a new tab" }));
  }
  const again = Object.assign(document.createElement("button"), { type: "button", className: "link", textContent: "Try again" });
  again.addEventListener("click", async () => {
    await renewToken(form);
    form.requestSubmit(submitter);
  });
  notice.append(again);
  form.prepend(notice);
  notice.focus({ preventScroll: true });
  notice.scrollIntoView({ block: "nearest" });
}

/** A login changes the token that forms need; a fresh page has the new one. */
async function renewToken(form) {
  try {
    const page = parse(await (await fetch(location.href, { credentials: "same-origin" })).text());
    const fresh = !page.querySelector("#login-form") && page.querySelector("input[name=csrfmiddlewaretoken]");
    if (fresh) form.elements.csrfmiddlewaretoken.value = fresh.value;
  } catch {
    // sending says what is wrong
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-in-place]") || event.defaultPrevented) return;
  event.preventDefault();
  send(form, event.submitter);
});
