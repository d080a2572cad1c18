// A form marked `data-in-place` is sent without leaving the page: what comes back takes the place of the page's main part.
// Without JavaScript the same form is an ordinary one.

const MAIN = "#content-start";

async function send(form, submitter) {
  const body = new FormData(form, submitter);
  submitter?.setAttribute("aria-busy", "true");
  form.inert = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const main = page.querySelector(MAIN);
    if (!main) throw new Error(`status ${answer.status}`);
    document.querySelector(MAIN).replaceWith(document.adoptNode(main));
    document.title = page.title;
    history.replaceState(null, "", answer.url);
    const said = document.querySelector(`${MAIN} .messagelist, ${MAIN} .errornote, ${MAIN} .errorlist`);
    if (said) {
      said.setAttribute("role", "status");
      said.tabIndex = -1;
      said.focus({ preventScroll: true });
    }
  } catch {
    form.inert = false;
    form.removeAttribute("data-in-place");
    form.requestSubmit(submitter); // as without JavaScript: the browser says what is wrong
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("form[data-in-place]") || event.defaultPrevented) return;
  event.preventDefault();
  send(form, event.submitter);
});
